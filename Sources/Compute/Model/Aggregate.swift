import CloudCore

/// Hosts that are marked together: by metadata, and by an availability zone, which is one of the metadata.
struct Aggregate: Sendable {
    var number: Int
    var id: ID<Aggregate>
    var name: String
    var metadata: [String: String]
    var hosts: [String] = []
    var createdAt: Timestamp
    var updatedAt: Timestamp?

    static let zoneKey = "availability_zone"
    /// Where hosts are that no aggregate puts elsewhere.
    static let usualZone = "nova"

    var zone: String? { metadata[Self.zoneKey] }
}

/// A host as Compute keeps it: what operators decided about it, beside what its agent reports.
struct ComputeHost: Sendable {
    var name: String
    /// What the API shows as its service's id and its hypervisor's, before 2.53.
    var number: Int
    /// What it shows as its service's id from 2.53 on.
    var serviceID: String
    var isDisabled = false
    var disabledReason: String?
    var isForcedDown = false
    var zone = Aggregate.usualZone
    var report: HostReport
    /// Counted from the rows of servers.
    var usage = Usage()

    struct Usage: Sendable {
        var servers = 0
        var vcpus = 0
        var memoryMiB = 0
        var diskGiB = 0
    }

    var isUp: Bool { report.isUp && !isForcedDown }
}

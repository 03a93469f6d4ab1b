/// A host as Compute stores it: the decisions of operators, and the last report of the host's agent.
struct ComputeHost: Sendable {
    var name: String
    /// The id of the host's service and of its hypervisor in the API before 2.53.
    var number: Int
    /// The id of the host's service in the API from 2.53 on.
    var serviceID: String
    var isDisabled = false
    var disabledReason: String?
    var isForcedDown = false
    var zone = Aggregate.usualZone
    var report: HostReport
    /// The resources that the servers of the host use, counted from their rows.
    var usage = Usage()

    struct Usage: Sendable, Equatable {
        var servers = 0
        var vcpus = 0
        var memoryMiB = 0
        var diskGiB = 0
    }

    var isUp: Bool { report.isUp && !isForcedDown }
}

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

import CloudCore

/// Hosts that operators group. The group has metadata; its availability zone is one of the metadata.
struct Aggregate: Sendable {
    var number: Int
    var id: ID<Aggregate>
    var name: String
    var metadata: [String: String]
    var hosts: [String] = []
    var createdAt: Timestamp
    var updatedAt: Timestamp?

    static let zoneKey = "availability_zone"
    /// The zone of hosts that no aggregate puts into another one.
    static let usualZone = "nova"

    var zone: String? { metadata[Self.zoneKey] }
}

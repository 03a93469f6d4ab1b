import CloudCore

/// A kind of volumes: what a volume of it can do, and where it may be.
struct VolumeType: RowNoun {
    static let word = "Volume type"

    var id: ID<VolumeType>
    var name: String
    var description: String?
    var isPublic: Bool
    var extraSpecs = JSONObject()
    var qosID: ID<QoSSpecs>?
    var createdAt: Timestamp
    var updatedAt: Timestamp?

    /// The name of the type that a volume gets if nothing else is said.
    static let usual = "__DEFAULT__"

    /// The value with which an extra spec says yes.
    static let yes = "<is> True"

    func says(_ spec: String) -> Bool { extraSpecs[spec]?.string == Self.yes }

    var isMultiattach: Bool { says("multiattach") }

    /// The zones in which volumes of the type may be; nil for all.
    var zones: Set<String>? {
        guard let text = extraSpecs["RESKEY:availability_zones"]?.string else { return nil }
        let zones = Set(text.split(separator: ",").map { String($0).trimmed }.filter { !$0.isEmpty })
        return zones.isEmpty ? nil : zones
    }

    /// The extra specs that every user may see.
    static let visibleSpecs = ["RESKEY:availability_zones", "multiattach", "replication_enabled"]
}

/// An operator's promise about the speed of volumes; types refer to it.
struct QoSSpecs: RowNoun {
    static let word = "QoS specs"

    var id: ID<QoSSpecs>
    var name: String
    /// The side that keeps the promise: `front-end`, `back-end` or `both`.
    var consumer: String
    var specs = JSONObject()
    var createdAt: Timestamp
    var updatedAt: Timestamp?

    static func missing(_ id: some CustomStringConvertible) -> CloudError { .notFound("No such QoS spec \(id).") }
}

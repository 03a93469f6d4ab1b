import CloudCore

/// A size that servers can have.
struct Flavor: Sendable, Codable {
    /// The number of the flavor, in the order in which flavors were created.
    var number: Int
    var id: ID<Flavor>
    var name: String
    var ramMiB: Int
    var vcpus: Int
    var diskGiB: Int
    var ephemeralGiB: Int
    var swapMiB: Int
    var rxtxFactor: Double
    var isPublic: Bool
    var description: String?
    /// The extra specs by key. Rows and answers have them in the order of their keys.
    var extraSpecs: [String: String] = [:]
    var createdAt: Timestamp
    var updatedAt: Timestamp?
}

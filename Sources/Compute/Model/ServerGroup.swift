import CloudCore

/// Servers that are to be together, or apart.
struct ServerGroup: Sendable {
    enum Policy: String, Sendable, CaseIterable {
        case affinity
        case antiAffinity = "anti-affinity"
        case softAffinity = "soft-affinity"
        case softAntiAffinity = "soft-anti-affinity"
    }

    var id: ID<ServerGroup>
    var projectID: String
    var userID: String
    var name: String
    var policy: Policy
    /// How many of an anti-affine group one host may have; nil for one.
    var mostPerHost: Int?
    /// Servers that are there.
    var members: [ID<Kind.Server>] = []
    var createdAt: Timestamp
}

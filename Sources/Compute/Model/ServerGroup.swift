import CloudCore

/// Servers that are to be on the same host, or on different hosts.
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
    /// The most servers of an anti-affine group on one host; nil for one.
    var mostPerHost: Int?
    /// The servers of the group that exist.
    var members: [ID<Kind.Server>] = []
    var createdAt: Timestamp
}

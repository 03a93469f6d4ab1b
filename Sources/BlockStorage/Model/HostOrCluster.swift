import CloudCore

/// The host or the cluster that a request is about. A request names one of them; there are no clusters.
enum HostOrCluster: Sendable {
    case host(String)
    case cluster(String)

    /// Takes what a request names.
    ///
    /// - Parameter knowsClusters: whether the request's version knows clusters.
    /// - Throws: `badRequest` unless exactly one is named.
    init(host: String?, cluster: String?, knowsClusters: Bool) throws {
        let host = host?.isEmpty == false ? host : nil
        let cluster = knowsClusters && cluster?.isEmpty == false ? cluster : nil
        switch (host, cluster) {
        case (let host?, nil): self = .host(host)
        case (nil, let cluster?): self = .cluster(cluster)
        default:
            throw VolumeRefusal.input(
                knowsClusters ? "One and only one of cluster and host must be set." : "Host field is missing.")
        }
    }

    /// The name, and the word for what it names.
    var name: String {
        switch self {
        case .host(let name), .cluster(let name): name
        }
    }

    var word: String { if case .host = self { "Host" } else { "Cluster" } }
}

package import CloudCore
package import SQL

/// What Networking must know of the hosts that machines run on. It stores nothing about them itself.
package protocol NetworkingHosts: Sendable {
    /// The hosts that there are, in the caller's transaction: agents and availability zones are views of them.
    func hosts(in tx: Transaction) throws -> [NetworkHost]
}

/// A host as the API of agents shows it.
package struct NetworkHost: Sendable, Hashable {
    package var id: String
    package var name: String
    package var zone: String
    package var isAlive: Bool
    /// Where other hosts send packets of networks that they share with it; nil: nowhere.
    package var address: IPAddress?
    /// When its agent began, and when it was heard last; nil before it was.
    package var startedAt: Timestamp?
    package var seenAt: Timestamp?

    package init(id: String, name: String, zone: String, isAlive: Bool, address: IPAddress? = nil) {
        self.id = id
        self.name = name
        self.zone = zone
        self.isAlive = isAlive
        self.address = address
    }
}

/// A cloud in which no host has told of itself yet.
package struct NoNetworkHosts: NetworkingHosts {
    package init() {}
    package func hosts(in tx: Transaction) throws -> [NetworkHost] { [] }
}

package import CloudCore
package import SQL

/// The source of the facts about hosts that Networking needs. Networking itself stores nothing about hosts.
package protocol NetworkingHosts: Sendable {
    /// Returns all hosts, in the caller's transaction. The API shows them as agents and availability zones.
    func hosts(in tx: Transaction) throws -> [NetworkHost]
    /// Returns the host with a name; nil for none.
    func host(_ name: String, in tx: Transaction) throws -> NetworkHost?
}

/// A host as the API of agents shows it.
package struct NetworkHost: Sendable, Hashable {
    package var id: String
    package var name: String
    package var zone: String
    package var isAlive: Bool
    /// The address to which other hosts send packets of shared networks; nil for none.
    package var address: IPAddress?
    /// The times of the agent's start and of its last report; nil before the first report.
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

/// A source without hosts, for a cloud in which none has reported yet.
package struct NoNetworkHosts: NetworkingHosts {
    package init() {}
    package func hosts(in tx: Transaction) throws -> [NetworkHost] { [] }
    package func host(_ name: String, in tx: Transaction) throws -> NetworkHost? { nil }
}

import CloudCore
import Resources
import SQL

/// Queries about subnets that need no whole row.
enum SubnetStore {
    /// A subnet as its network shows it.
    struct OfNetwork: Sendable {
        let networkID: String
        let id: String
        let version: IPAddress.Version?
        /// The address scope of the pool from which it was cut.
        let scopeID: String?
    }

    /// Returns the subnets of networks, the oldest first.
    static func ofNetworks(_ ids: [String], in tx: Transaction) throws -> [OfNetwork] {
        try tx.rows(
            among: ids,
            """
            SELECT s.network_id, s.id, s.ip_version, p.address_scope_id FROM networking_subnet s
            LEFT JOIN networking_subnet_pool p ON p.id = s.subnetpool_id WHERE s.network_id IN
            """, "ORDER BY s.created_at, s.id"
        ).map {
            OfNetwork(
                networkID: try $0.value(at: 0), id: try $0.value(at: 1),
                version: IPAddress.Version(rawValue: try $0.value(at: 2)), scopeID: try $0.value(at: 3))
        }
    }

    static func ids(on network: ID<Network.Noun>, in tx: Transaction) throws -> [String] {
        try tx.rows("SELECT id FROM networking_subnet WHERE network_id = ?", network).map { try $0.value(at: 0) }
    }

    static func deleteAll(on network: ID<Network.Noun>, in tx: Transaction) throws {
        try tx.execute("DELETE FROM networking_subnet WHERE network_id = ?", network)
    }

    static func hasIPv4(on network: ID<Network.Noun>, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT 1 FROM networking_subnet WHERE network_id = ? AND ip_version = 4", network) != nil
    }

    /// Returns the gateways of the subnets on a network.
    static func gateways(on network: ID<Network.Noun>, in tx: Transaction) throws -> [IPAddress] {
        try tx.rows("SELECT gateway_ip FROM networking_subnet WHERE network_id = ? AND gateway_ip IS NOT NULL", network)
            .map { try $0.value(at: 0) }
    }

    static func prefixes(on network: ID<Network.Noun>, in tx: Transaction) throws -> [(id: String, prefix: IPPrefix)] {
        try tx.rows("SELECT id, cidr FROM networking_subnet WHERE network_id = ?", network)
            .map { (id: try $0.value(at: 0), prefix: try $0.value(at: 1)) }
    }

    /// Returns the prefixes of the subnets on each network.
    static func prefixes(onNetworks ids: [String], in tx: Transaction) throws -> [String: [IPPrefix]] {
        var prefixes: [String: [IPPrefix]] = [:]
        for row in try tx.rows(among: ids, "SELECT network_id, cidr FROM networking_subnet WHERE network_id IN") {
            prefixes[try row.value(at: 0), default: []].append(try row.value(at: 1))
        }
        return prefixes
    }

    /// Returns the pool of each subnet of an IP version on a network; nil for a subnet without a pool.
    static func pools(on network: ID<Network.Noun>, version: Int64, in tx: Transaction) throws -> [String?] {
        try tx.rows(
            "SELECT subnetpool_id FROM networking_subnet WHERE network_id = ? AND ip_version = ?", network, version
        ).map { try $0.value(at: 0) }
    }
}

import CloudCore
import SQL

/// The hosts that commits concern, found by the keys that the commits named.
///
/// Every query goes by an index. There is one for each kind of key, however many keys and hosts there are.
enum TouchStore {
    /// Returns the names of the hosts to which something is bound that the keys concern.
    static func hosts(of keys: Set<String>, in tx: Transaction) throws -> Set<String> {
        var named: [String: [String]] = [:]
        for key in keys {
            let parts = key.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if parts.count == 2 { named[parts[0], default: []].append(parts[1]) }
        }
        func ids(_ kind: String) -> [String] { (named[kind] ?? []).sorted() }
        let ports = ids("port")
        var hosts = Set(ids("host"))
        for query in [
            try tx.rows(among: ports, "SELECT host FROM networking_port WHERE id IN"),
            try tx.rows(among: ids("network"), "SELECT DISTINCT host FROM networking_port WHERE network_id IN"),
            try tx.rows(among: ids("router"), "SELECT host FROM networking_router WHERE id IN"),
            try tx.rows(among: ids("rules"), "\(withGroups) IN"),
            try tx.rows(among: ids("members") + groups(of: ports, in: tx), "\(withRules) remote_group_id IN", ")"),
            try tx.rows(among: ids("addresses"), "\(withRules) remote_address_group_id IN", ")"),
        ] {
            for row in query { hosts.insert(try row.value(at: 0)) }
        }
        hosts.remove("")
        return hosts
    }

    private static let withGroups = """
        SELECT DISTINCT p.host FROM networking_port_security_group g JOIN networking_port p ON p.id = g.port_id
        WHERE g.group_id
        """

    private static let withRules = """
        \(withGroups) IN (SELECT security_group_id FROM networking_security_group_rule WHERE
        """

    private static func groups(of ports: [String], in tx: Transaction) throws -> [String] {
        try tx.rows(among: ports, "SELECT DISTINCT group_id FROM networking_port_security_group WHERE port_id IN")
            .map { try $0.value(at: 0) }
    }

    /// Returns what the deletion or a change of a port touches, without the port's row.
    static func touches(ofPort id: ID<Port.Noun>, in tx: Transaction) throws -> Set<Touch> {
        var touches: Set<Touch> = []
        for row in try tx.rows(
            """
            SELECT p.host, p.network_id, g.group_id FROM networking_port p
            LEFT JOIN networking_port_security_group g ON g.port_id = p.id WHERE p.id = ?
            """, id)
        {
            let host: String = try row.value(at: 0)
            if !host.isEmpty { touches.formUnion([.host(host), .network(try row.value(at: 1))]) }
            if let group = try row.value(at: 2) as String? { touches.insert(.members(group)) }
        }
        return touches
    }

    /// Returns the networks on which a router has ports.
    static func networks(of router: String, in tx: Transaction) throws -> [ID<Network.Noun>] {
        try tx.rows("SELECT DISTINCT network_id FROM networking_port WHERE device_id = ?", router)
            .map { try $0.value(at: 0) }
    }
}

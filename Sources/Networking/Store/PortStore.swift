import CloudCore
import SQL

/// The data of ports in tables of their own, and the filters that search there.
enum PortStore {
    static func groups(ofPorts ids: [String], in tx: Transaction) throws -> [String: [String]] {
        var found: [String: [String]] = [:]
        for row in try tx.rows(
            among: ids, "SELECT port_id, group_id FROM networking_port_security_group WHERE port_id IN", "ORDER BY group_id")
        {
            found[try row.value(at: 0), default: []].append(try row.value(at: 1))
        }
        return found
    }

    static func setGroups(_ groups: [String], of port: ID<Port.Noun>, in tx: Transaction) throws {
        try tx.execute("DELETE FROM networking_port_security_group WHERE port_id = ?", port)
        for group in groups { try tx.execute("INSERT INTO networking_port_security_group (port_id, group_id) VALUES (?, ?)", port, group) }
    }

    static func owners(on network: ID<Network.Noun>, in tx: Transaction) throws -> [(id: String, owner: String)] {
        try tx.rows("SELECT id, device_owner FROM networking_port WHERE network_id = ?", network)
            .map { (id: try $0.value(at: 0), owner: try $0.value(at: 1)) }
    }

    /// Tells whether a network has ports of routers' gateways or of floating IPs.
    static func hasGateways(on network: ID<Network.Noun>, in tx: Transaction) throws -> Bool {
        let user: String? = try tx.value(
            "SELECT id FROM networking_port WHERE network_id = ? AND device_owner IN (?, ?)", network, Port.routerGateway, Port.floatingIP)
        return user != nil
    }

    /// Counts the ports of projects that may use a network only because it is shared with all.
    static func countUnsharedUsers(of network: Network, in tx: Transaction) throws -> Int64 {
        try tx.value(
            """
            SELECT count(*) FROM networking_port WHERE network_id = ? AND project_id NOT IN (?, '')
              AND project_id NOT IN (SELECT target FROM networking_rbac_policy WHERE object_id = ? AND action = ?)
            """, network.id, network.projectID, network.id, RBACPolicy.shared) ?? 0
    }

    // MARK: Ports on hosts

    static func dhcpPort(on network: ID<Network.Noun>, host: String, in tx: Transaction) throws -> ID<Port.Noun>? {
        try tx.value(
            "SELECT id FROM networking_port WHERE network_id = ? AND host = ? AND device_owner = ?", network, host, Port.dhcp)
    }

    /// Tells whether a host has ports of a network that are not the cloud's own.
    static func hasGuests(on network: ID<Network.Noun>, host: String, in tx: Transaction) throws -> Bool {
        try tx.row(
            """
            SELECT 1 FROM networking_port WHERE network_id = ? AND host = ? AND substr(device_owner, 1, 8) <> 'network:' LIMIT 1
            """, network, host) != nil
    }

    static func hosts(of network: ID<Network.Noun>, in tx: Transaction) throws -> [String] {
        try tx.rows("SELECT DISTINCT host FROM networking_port WHERE network_id = ? AND host <> '' ORDER BY host", network)
            .map { try $0.value(at: 0) }
    }

    // MARK: Addresses of hardware

    static func hasMAC(_ mac: MACAddress, on network: ID<Network.Noun>, except port: ID<Port.Noun>, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT 1 FROM networking_port WHERE network_id = ? AND mac_address = ? AND id <> ?", network, mac, port) != nil
    }

    static func isKnown(_ mac: MACAddress, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT 1 FROM networking_port WHERE mac_address = ?", mac) != nil
    }

    // MARK: Conditions of lists

    static func withGroups(_ ids: [String]) -> (sql: String, arguments: [SQLValue]) {
        (
            "id IN (SELECT port_id FROM networking_port_security_group WHERE group_id IN (\(ids.map { _ in "?" }.joined(separator: ", "))))",
            ids.map(SQLValue.text)
        )
    }

    /// Returns the conditions of `fixed_ips=subnet_id=…`, `…ip_address=…` and `…ip_address_substr=…`. Values of one key
    /// are alternatives; all keys must match.
    static func withAddresses(_ values: [String]) throws -> [(sql: String, arguments: [SQLValue])] {
        var wanted: [String: [String]] = [:]
        for value in values {
            let parts = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, ["subnet_id", "ip_address", "ip_address_substr"].contains(parts[0]) else {
                throw CloudError.badRequest("Invalid filter of fixed_ips: '\(value.prefix(100))'.")
            }
            wanted[parts[0], default: []].append(parts[1])
        }
        return wanted.keys.sorted().map { key in
            let values = wanted[key] ?? []
            let condition: String
            var arguments: [SQLValue] = values.map(SQLValue.text)
            let marks = values.map { _ in "?" }.joined(separator: ", ")
            switch key {
            case "subnet_id": condition = "subnet_id IN (\(marks))"
            case "ip_address":
                condition = "ip IN (\(marks))"
                arguments = values.map { .text(IPAddress($0)?.key ?? "") }
            default:
                condition = values.map { _ in "replace(address, ?, '') <> address" }.joined(separator: " OR ")
            }
            return ("id IN (SELECT port_id FROM networking_ip_allocation WHERE \(condition))", arguments)
        }
    }
}

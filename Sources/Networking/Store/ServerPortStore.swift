import CloudCore
import HostModel
import SQL

/// The ports of servers. Only these rows are reliable: a port's `device_id` is a text that the port's owner may write.
enum ServerPortStore {
    struct Entry {
        let port: ID<Port.Noun>
        let network: ID<Network.Noun>
        let host: String
        let status: String
        let isGiven: Bool
    }

    static func entries(of server: ID<Kind.Server>, in tx: Transaction) throws -> [Entry] {
        try tx.rows(
            """
            SELECT s.port_id, p.network_id, p.host, p.status, s.is_given FROM networking_server_port s JOIN networking_port p ON p.id = s.port_id
            WHERE s.server_id = ? ORDER BY s.position
            """, server
        ).map {
            Entry(
                port: try $0.value(at: 0), network: try $0.value(at: 1), host: try $0.value(at: 2), status: try $0.value(at: 3),
                isGiven: try $0.value(at: 4))
        }
    }

    static func server(of port: ID<Port.Noun>, in tx: Transaction) throws -> ID<Kind.Server>? {
        try tx.value("SELECT server_id FROM networking_server_port WHERE port_id = ?", port)
    }

    static func add(_ port: NetworkPlan.Port, to server: ID<Kind.Server>, in tx: Transaction) throws {
        try tx.execute(
            """
            INSERT INTO networking_server_port (port_id, server_id, position, tag, is_given) VALUES
              (?, ?, (SELECT coalesce(max(position), -1) + 1 FROM networking_server_port WHERE server_id = ?), ?, ?)
            ON CONFLICT DO NOTHING
            """, port.id, server, server, port.tag, port.isGiven)
    }

    static func remove(_ port: ID<Port.Noun>, in tx: Transaction) throws {
        try tx.execute("DELETE FROM networking_server_port WHERE port_id = ?", port)
    }

    /// Returns the ports of servers, each server's in its order. The number of statements does not grow with the number
    /// of servers.
    static func ports(
        of servers: [ID<Kind.Server>], addresses: AddressStore, in tx: Transaction
    ) throws -> [ID<Kind.Server>: [ServerPort]] {
        let rows = try tx.rows(
            among: servers.map(\.text),
            """
            SELECT s.server_id, p.id, p.network_id, n.name, p.mac_address, p.status, s.tag
            FROM networking_server_port s JOIN networking_port p ON p.id = s.port_id JOIN networking_network n ON n.id = p.network_id
            WHERE s.server_id IN
            """, "ORDER BY s.server_id, s.position")
        let ids: [String] = try rows.map { try $0.value(at: 1) }
        let fixed = try addresses.addresses(ofPorts: ids, in: tx)
        var floating: [String: [ServerPort.Address]] = [:]
        for row in try tx.rows(among: ids, "SELECT port_id, address FROM networking_floating_ip WHERE port_id IN", "ORDER BY created_at, id") {
            floating[try row.value(at: 0), default: []].append(.init(text: try row.value(at: 1), subnet: ID(""), isFloating: true))
        }
        var ports: [ID<Kind.Server>: [ServerPort]] = [:]
        for row in rows {
            let id: String = try row.value(at: 1)
            let own = (fixed[id] ?? []).map {
                ServerPort.Address(text: $0.address.description, subnet: $0.subnetID, isFloating: false)
            }
            var port = ServerPort(
                id: ID(id), network: try row.value(at: 2), networkName: try row.value(at: 3), mac: try row.value(at: 4),
                addresses: own + (floating[id] ?? []), isActive: try row.value(at: 5) == Port.active)
            port.tag = try row.value(at: 6)
            ports[try row.value(at: 0), default: []].append(port)
        }
        return ports
    }

    /// Returns the servers with an address in a range, found by the indexes of addresses; nil if there are more than
    /// `most`.
    static func servers(withAddress range: TextRange, most: Int, in tx: Transaction) throws -> [ID<Kind.Server>]? {
        var conditions = Conditions()
        conditions.within("a.address", range)
        var found: Set<ID<Kind.Server>> = []
        for table in ["networking_ip_allocation", "networking_floating_ip"] {
            let rows = try tx.rows(
                """
                SELECT s.server_id FROM \(table) a JOIN networking_server_port s ON s.port_id = a.port_id
                \(conditions.clause) LIMIT ?
                """,
                arguments: conditions.arguments + [(most + 1).sql])
            guard rows.count <= most else { return nil }
            for row in rows { found.insert(try row.value(at: 0)) }
        }
        return found.count > most ? nil : found.sorted()
    }

    static func groups(of servers: [ID<Kind.Server>], in tx: Transaction) throws -> [ID<Kind.Server>: [ServerSecurityGroup]] {
        var groups: [ID<Kind.Server>: [ServerSecurityGroup]] = [:]
        for row in try tx.rows(
            among: servers.map(\.text),
            """
            SELECT DISTINCT s.server_id, g.id, g.name, g.description, g.project_id FROM networking_server_port s
            JOIN networking_port_security_group b ON b.port_id = s.port_id JOIN networking_security_group g ON g.id = b.group_id
            WHERE s.server_id IN
            """, "ORDER BY 3, 2")
        {
            groups[try row.value(at: 0), default: []].append(
                ServerSecurityGroup(
                    id: try row.value(at: 1), name: try row.value(at: 2), description: try row.value(at: 3), projectID: try row.value(at: 4)))
        }
        return groups
    }
}

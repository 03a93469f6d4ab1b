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
    static func ports(of servers: [ID<Kind.Server>], in tx: Transaction) throws -> [ID<Kind.Server>: [ServerPort]] {
        // A row for each address, and one for a port without any.
        let rows = try tx.rows(
            among: servers.map(\.text),
            """
            SELECT s.server_id, s.port_id, p.network_id, p.mac_address, p.status, s.tag, a.address, a.subnet_id, a.position,
              (SELECT count(*) FROM networking_floating_ip f WHERE f.port_id = s.port_id)
            FROM networking_server_port s JOIN networking_port p ON p.id = s.port_id
              LEFT JOIN networking_ip_allocation a ON a.port_id = s.port_id
            WHERE s.server_id IN
            """, "ORDER BY s.server_id, s.position")
        var (found, networks, last) = ([(server: String, port: HeldPort)](), Set<String>(), "")
        for row in rows {
            let id: String = try row.value(at: 1)
            if id != last {
                let floating: Int = try row.value(at: 9)
                let port = try port(row, id)
                found.append((try row.value(at: 0), HeldPort(port: port, hasFloating: floating > 0)))
                networks.insert(port.network.text)
                last = id
            }
            let address: String? = try row.value(at: 6)
            guard let address else { continue }
            let (place, subnet): (Int, String) = (try row.value(at: 8), try row.value(at: 7))
            found[found.count - 1].port.fixed.append((place, .init(text: address, subnet: ID(subnet), isFloating: false)))
        }
        let names = try names(of: networks, in: tx)
        let floating = try floating(of: found.filter(\.port.hasFloating).map(\.port.port.id.text), in: tx)
        var ports: [ID<Kind.Server>: [ServerPort]] = [:]
        for (server, held) in found {
            ports[ID(server), default: []].append(
                held.whole(names[held.port.network.text] ?? "", floating[held.port.id.text] ?? []))
        }
        return ports
    }

    /// A port on its way from its rows.
    private struct HeldPort {
        var port: ServerPort
        let hasFloating: Bool
        /// The port's own addresses, each with its place.
        var fixed: [(place: Int, address: ServerPort.Address)] = []

        /// Returns the port with its addresses in their order.
        func whole(_ network: String, _ floating: [ServerPort.Address]) -> ServerPort {
            var port = port
            port.networkName = network
            let sorted = fixed.count < 2 ? fixed : fixed.sorted { ($0.place, key($0.address)) < ($1.place, key($1.address)) }
            port.addresses = sorted.map(\.address) + floating
            return port
        }

        private func key(_ address: ServerPort.Address) -> String { IPAddress(address.text)?.key ?? address.text }
    }

    private static func port(_ row: Row, _ id: String) throws -> ServerPort {
        var port = ServerPort(
            id: ID(id), network: ID(try row.value(at: 2)), networkName: "", mac: try row.value(at: 3),
            isActive: try row.value(at: 4) == Port.active)
        port.tag = try row.value(at: 5)
        return port
    }

    private static func names(of networks: Set<String>, in tx: Transaction) throws -> [String: String] {
        var names: [String: String] = [:]
        for row in try tx.rows(among: networks.sorted(), "SELECT id, name FROM networking_network WHERE id IN") {
            names[try row.value(at: 0)] = try row.value(at: 1)
        }
        return names
    }

    /// Returns the floating IPs that lead to each of some ports.
    private static func floating(of ports: [String], in tx: Transaction) throws -> [String: [ServerPort.Address]] {
        var floating: [String: [ServerPort.Address]] = [:]
        for row in try tx.rows(among: ports, "SELECT port_id, address FROM networking_floating_ip WHERE port_id IN", "ORDER BY created_at, id") {
            floating[try row.value(at: 0), default: []].append(.init(text: try row.value(at: 1), subnet: ID(""), isFloating: true))
        }
        return floating
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
        let rows = try tx.rows(
            among: servers.map(\.text),
            """
            SELECT s.server_id, b.group_id FROM networking_server_port s
            JOIN networking_port_security_group b ON b.port_id = s.port_id WHERE s.server_id IN
            """)
        let bound = try rows.map { (server: try $0.value(at: 0) as String, group: try $0.value(at: 1) as String) }
        // Many servers have the same few groups.
        let groups = try groups(Set(bound.map(\.group)).sorted(), in: tx)
        let places = Dictionary(uniqueKeysWithValues: groups.enumerated().map { ($1.id.text, $0) })
        var held: [ID<Kind.Server>: [Int]] = [:]
        for (server, group) in bound {
            if let place = places[group] { held[ID(server), default: []].append(place) }
        }
        return held.mapValues { own in (own.count < 2 ? own : Set(own).sorted()).map { groups[$0] } }
    }

    /// Returns security groups in the order of their names.
    private static func groups(_ ids: [String], in tx: Transaction) throws -> [ServerSecurityGroup] {
        let rows = try tx.rows(
            among: ids, "SELECT id, name, description, project_id FROM networking_security_group WHERE id IN")
        return try rows.map { row in
            ServerSecurityGroup(
                id: try row.value(at: 0), name: try row.value(at: 1), description: try row.value(at: 2),
                projectID: try row.value(at: 3))
        }.sorted { left, right in
            left.name == right.name
                ? left.id < right.id : left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
        }
    }
}

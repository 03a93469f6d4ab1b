import CloudCore
import HostModel
import Resources
import SQL

/// Queries about things outside a host that the host must know, one statement for each kind, and the status that hosts
/// report.
enum HostStateStore {
    struct RemotePort {
        let network: String
        let mac: MACAddress
        let host: String
    }

    static func ports(elsewhereThan host: String, on networks: [String], in tx: Transaction) throws -> [RemotePort] {
        try tx.rows(
            among: networks, "SELECT network_id, mac_address, host FROM networking_port WHERE network_id IN",
            "AND host NOT IN ('', ?) ORDER BY mac_address", also: [.text(host)]
        ).map { RemotePort(network: try $0.value(at: 0), mac: try $0.value(at: 1), host: try $0.value(at: 2)) }
    }

    /// Returns the addresses from which each group's ports may send, on whichever host they are.
    static func members(of groups: [String], in tx: Transaction) throws -> [String: Set<IPPrefix>] {
        var members: [String: Set<IPPrefix>] = [:]
        for row in try tx.rows(
            among: groups,
            """
            SELECT g.group_id, a.ip FROM networking_port_security_group g JOIN networking_ip_allocation a ON a.port_id = g.port_id
            WHERE g.group_id IN
            """)
        {
            guard let address = IPAddress(key: try row.value(at: 1)) else { continue }
            members[try row.value(at: 0), default: []].insert(IPPrefix(address, address.version.bits))
        }
        for row in try tx.rows(
            among: groups,
            """
            SELECT g.group_id, p.address_pairs FROM networking_port_security_group g JOIN networking_port p ON p.id = g.port_id
            WHERE p.address_pairs <> '[]' AND g.group_id IN
            """)
        {
            let pairs: Listed<AddressPair> = try row.value(at: 1)
            members[try row.value(at: 0), default: []].formUnion(pairs.items.compactMap { IPPrefix($0.address, alone: true) })
        }
        return members
    }

    struct Floating {
        let id: String
        let router: String
        let external: IPAddress
        let fixed: IPAddress
        let status: String
    }

    static func floating(through routers: [String], in tx: Transaction) throws -> [Floating] {
        try tx.rows(
            among: routers, "SELECT id, router_id, address, fixed_address, status FROM networking_floating_ip WHERE router_id IN",
            "AND fixed_address IS NOT NULL ORDER BY id"
        ).map {
            Floating(
                id: try $0.value(at: 0), router: try $0.value(at: 1), external: try $0.value(at: 2), fixed: try $0.value(at: 3),
                status: try $0.value(at: 4))
        }
    }

    // MARK: Writing back

    static func setStatus(_ status: String, ofPorts ids: [String], on host: String, in tx: Transaction) throws {
        for part in stride(from: 0, to: ids.count, by: mostInStatement) {
            let some = ids[part..<min(part + mostInStatement, ids.count)]
            try tx.execute(
                "UPDATE networking_port SET status = ? WHERE host = ? AND id IN (\(some.map { _ in "?" }.joined(separator: ", ")))",
                arguments: [.text(status), .text(host)] + some.map(SQLValue.text))
        }
    }

    private static let mostInStatement = 500  // tidy: allow bound, of a statement

    /// Sets the status of a floating IP if it still leads where the host was told.
    static func setStatus(_ status: String, of floating: Floating, in tx: Transaction) throws {
        try tx.execute(
            "UPDATE networking_floating_ip SET status = ? WHERE id = ? AND router_id = ? AND fixed_address = ?", status, floating.id,
            floating.router, floating.fixed.description)
    }

    static func setStatus(_ status: String, ofRouter id: String, in tx: Transaction) throws {
        try tx.execute("UPDATE networking_router SET status = ? WHERE id = ?", status, id)
    }

    static func setProblems(_ problems: [NetworkProblem], of host: String, in tx: Transaction) throws {
        try tx.execute("DELETE FROM networking_problem WHERE host = ?", host)
        let each = Dictionary(problems.map { ("\($0.subject.rawValue)/\($0.id)", $0) }) { first, _ in first }
        for problem in each.values.sorted() {
            try tx.execute(
                "INSERT INTO networking_problem (host, subject, id, detail) VALUES (?, ?, ?, ?)", host, problem.subject.rawValue, problem.id,
                problem.detail)
        }
    }

    static func problem(with port: String, on host: String, in tx: Transaction) throws -> String? {
        try tx.value("SELECT detail FROM networking_problem WHERE host = ? AND subject = 'port' AND id = ?", host, port)
    }

    static func hasHomelessRouters(in tx: Transaction) throws -> Bool {
        try tx.row("SELECT 1 FROM networking_router WHERE host = '' LIMIT 1") != nil
    }

    /// Returns the routers that have no host yet.
    static func homelessRouters(in tx: Transaction) throws -> [String] {
        try tx.rows("SELECT id FROM networking_router WHERE host = '' ORDER BY created_at, id").map { try $0.value(at: 0) }
    }

    static func place(_ router: String, on host: String, in tx: Transaction) throws {
        try tx.execute("UPDATE networking_router SET host = ? WHERE id = ?", host, router)
        try tx.execute(
            "UPDATE networking_port SET host = ?, status = ? WHERE device_id = ? AND device_owner IN (?, ?)", host, Port.build, router,
            Port.routerInterface, Port.routerGateway)
    }
}

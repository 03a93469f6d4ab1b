import CloudCore
import SQL

/// Fills a cloud that does not run: the rows of the two first servers, which were made through the API, are copied with
/// other ids, names, addresses, hosts and times. A test compares a copy with a server of the API.
struct CloudFill: Sendable {
    let database: Database
    let fixtures: CloudFixtures
    let hosts: Int
    /// The servers of each host.
    let perHost: Int

    /// The copies of one transaction.
    private static let batch = 500
    private static let dhcpOwner = "network:dhcp"
    /// The namespace of the host's part of a DHCP port's device (RFC 9562: DNS).
    private static let namespace = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

    init(_ database: Database, _ fixtures: CloudFixtures, hosts: Int, servers: Int) {
        (self.database, self.fixtures, self.hosts) = (database, fixtures, hosts)
        perHost = max((servers + hosts - 1) / max(hosts, 1), CloudFixtures.portsEach / CloudFixtures.mostHosts + 1)
    }

    func run(all: Int, few: Int) async throws {
        try await copy(fixtures.all, 0..<all)
        try await copy(fixtures.some, all..<all + few)
        try await database.write { tx in
            try tx.execute("UPDATE compute_number SET last = ? WHERE name = 'server'", all + few + Self.firstNumber)
            // Each claim raises the generation of its provider.
            try tx.execute(
                """
                UPDATE placement_provider SET generation = generation + (SELECT count(DISTINCT a.consumer_id)
                  FROM placement_allocation a WHERE a.provider_id = placement_provider.id)
                """)
            if tx.dialect == .postgreSQL { try tx.script("ANALYZE") }
        }
    }

    /// The number of servers that are left free before the numbers of copies.
    private static let firstNumber = 1000

    private func copy(_ project: CloudFixtures.Project, _ numbers: Range<Int>) async throws {
        let first = try await database.read { tx in try ServerRows(project.server, project.networks[0], in: tx) }
        let providers = try await database.read { tx in
            var ids: [String: String] = [:]
            for row in try tx.rows("SELECT name, id FROM placement_provider") {
                let name: String = try row.value(at: 0)
                ids[name] = try row.value(at: 1)
            }
            return ids
        }
        for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: Self.batch) {
            let some = start..<min(start + Self.batch, numbers.upperBound)
            let copies = some.map { number in
                keys(number, place: number - numbers.lowerBound, of: project, first, providers)
            }
            try await database.write { tx in try first.pattern.insert(copies, in: tx) }
        }
        try await copyDHCP(project, numbers, of: first)
    }

    private func host(_ number: Int) -> String { "host-\(number / perHost % hosts + 1)" }

    private func keys(
        _ number: Int, place: Int, of project: CloudFixtures.Project, _ first: ServerRows, _ providers: [String: String]
    ) -> [RowPattern.Key] {
        let network = project.networks[place / CloudFixtures.portsEach]
        let host = self.host(number)
        var copy = first.values
        copy.server = Self.id(1, number)
        copy.port = Self.id(2, number)
        copy.workflow = Self.id(3, number)
        copy.number = Int64(number + Self.firstNumber)
        copy.name = "\(project.name)-\(place)"
        (copy.network, copy.address) = (network, CloudFixtures.address(place, in: network))
        copy.mac = Self.mac(1, number)
        (copy.host, copy.provider) = (host, providers[host] ?? "")
        copy.createdAt -= Int64(number + 1) * 1000
        copy.reservation = "r-\(Self.digits(number, 8))"
        copy.request = "req-\(Self.id(4, number))"
        return copy.keys
    }

    private static func digits(_ number: Int, _ count: Int) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: count - digits.count) + digits
    }

    private static func id(_ kind: Int, _ number: Int) -> String {
        "be0c000\(kind)-0000-4000-8000-\(digits(number, 12))"
    }

    private static func mac(_ kind: Int, _ number: Int) -> String {
        let digits = Array(digits(number, 6))
        return "fa:17:0\(kind):\(String(digits[0..<2])):\(String(digits[2..<4])):\(String(digits[4..<6]))"
    }

    // MARK: DHCP

    /// Copies the DHCP port that the first server's network has on its host, to each host of each network.
    private func copyDHCP(_ project: CloudFixtures.Project, _ numbers: Range<Int>, of first: ServerRows) async throws {
        let known = first.values
        guard let model = try await database.read({ tx in try DHCPRows(known, in: tx) }) else { return }
        var keys: [[RowPattern.Key]] = []
        var places: [String: Set<String>] = [known.network.id: [known.host]]
        for number in numbers {
            let network = project.networks[(number - numbers.lowerBound) / CloudFixtures.portsEach]
            let host = self.host(number)
            guard places[network.id, default: []].insert(host).inserted else { continue }
            let at = places[network.id]?.count ?? 0
            keys.append(
                DHCPRows.keys(
                    port: Self.id(5, number), mac: Self.mac(2, number), network,
                    CloudFixtures.dhcpAddress(at - 1, in: network), host))
        }
        for start in stride(from: 0, to: keys.count, by: Self.batch) {
            let some = Array(keys[start..<min(start + Self.batch, keys.count)])
            try await database.write { tx in try model.pattern.insert(some, in: tx) }
        }
    }

    /// The rows of a DHCP port.
    private struct DHCPRows: Sendable {
        let pattern: RowPattern

        init?(_ server: ServerRows.Values, in tx: Transaction) throws {
            let found = try tx.row(
                "SELECT id, mac_address FROM networking_port WHERE network_id = ? AND host = ? AND device_owner = ?",
                server.network.id, server.host, CloudFill.dhcpOwner)
            guard let found else { return nil }
            let port: String = try found.value(at: 0)
            let address: String? = try tx.value("SELECT address FROM networking_ip_allocation WHERE port_id = ?", port)
            guard let address = address.flatMap({ IPAddress($0) }) else { return nil }
            pattern = try RowPattern(
                [.init("networking_port", "id", port), .init("networking_ip_allocation", "port_id", port)],
                keys: Self.keys(port: port, mac: try found.value(at: 1), server.network, address, server.host), in: tx)
        }

        static func keys(
            port: String, mac: String, _ network: CloudFixtures.Network, _ address: IPAddress, _ host: String
        ) -> [RowPattern.Key] {
            [
                port, mac, network.id, network.subnet, address.description, address.key, (address + 1).key, host,
                UUIDText.derived(from: host, in: CloudFill.namespace),
            ].map { .text($0) }
        }
    }
}

import CloudCore
import SQL

/// The rows of aggregates and their hosts.
struct AggregateStore: Sendable {
    private static let columns = "number, id, name, metadata, created_at, updated_at"
    private static let members = "SELECT aggregate_number, host FROM compute_aggregate_host"

    func find(_ number: Int, in tx: Transaction) throws -> Aggregate? {
        try tx.row("SELECT \(Self.columns) FROM compute_aggregate WHERE number = ?", number).map { try aggregate($0, in: tx) }
    }

    func list(in tx: Transaction) throws -> [Aggregate] {
        let members = try tx.rows("\(Self.members) ORDER BY aggregate_number, host")
        let rows = try tx.rows("SELECT \(Self.columns) FROM compute_aggregate ORDER BY number")
        return try aggregates(rows, members)
    }

    /// Returns the aggregates that some hosts are in, with these hosts only.
    func list(of hosts: [String], in tx: Transaction) throws -> [Aggregate] {
        let members = try tx.pieces(of: hosts.map(\.sql)).flatMap { list, arguments in
            try tx.rows("\(Self.members) WHERE host \(list) ORDER BY host", arguments: arguments)
        }
        let numbers = Set(try members.map { try $0.value(at: 0) as Int }).sorted()
        let rows = try tx.pieces(of: numbers.map(\.sql)).flatMap { list, arguments in
            let sql = "SELECT \(Self.columns) FROM compute_aggregate WHERE number \(list) ORDER BY number"
            return try tx.rows(sql, arguments: arguments)
        }
        return try aggregates(rows, members)
    }

    private func aggregates(_ rows: [Row], _ members: [Row]) throws -> [Aggregate] {
        let hosts = Dictionary(grouping: members) { (try? $0.value(at: 0) as Int) ?? 0 }
        return try rows.map { row in
            try Self.aggregate(row, hosts: try (hosts[try row.value(at: 0)] ?? []).map { try $0.value(at: 1) })
        }
    }

    func exists(name: String, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT number FROM compute_aggregate WHERE name = ?", name) != nil
    }

    func insert(_ aggregate: Aggregate, in tx: Transaction) throws {
        tx.touchedAggregates()
        try tx.execute(
            "INSERT INTO compute_aggregate (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?)", aggregate.number, aggregate.id, aggregate.name,
            TextMap.json(aggregate.metadata), aggregate.createdAt, aggregate.updatedAt)
    }

    func update(_ aggregate: Aggregate, in tx: Transaction) throws {
        tx.touchedAggregates()
        try tx.execute(
            "UPDATE compute_aggregate SET name = ?, metadata = ?, updated_at = ? WHERE number = ?", aggregate.name,
            TextMap.json(aggregate.metadata), aggregate.updatedAt, aggregate.number)
    }

    func delete(_ number: Int, in tx: Transaction) throws {
        tx.touchedAggregates()
        try tx.execute("DELETE FROM compute_aggregate WHERE number = ?", number)
    }

    func add(_ host: String, to number: Int, in tx: Transaction) throws {
        tx.touchedAggregates()
        try tx.execute("INSERT INTO compute_aggregate_host (aggregate_number, host) VALUES (?, ?)", number, host)
    }

    func remove(_ host: String, from number: Int, in tx: Transaction) throws {
        tx.touchedAggregates()
        try tx.execute("DELETE FROM compute_aggregate_host WHERE aggregate_number = ? AND host = ?", number, host)
    }

    func remove(_ host: String, in tx: Transaction) throws {
        tx.touchedAggregates()
        try tx.execute("DELETE FROM compute_aggregate_host WHERE host = ?", host)
    }

    private func aggregate(_ row: Row, in tx: Transaction) throws -> Aggregate {
        let number: Int = try row.value(at: 0)
        let hosts = try tx.rows("SELECT host FROM compute_aggregate_host WHERE aggregate_number = ? ORDER BY host", number)
        return try Self.aggregate(row, hosts: try hosts.map { try $0.value(at: 0) })
    }

    private static func aggregate(_ row: Row, hosts: [String]) throws -> Aggregate {
        Aggregate(
            number: try row.value(at: 0), id: try row.value(at: 1), name: try row.value(at: 2), metadata: TextMap.read(try row.value(at: 3)),
            hosts: hosts, createdAt: try row.value(at: 4), updatedAt: try row.value(at: 5))
    }
}

import CloudCore
import SQL

/// The rows of hosts, and the values that are counted from the servers on them.
struct HostStore: Sendable {
    /// The row of a host: its ids, and the decisions of operators.
    struct Entry: Sendable {
        var name: String
        var number: Int
        var serviceID: String
        var isDisabled = false
        var disabledReason: String?
        var isForcedDown = false
    }

    private static let columns = "name, number, service_id, is_disabled, disabled_reason, is_forced_down"

    func list(in tx: Transaction) throws -> [Entry] {
        try tx.rows("SELECT \(Self.columns) FROM compute_host ORDER BY number").map(Self.entry)
    }

    /// Returns the rows of some hosts.
    func list(_ names: [String], in tx: Transaction) throws -> [Entry] {
        try tx.pieces(of: names.map(\.sql)).flatMap { list, arguments in
            try tx.rows("SELECT \(Self.columns) FROM compute_host WHERE name \(list)", arguments: arguments).map(Self.entry)
        }
    }

    private static func entry(_ row: Row) throws -> Entry {
        Entry(
            name: try row.value(at: 0), number: try row.value(at: 1), serviceID: try row.value(at: 2), isDisabled: try row.value(at: 3),
            disabledReason: try row.value(at: 4), isForcedDown: try row.value(at: 5))
    }

    func insert(_ entry: Entry, in tx: Transaction) throws {
        tx.touchedHost(entry.name)
        try tx.execute(
            "INSERT INTO compute_host (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", entry.name, entry.number,
            entry.serviceID, entry.isDisabled, entry.disabledReason, entry.isForcedDown)
    }

    func update(_ entry: Entry, in tx: Transaction) throws {
        tx.touchedHost(entry.name)
        try tx.execute(
            "UPDATE compute_host SET is_disabled = ?, disabled_reason = ?, is_forced_down = ? WHERE name = ?", entry.isDisabled,
            entry.disabledReason, entry.isForcedDown, entry.name)
    }

    func delete(_ name: String, in tx: Transaction) throws {
        tx.touchedHost(name)
        try tx.execute("DELETE FROM compute_host WHERE name = ?", name)
    }

    /// Returns whether a server uses the host as its second host: it is on its way there, or it may go back.
    func isUnderWay(_ host: String, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT id FROM compute_server WHERE other_host = ? LIMIT 1", host) != nil
    }

    func servers(on host: String, in tx: Transaction) throws -> [(id: String, name: String)] {
        try tx.rows("SELECT id, name FROM compute_server WHERE host = ? ORDER BY created_at, id", host)
            .map { (id: try $0.value(at: 0), name: try $0.value(at: 1)) }
    }
}

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
        try tx.rows("SELECT \(Self.columns) FROM compute_host ORDER BY number").map { row in
            Entry(
                name: try row.value(at: 0), number: try row.value(at: 1), serviceID: try row.value(at: 2), isDisabled: try row.value(at: 3),
                disabledReason: try row.value(at: 4), isForcedDown: try row.value(at: 5))
        }
    }

    func insert(_ entry: Entry, in tx: Transaction) throws {
        try tx.execute(
            "INSERT INTO compute_host (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", entry.name, entry.number,
            entry.serviceID, entry.isDisabled, entry.disabledReason, entry.isForcedDown)
    }

    func update(_ entry: Entry, in tx: Transaction) throws {
        try tx.execute(
            "UPDATE compute_host SET is_disabled = ?, disabled_reason = ?, is_forced_down = ? WHERE name = ?", entry.isDisabled,
            entry.disabledReason, entry.isForcedDown, entry.name)
    }

    func delete(_ name: String, in tx: Transaction) throws { try tx.execute("DELETE FROM compute_host WHERE name = ?", name) }

    /// Returns the resources that the servers of each host use.
    func usages(in tx: Transaction) throws -> [String: ComputeHost.Usage] {
        var usages: [String: ComputeHost.Usage] = [:]
        let rows = try tx.rows(
            "SELECT host, count(*), sum(vcpus), sum(ram), sum(disk) FROM compute_server WHERE host IS NOT NULL GROUP BY host")
        for row in rows {
            usages[try row.value(at: 0)] = ComputeHost.Usage(
                servers: try row.value(at: 1), vcpus: try row.value(at: 2), memoryMiB: try row.value(at: 3), diskGiB: try row.value(at: 4))
        }
        return usages
    }

    /// A server on a host, or on its way there.
    struct Place: Sendable {
        var host: String
        var serverID: String
        var groupID: String?
        var state: VMState?
    }

    /// Returns the hosts of all servers, or of the servers in some states. A server with a second host is listed for
    /// both.
    func places(_ states: [VMState]?, in tx: Transaction) throws -> [Place] {
        let clause = states.map { "AND vm_state IN (\($0.map { _ in "?" }.joined(separator: ", ")))" } ?? ""
        let arguments = (states ?? []).map { SQLValue.text($0.rawValue) }
        let rows = try tx.rows(
            """
            SELECT host, id, group_id, vm_state FROM compute_server WHERE host IS NOT NULL \(clause)
            UNION ALL SELECT other_host, id, group_id, vm_state FROM compute_server WHERE other_host IS NOT NULL \(clause)
            """, arguments: arguments + arguments)
        return try rows.map { row in
            let state: String = try row.value(at: 3)
            return Place(host: try row.value(at: 0), serverID: try row.value(at: 1), groupID: try row.value(at: 2), state: VMState(rawValue: state))
        }
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

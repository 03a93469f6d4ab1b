import CloudCore
import Resources
import SQL

/// A noun whose things may be used by other projects than their own.
protocol Shareable: NetworkingResource {
    var isShared: Bool { get set }
    /// Its name among RBAC policies.
    static var objectType: String { get }
}

extension Shareable {
    static var objectType: String { schema.singular }
    var sharing: Bool? { isShared }
}

extension Network: Shareable {}
extension SecurityGroup: Shareable {}
extension AddressGroup: Shareable {}
extension SubnetPool: Shareable {}
extension AddressScope: Shareable {}

/// Who may use what is another's: the rows of RBAC policies.
enum SharingStore {
    /// Over a table with an `id`: whether a project was let in.
    static func granted(_ type: String, to project: String, column: String = "id") -> (sql: String, arguments: [SQLValue]) {
        (
            "\(column) IN (SELECT object_id FROM networking_rbac_policy WHERE target IN ('*', ?) AND object_type = ?)",
            [.text(project), .text(type)]
        )
    }

    /// Says of each whether the caller's project, or everybody, shares it.
    static func load<R: Shareable>(_ rows: inout [R], for caller: Principal, in tx: Transaction) throws {
        let shared = try shared(rows.map(\.id.text), for: caller.project, in: tx)
        for at in rows.indices { rows[at].isShared = shared.contains(rows[at].id.text) }
    }

    static func shared(_ ids: [String], for project: String, in tx: Transaction) throws -> Set<String> {
        Set(
            try tx.rows(
                among: ids, "SELECT object_id FROM networking_rbac_policy WHERE object_id IN", "AND action = ? AND target IN ('*', ?)",
                also: [.text(RBACPolicy.shared), .text(project)]
            ).map { try $0.value(at: 0) as String })
    }

    /// Over a table with an `id`: whether it is shown as shared.
    static func sharedCondition(_ project: String, column: String = "id") -> (sql: String, arguments: [SQLValue]) {
        (
            "\(column) IN (SELECT object_id FROM networking_rbac_policy WHERE target IN ('*', ?) AND action = ?)",
            [.text(project), .text(RBACPolicy.shared)]
        )
    }

    /// Lets everybody in, or takes that back.
    static func setForAll<R: Shareable>(_ resource: R, _ action: String, _ isOn: Bool, id: String, in tx: Transaction) throws {
        try tx.execute(
            "DELETE FROM networking_rbac_policy WHERE object_id = ? AND action = ? AND target = '*'", resource.id.text, action)
        guard isOn else { return }
        try tx.execute(
            "INSERT INTO networking_rbac_policy (id, object_type, object_id, action, target, project_id) VALUES (?, ?, ?, ?, '*', ?)",
            id, R.objectType, resource.id.text, action, resource.projectID)
    }

    static func removeAll(_ type: String, _ id: String, in tx: Transaction) throws {
        try tx.execute("DELETE FROM networking_rbac_policy WHERE object_id = ? AND object_type = ?", id, type)
    }
}

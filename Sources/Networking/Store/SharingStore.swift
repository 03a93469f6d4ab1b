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

    /// Takes a network back from all that have it as an external one.
    static func removeExternal(_ network: ID<Network.Noun>, in tx: Transaction) throws {
        try tx.execute("DELETE FROM networking_rbac_policy WHERE object_id = ? AND action = ?", network, RBACPolicy.external)
    }

    /// Tells whether there is another policy that says the same.
    static func has(_ policy: RBACPolicy, in tx: Transaction) throws -> Bool {
        try tx.row(
            "SELECT 1 FROM networking_rbac_policy WHERE object_id = ? AND action = ? AND target = ? AND id <> ?",
            policy.objectID, policy.action, policy.target, policy.id) != nil
    }

    /// Tells whether anybody is let use something in a way.
    static func hasAny(_ action: String, on object: String, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT 1 FROM networking_rbac_policy WHERE object_id = ? AND action = ?", object, action) != nil
    }

    /// Says that a network's policies or subnets are others now.
    static func touch(network: String, at now: Timestamp, in tx: Transaction) throws {
        try tx.execute("UPDATE networking_network SET revision_number = revision_number + 1, updated_at = ? WHERE id = ?", now, network)
    }
}

/// A kind of thing that can be shared: its table, the ways, and what of other projects needs it.
struct SharedKind: Sendable {
    let type: String
    let table: String
    let actions: [String]
    /// The projects that use one, over its id.
    private let users: String

    private static let gateways = """
        SELECT r.project_id FROM networking_router r JOIN networking_port g ON g.id = r.gateway_port_id WHERE g.network_id = ?
        """

    static let all = [
        SharedKind(
            type: "network", table: "networking_network", actions: [RBACPolicy.shared, RBACPolicy.external],
            users: "SELECT project_id FROM networking_port WHERE network_id = ?"),
        SharedKind(
            type: "security_group", table: "networking_security_group", actions: [RBACPolicy.shared],
            users: """
                SELECT p.project_id FROM networking_port p JOIN networking_port_security_group g ON g.port_id = p.id WHERE g.group_id = ?
                """),
        SharedKind(
            type: "address_group", table: "networking_address_group", actions: [RBACPolicy.shared],
            users: "SELECT project_id FROM networking_security_group_rule WHERE remote_address_group_id = ?"),
        SharedKind(
            type: "subnetpool", table: "networking_subnet_pool", actions: [RBACPolicy.shared],
            users: "SELECT project_id FROM networking_subnet WHERE subnetpool_id = ?"),
        SharedKind(
            type: "address_scope", table: "networking_address_scope", actions: [RBACPolicy.shared],
            users: "SELECT project_id FROM networking_subnet_pool WHERE address_scope_id = ?"),
    ]

    /// Returns the project of one that its caller sees; nil where there is none.
    func owner(of id: String, seenBy project: String, all: Bool, in tx: Transaction) throws -> String? {
        if all { return try tx.value("SELECT project_id FROM \(table) WHERE id = ?", id) }
        let (granted, arguments) = SharingStore.granted(type, to: project)
        return try tx.rows(
            "SELECT project_id FROM \(table) WHERE id = ? AND (project_id = ? OR \(granted))",
            arguments: [.text(id), .text(project)] + arguments
        ).first?.value(at: 0)
    }

    /// Tells whether a project uses one and would have no policy for it any more.
    ///
    /// - Parameter new: whom the policy is for from now on; nil where it goes.
    func isNeeded(_ policy: RBACPolicy, from new: String?, in tx: Transaction) throws -> Bool {
        var others = Set(
            try tx.rows(
                "SELECT target FROM networking_rbac_policy WHERE object_id = ? AND action = ? AND id <> ?", policy.objectID, policy.action,
                policy.id
            ).map { try $0.value(at: 0) as String })
        if let new { others.insert(new) }
        guard !others.contains(RBACPolicy.everybody) else { return false }
        // Who owns it needs no policy, but for its routers' gateways: without any policy the network is no external one.
        if policy.action != RBACPolicy.external, let owner: String = try tx.value("SELECT project_id FROM \(table) WHERE id = ?", policy.objectID) {
            others.insert(owner)
        }
        let sql = policy.action == RBACPolicy.external ? Self.gateways : users
        let projects = Set(try tx.rows(sql, policy.objectID).map { try $0.value(at: 0) as String }).subtracting(others)
        return policy.target == RBACPolicy.everybody ? !projects.subtracting([""]).isEmpty : projects.contains(policy.target)
    }
}

import CloudCore
import Resources
import SQL

/// A noun whose resources can be shared with other projects.
protocol Shareable: NetworkingResource {
    var isShared: Bool { get set }
    /// The noun's name in RBAC policies.
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

/// The rows of RBAC policies: which projects may use resources of others.
enum SharingStore {
    /// Returns the condition, over a table with an `id`, for resources that a policy opens to the project.
    static func granted(_ type: String, to project: String, column: String = "id") -> (sql: String, arguments: [SQLValue]) {
        (
            "\(column) IN (SELECT object_id FROM networking_rbac_policy WHERE target IN ('*', ?) AND object_type = ?)",
            [.text(project), .text(type)]
        )
    }

    /// Sets for each resource whether it is shared with the caller's project or with all.
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

    /// Returns the condition, over a table with an `id`, for resources that the project sees as shared.
    static func sharedCondition(_ project: String, column: String = "id") -> (sql: String, arguments: [SQLValue]) {
        (
            "\(column) IN (SELECT object_id FROM networking_rbac_policy WHERE target IN ('*', ?) AND action = ?)",
            [.text(project), .text(RBACPolicy.shared)]
        )
    }

    /// Shares a resource with all projects, or revokes that.
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

    /// Revokes every policy that makes the network an external one.
    static func removeExternal(_ network: ID<Network.Noun>, in tx: Transaction) throws {
        try tx.execute("DELETE FROM networking_rbac_policy WHERE object_id = ? AND action = ?", network, RBACPolicy.external)
    }

    /// Tells whether there is another policy with the same content.
    static func has(_ policy: RBACPolicy, in tx: Transaction) throws -> Bool {
        try tx.row(
            "SELECT 1 FROM networking_rbac_policy WHERE object_id = ? AND action = ? AND target = ? AND id <> ?",
            policy.objectID, policy.action, policy.target, policy.id) != nil
    }

    /// Tells whether any policy permits an action on an object.
    static func hasAny(_ action: String, on object: String, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT 1 FROM networking_rbac_policy WHERE object_id = ? AND action = ?", object, action) != nil
    }

    /// Raises the revision of a network whose policies or subnets changed.
    static func touch(network: String, at now: Timestamp, in tx: Transaction) throws {
        try tx.execute("UPDATE networking_network SET revision_number = revision_number + 1, updated_at = ? WHERE id = ?", now, network)
    }
}

/// A kind of resource that can be shared: its table, its actions, and the query for the projects that use it.
struct SharedKind: Sendable {
    let type: String
    let table: String
    let actions: [String]
    /// The projects that use a resource, as SQL with its id.
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

    /// Returns the project of a resource that the caller sees; nil if there is none.
    func owner(of id: String, seenBy project: String, all: Bool, in tx: Transaction) throws -> String? {
        if all { return try tx.value("SELECT project_id FROM \(table) WHERE id = ?", id) }
        let (granted, arguments) = SharingStore.granted(type, to: project)
        return try tx.rows(
            "SELECT project_id FROM \(table) WHERE id = ? AND (project_id = ? OR \(granted))",
            arguments: [.text(id), .text(project)] + arguments
        ).first?.value(at: 0)
    }

    /// Tells whether a project uses a resource and would no longer have a policy for it.
    ///
    /// - Parameter new: the policy's new target; nil if the policy is deleted.
    func isNeeded(_ policy: RBACPolicy, from new: String?, in tx: Transaction) throws -> Bool {
        var others = Set(
            try tx.rows(
                "SELECT target FROM networking_rbac_policy WHERE object_id = ? AND action = ? AND id <> ?", policy.objectID, policy.action,
                policy.id
            ).map { try $0.value(at: 0) as String })
        if let new { others.insert(new) }
        guard !others.contains(RBACPolicy.everybody) else { return false }
        // The owner needs no policy, except for gateways: without a policy the network is not external.
        if policy.action != RBACPolicy.external, let owner: String = try tx.value("SELECT project_id FROM \(table) WHERE id = ?", policy.objectID) {
            others.insert(owner)
        }
        let sql = policy.action == RBACPolicy.external ? Self.gateways : users
        let projects = Set(try tx.rows(sql, policy.objectID).map { try $0.value(at: 0) as String }).subtracting(others)
        return policy.target == RBACPolicy.everybody ? !projects.subtracting([""]).isEmpty : projects.contains(policy.target)
    }
}

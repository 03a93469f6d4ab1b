import CloudCore
import SQL

/// The quotas of projects. The use is counted from the rows, in the transaction that adds one.
enum QuotaStore {
    /// Neutron's defaults; -1 means no limit.
    static let defaults: [(resource: String, limit: Int64, table: String)] = [
        ("network", 100, "networking_network"), ("subnet", 100, "networking_subnet"), ("port", 500, "networking_port"),
        ("router", 10, "networking_router"), ("floatingip", 50, "networking_floating_ip"),
        ("security_group", 10, "networking_security_group"), ("security_group_rule", 100, "networking_security_group_rule"),
        ("subnetpool", -1, "networking_subnet_pool"), ("rbac_policy", 10, "networking_rbac_policy"),
    ]

    /// The hard limits of a project, whatever its quotas say, for nouns whose quota the API does not have or leaves
    /// unlimited. No response shows them.
    private static let bounds: [(resource: String, limit: Int64, table: String)] = [
        ("address_group", Int64(Limits.owner.addressGroups.most), "networking_address_group"),
        ("address_scope", Int64(Limits.owner.addressScopes.most), "networking_address_scope"),
        ("subnetpool", Int64(Limits.owner.subnetPools.most), "networking_subnet_pool"),
    ]

    /// Throws if the project has no room for more rows.
    ///
    /// - Throws: `OverQuota`.
    static func claim(_ resource: String, _ count: Int = 1, for project: String, in tx: Transaction) throws {
        guard !project.isEmpty, count > 0 else { return }
        let bound = bounds.first { $0.resource == resource }
        let known = defaults.first { $0.resource == resource }
        guard let table = (known ?? bound)?.table else { return }
        var limit: Int64 = -1
        if let known {
            let set: Int64? = try tx.value("SELECT value FROM networking_quota WHERE project_id = ? AND resource = ?", project, resource)
            limit = set ?? known.limit
        }
        if let bound { limit = limit < 0 ? bound.limit : min(limit, bound.limit) }
        guard limit >= 0 else { return }
        if try used(table, project, in: tx) + Int64(count) > limit { throw CloudError.overQuota([resource]) }
    }

    static func used(_ table: String, _ project: String, in tx: Transaction) throws -> Int64 {
        try tx.value("SELECT count(*) FROM \(table) WHERE project_id = ?", project) ?? 0
    }

    /// Returns the limits of a project: its own where they are set, otherwise the defaults.
    static func limits(of project: String, in tx: Transaction) throws -> [(resource: String, limit: Int64, table: String)] {
        var set: [String: Int64] = [:]
        for row in try tx.rows("SELECT resource, value FROM networking_quota WHERE project_id = ?", project) {
            set[try row.value(at: 0)] = try row.value(at: 1)
        }
        return defaults.map { ($0.resource, set[$0.resource] ?? $0.limit, $0.table) }
    }

    static func projects(in tx: Transaction) throws -> [String] {
        try tx.rows("SELECT DISTINCT project_id FROM networking_quota ORDER BY project_id").map { try $0.value(at: 0) }
    }

    static func set(_ resource: String, of project: String, to value: Int64, in tx: Transaction) throws {
        try tx.execute(
            """
            INSERT INTO networking_quota (project_id, resource, value) VALUES (?, ?, ?)
            ON CONFLICT (project_id, resource) DO UPDATE SET value = excluded.value
            """, project, resource, value)
    }

    static func remove(_ project: String, in tx: Transaction) throws -> Bool {
        try tx.execute("DELETE FROM networking_quota WHERE project_id = ?", project) > 0
    }
}

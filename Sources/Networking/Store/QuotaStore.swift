import CloudCore
import SQL

/// The quotas of projects, and the use as the database keeps it.
enum QuotaStore {
    /// Neutron's defaults; -1 means no limit.
    static let defaults: [(resource: String, limit: Int64)] = [
        ("network", 100), ("subnet", 100), ("port", 500), ("router", 10), ("floatingip", 50), ("security_group", 10),
        ("security_group_rule", 100), ("subnetpool", -1), ("rbac_policy", 10),
    ]

    /// The hard limits of a project, whatever its quotas say, for nouns whose quota the API does not have or leaves
    /// unlimited. No response shows them.
    private static let bounds: [(resource: String, limit: Int64)] = [
        ("address_group", Int64(Limits.owner.addressGroups.most)),
        ("address_scope", Int64(Limits.owner.addressScopes.most)),
        ("subnetpool", Int64(Limits.owner.subnetPools.most)),
    ]

    /// Throws if the project has no room for more rows.
    ///
    /// - Throws: `OverQuota`.
    static func claim(_ resource: String, _ count: Int = 1, for project: String, in tx: Transaction) throws {
        guard !project.isEmpty, count > 0 else { return }
        let bound = bounds.first { $0.resource == resource }
        let known = defaults.first { $0.resource == resource }
        guard known != nil || bound != nil else { return }
        var limit: Int64 = -1
        if let known {
            let set: Int64? = try tx.value("SELECT value FROM networking_quota WHERE project_id = ? AND resource = ?", project, resource)
            limit = set ?? known.limit
        }
        if let bound { limit = limit < 0 ? bound.limit : min(limit, bound.limit) }
        guard limit >= 0 else { return }
        if try used(resource, project, in: tx) + Int64(count) > limit { throw CloudError.overQuota([resource]) }
    }

    static func used(_ resource: String, _ project: String, in tx: Transaction) throws -> Int64 {
        try Ledger.networking.used(resource, by: project, in: tx)
    }

    /// Returns the use of all resources of which the project has any.
    static func used(by project: String, in tx: Transaction) throws -> [String: Int64] {
        try Ledger.networking.used(by: project, in: tx)
    }

    /// Returns the limits of a project: its own where they are set, otherwise the defaults.
    static func limits(of project: String, in tx: Transaction) throws -> [(resource: String, limit: Int64)] {
        var set: [String: Int64] = [:]
        for row in try tx.rows("SELECT resource, value FROM networking_quota WHERE project_id = ?", project) {
            set[try row.value(at: 0)] = try row.value(at: 1)
        }
        return defaults.map { ($0.resource, set[$0.resource] ?? $0.limit) }
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

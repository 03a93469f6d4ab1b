import CloudCore
import SQL

/// The limits that were set, and the use as the database keeps it.
struct QuotaStore: Sendable {
    /// Returns the limit for a project, or for one of its users: the limit that was set for the user, else for the
    /// project, else for the default class, else the usual limit.
    func limit(_ resource: QuotaResource, project: String, user: String?, in tx: Transaction) throws -> Int {
        try limits(project: project, user: user, in: tx)[resource] ?? resource.usual
    }

    func limits(project: String, user: String?, in tx: Transaction) throws -> [QuotaResource: Int] {
        var limits = try defaults(in: tx)
        limits.merge(try set(project: project, user: "", in: tx)) { _, new in new }
        if let user { limits.merge(try set(project: project, user: user, in: tx)) { _, new in new } }
        return limits
    }

    /// Returns the limits for a project for which nothing is set.
    func defaults(in tx: Transaction) throws -> [QuotaResource: Int] { try ofClass(Self.defaultClass, in: tx) }

    static let defaultClass = "default"

    func ofClass(_ name: String, in tx: Transaction) throws -> [QuotaResource: Int] {
        var limits = Dictionary(uniqueKeysWithValues: QuotaResource.allCases.map { ($0, $0.usual) })
        for row in try tx.rows("SELECT resource, most FROM compute_quota_class WHERE name = ?", name) {
            if let resource = QuotaResource(rawValue: try row.value(at: 0)) { limits[resource] = try row.value(at: 1) as Int }
        }
        return limits
    }

    private func set(project: String, user: String, in tx: Transaction) throws -> [QuotaResource: Int] {
        var limits: [QuotaResource: Int] = [:]
        for row in try tx.rows("SELECT resource, most FROM compute_quota WHERE project_id = ? AND user_id = ?", project, user) {
            if let resource = QuotaResource(rawValue: try row.value(at: 0)) { limits[resource] = try row.value(at: 1) as Int }
        }
        return limits
    }

    func set(_ resource: QuotaResource, to limit: Int, project: String, user: String?, in tx: Transaction) throws {
        try tx.execute(
            "DELETE FROM compute_quota WHERE project_id = ? AND user_id = ? AND resource = ?", project, user ?? "", resource.rawValue)
        try tx.execute(
            "INSERT INTO compute_quota (project_id, user_id, resource, most) VALUES (?, ?, ?, ?)", project, user ?? "",
            resource.rawValue, limit)
    }

    func set(_ resource: QuotaResource, to limit: Int, inClass name: String, in tx: Transaction) throws {
        try tx.execute("DELETE FROM compute_quota_class WHERE name = ? AND resource = ?", name, resource.rawValue)
        try tx.execute("INSERT INTO compute_quota_class (name, resource, most) VALUES (?, ?, ?)", name, resource.rawValue, limit)
    }

    /// Removes limits.
    ///
    /// - Parameter user: the user; nil for all limits of the project, including those of its users.
    func delete(project: String, user: String?, in tx: Transaction) throws {
        if let user {
            try tx.execute("DELETE FROM compute_quota WHERE project_id = ? AND user_id = ?", project, user)
        } else {
            try tx.execute("DELETE FROM compute_quota WHERE project_id = ?", project)
        }
    }

    /// Returns the use of the resources that belong to projects.
    ///
    /// - Parameter user: the user; nil for the use of the whole project.
    func usage(project: String, user: String?, in tx: Transaction) throws -> [QuotaResource: Int] {
        var usage: [QuotaResource: Int] = [:]
        for (name, used) in try Ledger.compute.used(by: project, user: user ?? "", in: tx) {
            if let resource = QuotaResource(rawValue: name) { usage[resource] = Int(used) }
        }
        return usage
    }
}

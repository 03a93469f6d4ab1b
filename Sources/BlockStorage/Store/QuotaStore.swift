import CloudCore
import SQL

/// The limits that were set, and the use as the database keeps it. A resource is named as the API names it; the use of
/// a type's resources is kept by the type's id.
struct QuotaStore: Sendable {
    static let defaultClass = "default"

    func limits(of project: String, in tx: Transaction) throws -> [String: Int] {
        try read(tx.rows("SELECT resource, most FROM volume_quota WHERE project_id = ?", project))
    }

    func limits(ofClass name: String, in tx: Transaction) throws -> [String: Int] {
        try read(tx.rows("SELECT resource, most FROM volume_quota_class WHERE name = ?", name))
    }

    private func read(_ rows: [Row]) throws -> [String: Int] {
        try rows.reduce(into: [:]) { $0[try $1.value(at: 0)] = try $1.value(at: 1) as Int }
    }

    func set(_ resource: String, to limit: Int, project: String, in tx: Transaction) throws {
        try tx.execute("DELETE FROM volume_quota WHERE project_id = ? AND resource = ?", project, resource)
        try tx.execute(
            "INSERT INTO volume_quota (project_id, resource, most) VALUES (?, ?, ?)", project, resource, limit)
    }

    func set(_ resource: String, to limit: Int, inClass name: String, in tx: Transaction) throws {
        try tx.execute("DELETE FROM volume_quota_class WHERE name = ? AND resource = ?", name, resource)
        try tx.execute("INSERT INTO volume_quota_class (name, resource, most) VALUES (?, ?, ?)", name, resource, limit)
    }

    func delete(project: String, in tx: Transaction) throws {
        try tx.execute("DELETE FROM volume_quota WHERE project_id = ?", project)
    }

    /// Gives the limits of a type the type's new name.
    func rename(_ old: String, to new: String, in tx: Transaction) throws {
        try tx.execute("UPDATE volume_quota SET resource = ? WHERE resource = ?", new, old)
        try tx.execute("UPDATE volume_quota_class SET resource = ? WHERE resource = ?", new, old)
    }

    /// Removes the limits of a type that is deleted.
    func forget(_ resource: String, in tx: Transaction) throws {
        try tx.execute("DELETE FROM volume_quota WHERE resource = ?", resource)
        try tx.execute("DELETE FROM volume_quota_class WHERE resource = ?", resource)
    }

    /// Returns the use of a project, by resource and, for types, by the type's id.
    func usage(of project: String, in tx: Transaction) throws -> [String: Int] {
        try Ledger.blockStorage.used(by: project, in: tx).mapValues { Int($0) }
    }

    /// Returns the size in GiB of all volumes in a pool.
    func allocated(in place: String, tx: Transaction) throws -> Int {
        Int(try Ledger.blockStorage.used("gigabytes", by: "", user: place, in: tx))
    }

    /// Returns the size in GiB of all volumes in each pool.
    func allocated(in tx: Transaction) throws -> [String: Int] {
        try tx.rows(
            """
            SELECT user_id, CAST(sum(used) AS BIGINT) FROM volume_usage
            WHERE project_id = '' AND resource = 'gigabytes' GROUP BY user_id
            """
        ).reduce(into: [:]) { $0[try $1.value(at: 0)] = try $1.value(at: 1) as Int }
    }
}

import CloudCore
import SQL

/// The rows of flavors, and the projects that may use flavors that are not public.
struct FlavorStore: Sendable {
    private static let columns =
        "number, id, name, ram, vcpus, disk, ephemeral, swap, rxtx_factor, is_public, description, extra_specs, created_at, updated_at"

    /// Conditions on flavors; all must hold.
    struct Filter: Sendable {
        var isPublic: Bool?
        /// A project whose accessible flavors are found, too, even if they are not public.
        var orAccessibleTo: String?
        var leastRAM: Int?
        var leastDisk: Int?
    }

    func find(_ id: ID<Flavor>, in tx: Transaction) throws -> Flavor? {
        try tx.row("SELECT \(Self.columns) FROM compute_flavor WHERE id = ?", id).map(Self.flavor)
    }

    func exists(name: String, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT id FROM compute_flavor WHERE name = ?", name) != nil
    }

    /// Returns the flavors in the order in which they were created.
    func list(_ filter: Filter, in tx: Transaction) throws -> [Flavor] {
        var conditions = Conditions()
        if let isPublic = filter.isPublic, let project = filter.orAccessibleTo {
            conditions.add(
                "is_public = ? OR id IN (SELECT flavor_id FROM compute_flavor_access WHERE project_id = ?)",
                [isPublic.sql, project.sql])
        } else {
            conditions.equal("is_public", filter.isPublic)
        }
        conditions.atLeast("ram", filter.leastRAM)
        conditions.atLeast("disk", filter.leastDisk)
        return try tx.rows(
            "SELECT \(Self.columns) FROM compute_flavor \(conditions.clause) ORDER BY number",
            arguments: conditions.arguments
        ).map(Self.flavor)
    }

    func insert(_ flavor: Flavor, in tx: Transaction) throws {
        try tx.execute(
            "INSERT INTO compute_flavor (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            flavor.number, flavor.id, flavor.name, flavor.ramMiB, flavor.vcpus, flavor.diskGiB, flavor.ephemeralGiB, flavor.swapMiB,
            flavor.rxtxFactor, flavor.isPublic, flavor.description, TextMap.json(flavor.extraSpecs), flavor.createdAt, flavor.updatedAt)
    }

    func update(_ flavor: Flavor, in tx: Transaction) throws {
        try tx.execute(
            "UPDATE compute_flavor SET description = ?, extra_specs = ?, updated_at = ? WHERE id = ?", flavor.description,
            TextMap.json(flavor.extraSpecs), flavor.updatedAt, flavor.id)
    }

    func delete(_ id: ID<Flavor>, in tx: Transaction) throws -> Bool {
        try tx.execute("DELETE FROM compute_flavor_access WHERE flavor_id = ?", id)
        return try tx.execute("DELETE FROM compute_flavor WHERE id = ?", id) > 0
    }

    private static func flavor(_ row: Row) throws -> Flavor {
        Flavor(
            number: try row.value(at: 0), id: try row.value(at: 1), name: try row.value(at: 2), ramMiB: try row.value(at: 3),
            vcpus: try row.value(at: 4), diskGiB: try row.value(at: 5), ephemeralGiB: try row.value(at: 6),
            swapMiB: try row.value(at: 7), rxtxFactor: try row.value(at: 8), isPublic: try row.value(at: 9),
            description: try row.value(at: 10), extraSpecs: TextMap.read(try row.value(at: 11)), createdAt: try row.value(at: 12),
            updatedAt: try row.value(at: 13))
    }

    // MARK: Access

    func projects(of id: ID<Flavor>, in tx: Transaction) throws -> [String] {
        try tx.rows("SELECT project_id FROM compute_flavor_access WHERE flavor_id = ? ORDER BY project_id", id).map { try $0.value(at: 0) }
    }

    func hasAccess(_ project: String, to id: ID<Flavor>, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT project_id FROM compute_flavor_access WHERE flavor_id = ? AND project_id = ?", id, project) != nil
    }

    func addAccess(_ project: String, to id: ID<Flavor>, in tx: Transaction) throws {
        try tx.execute("INSERT INTO compute_flavor_access (flavor_id, project_id) VALUES (?, ?)", id, project)
    }

    func removeAccess(_ project: String, to id: ID<Flavor>, in tx: Transaction) throws -> Bool {
        try tx.execute("DELETE FROM compute_flavor_access WHERE flavor_id = ? AND project_id = ?", id, project) > 0
    }
}

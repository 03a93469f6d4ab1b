import CloudCore
import SQL

/// The rows of volume types, of the projects that may use those that are not public, and of the projects' default
/// types.
struct VolumeTypeStore: RowStore {
    static let map = RowMap<VolumeType>(
        "volume_type",
        [
            ("id", { $0.id }), ("name", { $0.name }), ("description", { $0.description }),
            ("is_public", { $0.isPublic }), ("extra_specs", { $0.extraSpecs }), ("qos_id", { $0.qosID }),
            ("created_at", { $0.createdAt }), ("updated_at", { $0.updatedAt }),
        ])

    /// Conditions on types; all must hold.
    struct Filter: Sendable {
        var isPublic: Bool?
        /// A project whose accessible types are found, too, even if they are not public.
        var orAccessibleTo: String?
        var name: String?
        var description: String?
    }

    func find(name: String, in tx: Transaction) throws -> VolumeType? {
        try tx.row("\(Self.selection) WHERE name = ?", name).map(Self.noun)
    }

    /// Returns the types that fulfil the conditions, the newest first.
    func list(_ filter: Filter, in tx: Transaction) throws -> [VolumeType] {
        var conditions = Conditions()
        if let isPublic = filter.isPublic, let project = filter.orAccessibleTo {
            conditions.add(
                "is_public = ? OR id IN (SELECT type_id FROM volume_type_access WHERE project_id = ?)",
                [isPublic.sql, project.sql])
        } else {
            conditions.equal("is_public", filter.isPublic)
        }
        conditions.equal("name", filter.name)
        conditions.equal("description", filter.description)
        return try tx.rows(
            "\(Self.selection) \(conditions.clause) ORDER BY created_at DESC, id DESC",
            arguments: conditions.arguments
        ).map(Self.noun)
    }

    func isEmpty(in tx: Transaction) throws -> Bool { try tx.row("SELECT id FROM volume_type LIMIT 1") == nil }

    func isOnlyOne(in tx: Transaction) throws -> Bool { try tx.rows("SELECT id FROM volume_type LIMIT 2").count < 2 }

    func list(withQoS id: ID<QoSSpecs>, in tx: Transaction) throws -> [VolumeType] {
        try tx.rows("\(Self.selection) WHERE qos_id = ? ORDER BY name", id).map(Self.noun)
    }

    static func noun(_ row: Row) throws -> VolumeType {
        VolumeType(
            id: try row.value(at: 0), name: try row.value(at: 1), description: try row.value(at: 2),
            isPublic: try row.value(at: 3), extraSpecs: try row.value(at: 4), qosID: try row.value(at: 5),
            createdAt: try row.value(at: 6), updatedAt: try row.value(at: 7))
    }

    // MARK: Access

    func projects(of id: ID<VolumeType>, in tx: Transaction) throws -> [String] {
        try tx.rows("SELECT project_id FROM volume_type_access WHERE type_id = ? ORDER BY project_id", id)
            .map { try $0.value(at: 0) }
    }

    func hasAccess(_ project: String, to id: ID<VolumeType>, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT project_id FROM volume_type_access WHERE type_id = ? AND project_id = ?", id, project) != nil
    }

    func addAccess(_ project: String, to id: ID<VolumeType>, in tx: Transaction) throws {
        try tx.execute("INSERT INTO volume_type_access (type_id, project_id) VALUES (?, ?)", id, project)
    }

    func removeAccess(_ project: String, to id: ID<VolumeType>, in tx: Transaction) throws -> Bool {
        try tx.execute("DELETE FROM volume_type_access WHERE type_id = ? AND project_id = ?", id, project) > 0
    }

    // MARK: Defaults

    /// Returns the type that a project's volumes get if nothing else is said; nil if none was set for the project.
    func defaultType(of project: String, in tx: Transaction) throws -> ID<VolumeType>? {
        try tx.value("SELECT type_id FROM volume_default_type WHERE project_id = ?", project)
    }

    /// Returns the set default types, in the order of the projects' ids.
    func defaults(most: Int, in tx: Transaction) throws -> [(project: String, type: ID<VolumeType>)] {
        try tx.rows("SELECT project_id, type_id FROM volume_default_type ORDER BY project_id LIMIT ?", most)
            .map { (project: try $0.value(at: 0), type: try $0.value(at: 1)) }
    }

    func setDefault(_ id: ID<VolumeType>, of project: String, in tx: Transaction) throws {
        try removeDefault(of: project, in: tx)
        try tx.execute("INSERT INTO volume_default_type (project_id, type_id) VALUES (?, ?)", project, id)
    }

    func removeDefault(of project: String, in tx: Transaction) throws {
        try tx.execute("DELETE FROM volume_default_type WHERE project_id = ?", project)
    }

    func isDefault(_ id: ID<VolumeType>, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT project_id FROM volume_default_type WHERE type_id = ? LIMIT 1", id) != nil
    }
}

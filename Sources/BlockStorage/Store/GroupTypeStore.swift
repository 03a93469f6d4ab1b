import CloudCore
import SQL

/// The rows of group types.
struct GroupTypeStore: Sendable {
    private static let map = RowMap<GroupType>(
        "volume_group_type",
        [
            ("id", { $0.id }), ("name", { $0.name }), ("description", { $0.description }),
            ("is_public", { $0.isPublic }), ("specs", { $0.specs }), ("created_at", { $0.createdAt }),
            ("updated_at", { $0.updatedAt }),
        ])

    func find(_ id: ID<GroupType>, in tx: Transaction) throws -> GroupType? {
        try tx.row("SELECT \(Self.map.columns) FROM volume_group_type WHERE id = ?", id).map(Self.type)
    }

    func find(name: String, in tx: Transaction) throws -> GroupType? {
        try tx.row("SELECT \(Self.map.columns) FROM volume_group_type WHERE name = ?", name).map(Self.type)
    }

    /// - Parameter isPublic: nil for all types.
    func page(isPublic: Bool?, _ page: RowPage, in tx: Transaction) throws -> [GroupType] {
        var conditions = Conditions()
        conditions.equal("is_public", isPublic)
        return try page.rows(
            Self.map.columns, from: "volume_group_type", where: conditions, lost: { GroupType.missing($0) }, in: tx
        ).map(Self.type)
    }

    func insert(_ type: GroupType, in tx: Transaction) throws { try Self.map.insert(type, in: tx) }

    func update(_ old: GroupType, to new: GroupType, in tx: Transaction) throws {
        guard try Self.map.update(old, to: new, in: tx) else { throw GroupType.missing(old.id) }
    }

    func delete(_ id: ID<GroupType>, in tx: Transaction) throws {
        try tx.execute("DELETE FROM volume_group_type WHERE id = ?", id)
    }

    /// Returns whether a group has the type.
    func isUsed(_ id: ID<GroupType>, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT id FROM volume_group WHERE type_id = ? LIMIT 1", id) != nil
    }

    private static func type(_ row: Row) throws -> GroupType {
        GroupType(
            id: try row.value(at: 0), name: try row.value(at: 1), description: try row.value(at: 2),
            isPublic: try row.value(at: 3), specs: try row.value(at: 4), createdAt: try row.value(at: 5),
            updatedAt: try row.value(at: 6))
    }
}

import CloudCore
import SQL

/// The rows of group types.
struct GroupTypeStore: RowStore {
    static let map = RowMap<GroupType>(
        "volume_group_type",
        [
            ("id", { $0.id }), ("name", { $0.name }), ("description", { $0.description }),
            ("is_public", { $0.isPublic }), ("specs", { $0.specs }), ("created_at", { $0.createdAt }),
            ("updated_at", { $0.updatedAt }),
        ])

    func find(name: String, in tx: Transaction) throws -> GroupType? {
        try tx.row("\(Self.selection) WHERE name = ?", name).map(Self.noun)
    }

    /// - Parameter isPublic: nil for all types.
    func page(isPublic: Bool?, _ page: RowPage, in tx: Transaction) throws -> [GroupType] {
        var conditions = Conditions()
        conditions.equal("is_public", isPublic)
        return try rows(conditions, of: page, in: tx)
    }

    /// Returns whether a group has the type.
    func isUsed(_ id: ID<GroupType>, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT id FROM volume_group WHERE type_id = ? LIMIT 1", id) != nil
    }

    static func noun(_ row: Row) throws -> GroupType {
        GroupType(
            id: try row.value(at: 0), name: try row.value(at: 1), description: try row.value(at: 2),
            isPublic: try row.value(at: 3), specs: try row.value(at: 4), createdAt: try row.value(at: 5),
            updatedAt: try row.value(at: 6))
    }
}

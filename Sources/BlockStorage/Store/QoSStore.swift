import CloudCore
import SQL

/// The rows of QoS specs. The types that have them are in the rows of types.
struct QoSStore: RowStore {
    static let map = RowMap<QoSSpecs>(
        "volume_qos",
        [
            ("id", { $0.id }), ("name", { $0.name }), ("consumer", { $0.consumer }), ("specs", { $0.specs }),
            ("created_at", { $0.createdAt }), ("updated_at", { $0.updatedAt }),
        ])

    func exists(name: String, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT id FROM volume_qos WHERE name = ?", name) != nil
    }

    func page(_ equal: [(column: String, value: String)], _ page: RowPage, in tx: Transaction) throws -> [QoSSpecs] {
        var conditions = Conditions()
        for (column, value) in equal { conditions.equal(column, value) }
        return try rows(conditions, of: page, in: tx)
    }

    /// Takes the specs from all types that have them.
    func disassociate(_ id: ID<QoSSpecs>, in tx: Transaction) throws {
        try tx.execute("UPDATE volume_type SET qos_id = NULL WHERE qos_id = ?", id)
    }

    static func noun(_ row: Row) throws -> QoSSpecs {
        QoSSpecs(
            id: try row.value(at: 0), name: try row.value(at: 1), consumer: try row.value(at: 2),
            specs: try row.value(at: 3), createdAt: try row.value(at: 4), updatedAt: try row.value(at: 5))
    }
}

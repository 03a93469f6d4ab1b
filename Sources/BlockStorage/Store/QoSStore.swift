import CloudCore
import SQL

/// The rows of QoS specs. The types that have them are in the rows of types.
struct QoSStore: Sendable {
    private static let map = RowMap<QoSSpecs>(
        "volume_qos",
        [
            ("id", { $0.id }), ("name", { $0.name }), ("consumer", { $0.consumer }), ("specs", { $0.specs }),
            ("created_at", { $0.createdAt }), ("updated_at", { $0.updatedAt }),
        ])

    func find(_ id: ID<QoSSpecs>, in tx: Transaction) throws -> QoSSpecs? {
        try tx.row("SELECT \(Self.map.columns) FROM volume_qos WHERE id = ?", id).map(Self.specs)
    }

    func exists(name: String, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT id FROM volume_qos WHERE name = ?", name) != nil
    }

    func page(_ equal: [(column: String, value: String)], _ page: RowPage, in tx: Transaction) throws -> [QoSSpecs] {
        var conditions = Conditions()
        for (column, value) in equal { conditions.equal(column, value) }
        return try page.rows(
            Self.map.columns, from: "volume_qos", where: conditions, lost: { QoSSpecs.missing($0) }, in: tx
        ).map(Self.specs)
    }

    func insert(_ specs: QoSSpecs, in tx: Transaction) throws { try Self.map.insert(specs, in: tx) }

    func update(_ old: QoSSpecs, to new: QoSSpecs, in tx: Transaction) throws {
        guard try Self.map.update(old, to: new, in: tx) else { throw QoSSpecs.missing(old.id) }
    }

    func delete(_ id: ID<QoSSpecs>, in tx: Transaction) throws {
        try tx.execute("DELETE FROM volume_qos WHERE id = ?", id)
    }

    /// Takes the specs from all types that have them.
    func disassociate(_ id: ID<QoSSpecs>, in tx: Transaction) throws {
        try tx.execute("UPDATE volume_type SET qos_id = NULL WHERE qos_id = ?", id)
    }

    private static func specs(_ row: Row) throws -> QoSSpecs {
        QoSSpecs(
            id: try row.value(at: 0), name: try row.value(at: 1), consumer: try row.value(at: 2),
            specs: try row.value(at: 3), createdAt: try row.value(at: 4), updatedAt: try row.value(at: 5))
    }
}

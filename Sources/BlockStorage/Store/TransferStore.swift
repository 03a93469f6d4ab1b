import CloudCore
import SQL

/// The rows of transfers.
struct TransferStore: Sendable {
    private static let map = RowMap<VolumeTransfer>(
        "volume_transfer",
        [
            ("id", { $0.id }), ("volume_id", { $0.volumeID }), ("project_id", { $0.projectID }), ("name", { $0.name }),
            ("leaves_snapshots", { $0.leavesSnapshots }), ("salt", { $0.lock.salt }), ("key_hash", { $0.lock.hash }),
            ("created_at", { $0.createdAt }),
        ])

    /// Conditions on transfers; all must hold.
    struct Filter: Sendable {
        /// The project; nil for all projects.
        var projectID: String?
        var columns = RowFilter()

        fileprivate var conditions: Conditions {
            var conditions = Conditions()
            conditions.equal("project_id", projectID)
            conditions.add(columns)
            return conditions
        }
    }

    func find(_ id: ID<VolumeTransfer>, in tx: Transaction) throws -> VolumeTransfer? {
        try tx.row("SELECT \(Self.map.columns) FROM volume_transfer WHERE id = ?", id).map(Self.transfer)
    }

    func page(_ filter: Filter, _ page: RowPage, in tx: Transaction) throws -> [VolumeTransfer] {
        try page.rows(
            Self.map.columns, from: "volume_transfer", where: filter.conditions, lost: { VolumeTransfer.missing($0) },
            in: tx
        ).map(Self.transfer)
    }

    func insert(_ transfer: VolumeTransfer, in tx: Transaction) throws { try Self.map.insert(transfer, in: tx) }

    func delete(_ id: ID<VolumeTransfer>, in tx: Transaction) throws {
        try tx.execute("DELETE FROM volume_transfer WHERE id = ?", id)
    }

    /// Ends every offer of a volume.
    func delete(of volume: ID<Kind.Volume>, in tx: Transaction) throws {
        try tx.execute("DELETE FROM volume_transfer WHERE volume_id = ?", volume)
    }

    private static func transfer(_ row: Row) throws -> VolumeTransfer {
        VolumeTransfer(
            id: try row.value(at: 0), volumeID: try row.value(at: 1), projectID: try row.value(at: 2),
            name: try row.value(at: 3), leavesSnapshots: try row.value(at: 4),
            lock: TransferKey.Lock(salt: try row.value(at: 5), hash: try row.value(at: 6)),
            createdAt: try row.value(at: 7))
    }
}

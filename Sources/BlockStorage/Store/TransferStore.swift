import CloudCore
import SQL

/// The rows of transfers.
struct TransferStore: RowStore {
    static let map = RowMap<VolumeTransfer>(
        "volume_transfer",
        [
            ("id", { $0.id }), ("volume_id", { $0.volumeID }), ("project_id", { $0.projectID }), ("name", { $0.name }),
            ("leaves_snapshots", { $0.leavesSnapshots }), ("salt", { $0.lock.salt }), ("key_hash", { $0.lock.hash }),
            ("created_at", { $0.createdAt }),
        ])

    /// Ends every offer of a volume.
    func delete(of volume: ID<Kind.Volume>, in tx: Transaction) throws {
        try tx.execute("DELETE FROM volume_transfer WHERE volume_id = ?", volume)
    }

    static func noun(_ row: Row) throws -> VolumeTransfer {
        VolumeTransfer(
            id: try row.value(at: 0), volumeID: try row.value(at: 1), projectID: try row.value(at: 2),
            name: try row.value(at: 3), leavesSnapshots: try row.value(at: 4),
            lock: TransferKey.Lock(salt: try row.value(at: 5), hash: try row.value(at: 6)),
            createdAt: try row.value(at: 7))
    }
}

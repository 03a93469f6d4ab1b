package import CloudCore
import Durable
package import HostModel
package import SQL

/// The functions for Compute about the contents of servers' volumes: snapshots, and other bytes. Those that begin
/// something run within Compute's own transactions; the work goes on in the volumes' workflows.
extension BlockStorageAssembly {
    private var volumes: VolumeService { VolumeService(context: context) }
    private var snapshots: SnapshotService { SnapshotService(volumes: volumes) }

    // MARK: Snapshots

    /// Begins to take snapshots, whatever the volumes are used for: all of them or none.
    ///
    /// - Throws: `badRequest` for a volume whose state does not allow it; `quotaExceeded`.
    package func takeSnapshots(_ all: [NewSnapshot], for principal: Principal, in tx: Transaction) throws {
        let caller = caller(principal)
        for new in all {
            let volume = try volumes.require(new.volume, by: caller, in: tx)
            _ = try snapshots.begin(new.id, of: volume, takesUsed: true, by: caller, in: tx) { snapshot in
                (snapshot.name, snapshot.description) = (new.name, volume.description)
            }
        }
    }

    /// Returns when volumes can be made of a snapshot.
    ///
    /// - Throws: a transient error until then; `conflict` if the snapshot could not be taken.
    package func awaitWhole(_ id: SnapshotID) async throws {
        let found = try await context.read { tx in try volumes.snapshots.find(id, in: tx) }
        switch found?.status {
        case .available?: return
        case .creating?: throw Self.unfinished("Snapshot \(id) is being taken.")
        default: throw CloudError.conflict("Snapshot \(id) could not be taken.")
        }
    }

    /// Begins to delete a snapshot. It has no effect if there is none.
    package func delete(_ id: SnapshotID, for principal: Principal, in tx: Transaction) throws {
        guard let snapshot = try volumes.snapshots.find(id, in: tx), snapshot.status != .deleting else { return }
        try snapshots.delete(snapshot, by: caller(principal), in: tx)
    }
}

import CloudCore
import SQL

/// The rule of which snapshots a caller may know.
struct SnapshotRules: Sendable {
    private let snapshots = SnapshotStore()

    /// - Throws: `notFound` if there is none, or if it is not of the caller's project.
    func require(_ id: ID<Kind.Snapshot>, by caller: Caller, in tx: Transaction) throws -> VolumeSnapshot {
        let snapshot = try snapshots.require(id, by: caller, in: tx)
        try caller.require(.getSnapshot, of: snapshot.projectID)
        return snapshot
    }
}

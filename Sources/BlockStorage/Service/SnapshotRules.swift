import CloudCore
import SQL

/// The rule of which snapshots a caller may know.
struct SnapshotRules: Sendable {
    private let snapshots = SnapshotStore()

    /// - Throws: `notFound` if there is none, or if it is not of the caller's project.
    func require(_ id: ID<Kind.Snapshot>, by caller: Caller, in tx: Transaction) throws -> VolumeSnapshot {
        guard let snapshot = try snapshots.find(id, in: tx), caller.sees(snapshot.projectID) else {
            throw VolumeSnapshot.missing(id)
        }
        try caller.require(.getSnapshot, of: snapshot.projectID)
        return snapshot
    }
}

import CloudCore
import SQL

/// The ends of what a group does as a whole: the workflow of its last volume or snapshot brings it about.
extension VolumeWorld {
    /// Notes that a volume is made, or is in error: the last one ends the creation of its group.
    func settleGroup(of volume: Volume, in tx: Transaction) throws {
        guard let id = volume.groupID, let old = try groups.find(id, in: tx), old.status == .creating else { return }
        let states = try groups.states(inGroup: id, in: tx)
        guard states.isDisjoint(with: [.creating, .downloading]) else { return }
        var new = old
        (new.status, new.updatedAt) = (states.contains(.error) ? .error : .available, now)
        try groups.update(old, to: new, in: tx)
    }

    /// Removes a group that is being deleted after its last volume.
    func forgetGroup(of volume: Volume, in tx: Transaction) throws {
        guard let id = volume.groupID, let group = try groups.find(id, in: tx), group.status == .deleting
        else { return }
        if try groups.size(of: id, in: tx) == 0 { try groups.delete(id, in: tx) }
    }

    /// Notes that a snapshot is taken, or is in error: the last one ends the creation of its group snapshot.
    func settleGroup(of id: ID<Kind.Snapshot>, in tx: Transaction) throws {
        guard let whole = try snapshots.find(id, in: tx)?.groupSnapshotID,
            let old = try groupSnapshots.find(whole, in: tx), old.status == .creating
        else { return }
        let states = try groupSnapshots.states(in: whole, tx: tx)
        guard !states.contains(.creating) else { return }
        var new = old
        (new.status, new.updatedAt) = (states.contains(.error) ? .error : .available, now)
        try groupSnapshots.update(old, to: new, in: tx)
    }

    /// Removes a group snapshot that is being deleted after its last snapshot.
    func forgetGroup(of snapshot: VolumeSnapshot, in tx: Transaction) throws {
        guard let id = snapshot.groupSnapshotID, let whole = try groupSnapshots.find(id, in: tx),
            whole.status == .deleting, try groupSnapshots.states(in: id, tx: tx).isEmpty
        else { return }
        try groupSnapshots.delete(id, in: tx)
    }
}

import CloudCore
import SQL

/// The rows of group snapshots. Their snapshots are in the rows of snapshots.
struct GroupSnapshotStore: RowStore {
    static let map = RowMap<GroupSnapshot>(
        "volume_group_snapshot",
        [
            ("id", { $0.id }), ("group_id", { $0.groupID }), ("type_id", { $0.typeID }),
            ("project_id", { $0.projectID }), ("user_id", { $0.userID }), ("name", { $0.name }),
            ("description", { $0.description }), ("status", { $0.status.rawValue }), ("created_at", { $0.createdAt }),
            ("updated_at", { $0.updatedAt }),
        ])
    static let guards = ["status"]

    func hasAny(of group: ID<VolumeGroup>, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT id FROM volume_group_snapshot WHERE group_id = ? LIMIT 1", group) != nil
    }

    /// Returns the states that the snapshots of a group snapshot have.
    func states(in id: ID<GroupSnapshot>, tx: Transaction) throws -> Set<SnapshotStatus> {
        let words: [String] = try tx.rows(
            "SELECT DISTINCT status FROM volume_snapshot WHERE group_snapshot_id = ?", id
        ).map { try $0.value(at: 0) }
        return Set(words.compactMap(SnapshotStatus.init))
    }

    static func noun(_ row: Row) throws -> GroupSnapshot {
        let group = VolumeGroup(
            id: try row.value(at: 1), projectID: "", userID: "", typeID: try row.value(at: 2),
            createdAt: try row.value(at: 8))
        var snapshot = GroupSnapshot(
            id: try row.value(at: 0), of: group, projectID: try row.value(at: 3), userID: try row.value(at: 4),
            createdAt: try row.value(at: 8))
        (snapshot.name, snapshot.description) = (try row.value(at: 5), try row.value(at: 6))
        snapshot.status = GroupStatus(rawValue: try row.value(at: 7)) ?? .error
        snapshot.updatedAt = try row.value(at: 9)
        return snapshot
    }
}

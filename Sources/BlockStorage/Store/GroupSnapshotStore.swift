import CloudCore
import SQL

/// The rows of group snapshots. Their snapshots are in the rows of snapshots.
struct GroupSnapshotStore: Sendable {
    private static let map = RowMap<GroupSnapshot>(
        "volume_group_snapshot",
        [
            ("id", { $0.id }), ("group_id", { $0.groupID }), ("type_id", { $0.typeID }),
            ("project_id", { $0.projectID }), ("user_id", { $0.userID }), ("name", { $0.name }),
            ("description", { $0.description }), ("status", { $0.status.rawValue }), ("created_at", { $0.createdAt }),
            ("updated_at", { $0.updatedAt }),
        ])

    /// Conditions on group snapshots; all must hold.
    struct Filter: Sendable {
        /// The project; nil for all projects.
        var projectID: String?
        /// A type of groups whose snapshots are left out.
        var exceptType: ID<GroupType>?
        var columns = RowFilter()

        fileprivate var conditions: Conditions {
            var conditions = Conditions()
            conditions.equal("project_id", projectID)
            if let exceptType { conditions.add("type_id <> ?", [exceptType.sql]) }
            conditions.add(columns)
            return conditions
        }
    }

    func find(_ id: ID<GroupSnapshot>, in tx: Transaction) throws -> GroupSnapshot? {
        try tx.row("SELECT \(Self.map.columns) FROM volume_group_snapshot WHERE id = ?", id).map(Self.snapshot)
    }

    func page(_ filter: Filter, _ page: RowPage, in tx: Transaction) throws -> [GroupSnapshot] {
        try page.rows(
            Self.map.columns, from: "volume_group_snapshot", where: filter.conditions,
            lost: { GroupSnapshot.missing($0) }, in: tx
        ).map(Self.snapshot)
    }

    func hasAny(of group: ID<VolumeGroup>, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT id FROM volume_group_snapshot WHERE group_id = ? LIMIT 1", group) != nil
    }

    func insert(_ snapshot: GroupSnapshot, in tx: Transaction) throws { try Self.map.insert(snapshot, in: tx) }

    /// Writes what differs between two forms of a group snapshot.
    ///
    /// - Throws: `conflict` if it has another state than the old form says, or is gone.
    func update(_ old: GroupSnapshot, to new: GroupSnapshot, in tx: Transaction) throws {
        guard try Self.map.update(old, to: new, guards: ["status"], in: tx) else {
            throw CloudError.conflict("GroupSnapshot \(old.id) was changed by another request.")
        }
    }

    func delete(_ id: ID<GroupSnapshot>, in tx: Transaction) throws {
        try tx.execute("DELETE FROM volume_group_snapshot WHERE id = ?", id)
    }

    /// Returns the states that the snapshots of a group snapshot have.
    func states(in id: ID<GroupSnapshot>, tx: Transaction) throws -> Set<SnapshotStatus> {
        let words: [String] = try tx.rows(
            "SELECT DISTINCT status FROM volume_snapshot WHERE group_snapshot_id = ?", id
        ).map { try $0.value(at: 0) }
        return Set(words.compactMap(SnapshotStatus.init))
    }

    private static func snapshot(_ row: Row) throws -> GroupSnapshot {
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

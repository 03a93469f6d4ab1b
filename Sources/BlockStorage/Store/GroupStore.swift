import CloudCore
import SQL

/// The rows of groups, and of the volume types that their volumes may have.
struct GroupStore: RowStore {
    static let map = RowMap<VolumeGroup>(
        "volume_group",
        [
            ("id", { $0.id }), ("project_id", { $0.projectID }), ("user_id", { $0.userID }), ("name", { $0.name }),
            ("description", { $0.description }), ("status", { $0.status.rawValue }), ("zone", { $0.zone }),
            ("type_id", { $0.typeID }), ("host", { $0.host }), ("pool", { $0.pool }),
            ("group_snapshot_id", { $0.snapshotID }), ("source_group_id", { $0.sourceID }),
            ("created_at", { $0.createdAt }), ("updated_at", { $0.updatedAt }),
        ])
    static let guards = ["status"]

    /// Writes a group.
    ///
    /// - Parameter types: the types that its volumes may have.
    func insert(_ group: VolumeGroup, types: some Sequence<ID<VolumeType>>, in tx: Transaction) throws {
        try Self.map.insert(group, in: tx)
        for type in Set(types).sorted() {
            try tx.execute("INSERT INTO volume_group_member_type (group_id, type_id) VALUES (?, ?)", group.id, type)
        }
    }

    // MARK: What belongs to groups

    /// Returns the types that the volumes of groups may have.
    func types(of groups: [ID<VolumeGroup>], in tx: Transaction) throws -> [ID<VolumeGroup>: [ID<VolumeType>]] {
        try pairs(
            of: groups,
            {
                "SELECT group_id, type_id FROM volume_group_member_type WHERE group_id \($0) ORDER BY type_id"
            }, in: tx)
    }

    /// Returns the volumes of groups, the oldest first.
    func volumes(of groups: [ID<VolumeGroup>], in tx: Transaction) throws -> [ID<VolumeGroup>: [ID<Kind.Volume>]] {
        try pairs(
            of: groups, { "SELECT group_id, id FROM volume WHERE group_id \($0) ORDER BY created_at, id" }, in: tx)
    }

    private func pairs<Member: Sendable>(
        of groups: [ID<VolumeGroup>], _ sql: (String) -> String, in tx: Transaction
    ) throws -> [ID<VolumeGroup>: [ID<Member>]] {
        let rows = try tx.pieces(of: groups.map(\.sql)).flatMap { list, arguments in
            try tx.rows(sql(list), arguments: arguments)
        }
        return try rows.reduce(into: [:]) { found, row in
            found[try row.value(at: 0), default: []].append(try row.value(at: 1))
        }
    }

    /// Returns the states that volumes of a group have.
    func states(inGroup id: ID<VolumeGroup>, in tx: Transaction) throws -> Set<VolumeStatus> {
        let words: [String] = try tx.rows("SELECT DISTINCT status FROM volume WHERE group_id = ?", id)
            .map { try $0.value(at: 0) }
        return Set(words.compactMap(VolumeStatus.init))
    }

    /// Returns how many volumes a group has.
    func size(of id: ID<VolumeGroup>, in tx: Transaction) throws -> Int {
        try tx.value("SELECT count(*) FROM volume WHERE group_id = ?", id) ?? 0
    }

    /// Returns whether a group is being made of another one.
    func isSource(_ id: ID<VolumeGroup>, in tx: Transaction) throws -> Bool {
        try tx.row(
            "SELECT id FROM volume_group WHERE source_group_id = ? AND status = ? LIMIT 1", id,
            GroupStatus.creating.rawValue) != nil
    }

    /// Returns whether a group is being made of a group snapshot.
    func isSource(_ id: ID<GroupSnapshot>, in tx: Transaction) throws -> Bool {
        try tx.row(
            "SELECT id FROM volume_group WHERE group_snapshot_id = ? AND status = ? LIMIT 1", id,
            GroupStatus.creating.rawValue) != nil
    }

    /// Returns whether a group may have volumes of a type.
    func uses(_ type: ID<VolumeType>, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT group_id FROM volume_group_member_type WHERE type_id = ? LIMIT 1", type) != nil
    }

    /// Returns those groups that have the type of consistency groups.
    func consistencyGroups(among groups: [ID<VolumeGroup>], in tx: Transaction) throws -> Set<ID<VolumeGroup>> {
        Set(
            try tx.pieces(of: groups.map(\.sql)).flatMap { list, arguments in
                try tx.rows(
                    """
                    SELECT id FROM volume_group
                    WHERE id \(list) AND type_id IN (SELECT id FROM volume_group_type WHERE name = ?)
                    """, arguments: arguments + [GroupType.ofConsistencyGroups.sql])
            }.map { try $0.value(at: 0) })
    }

    static func noun(_ row: Row) throws -> VolumeGroup {
        var group = VolumeGroup(
            id: try row.value(at: 0), projectID: try row.value(at: 1), userID: try row.value(at: 2),
            typeID: try row.value(at: 7), createdAt: try row.value(at: 12))
        (group.name, group.description) = (try row.value(at: 3), try row.value(at: 4))
        group.status = GroupStatus(rawValue: try row.value(at: 5)) ?? .error
        (group.zone, group.host, group.pool) = (try row.value(at: 6), try row.value(at: 8), try row.value(at: 9))
        (group.snapshotID, group.sourceID) = (try row.value(at: 10), try row.value(at: 11))
        group.updatedAt = try row.value(at: 13)
        return group
    }
}

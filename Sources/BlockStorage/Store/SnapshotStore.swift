import CloudCore
import SQL

/// The rows of snapshots.
struct SnapshotStore: RowStore {
    static let map = RowMap<VolumeSnapshot>(
        "volume_snapshot",
        [
            ("id", { $0.id }), ("volume_id", { $0.volumeID }), ("project_id", { $0.projectID }),
            ("user_id", { $0.userID }), ("name", { $0.name }), ("description", { $0.description }),
            ("size", { $0.size }), ("status", { $0.status.rawValue }), ("type_id", { $0.typeID }),
            ("group_snapshot_id", { $0.groupSnapshotID }), ("metadata", { $0.metadata }),
            ("is_bootable", { $0.isBootable }), ("image_metadata", { $0.imageMetadata }),
            ("generation", { $0.generation }), ("created_at", { $0.createdAt }), ("updated_at", { $0.updatedAt }),
            ("progress", { $0.reportedProgress }),
        ])
    static let guards = ["status"]

    /// Conditions on snapshots; all must hold.
    struct Filter: Sendable {
        /// The project; nil for all projects.
        var projectID: String?
        var equal: [(column: String, value: SQLValue)] = []
        var contain: [(column: String, part: String)] = []
        var metadata: [(name: String, value: String)] = []
        /// The zone of the volume.
        var zone: String?
        /// Whether no snapshot can fulfil the conditions.
        var isEmpty = false

        private static let selective: Set<String> = ["id", "name", "volume_id", "group_snapshot_id"]

        func conditions(in tx: Transaction) throws -> Conditions {
            var conditions = Conditions()
            if isEmpty { conditions.add("1 = 0") }
            let ids = try narrowed(in: tx)
            // If the ids are known, the database shall begin with them and use no other index.
            func key(_ column: String) -> String { ids == nil ? column : "(\(column) || '')" }
            conditions.isIn("id", ids)
            conditions.equal(key("project_id"), projectID)
            for (column, value) in equal {
                if case .text = value, column != "id" {
                    conditions.add("\(key(column)) = ?", [value])
                } else {
                    conditions.add("\(column) = ?", [value])
                }
            }
            for (column, part) in contain { conditions.add("replace(\(column), ?, '') <> \(column)", [part.sql]) }
            for (name, value) in metadata {
                conditions.add(
                    """
                    EXISTS (SELECT 1 FROM volume_snapshot_property p
                      WHERE p.snapshot_id = volume_snapshot.id AND p.name = ? AND p.value = ?)
                    """, [name.sql, value.sql])
            }
            if let zone {
                conditions.add(
                    "EXISTS (SELECT 1 FROM volume v WHERE v.id = volume_snapshot.volume_id AND v.zone = ?)", [zone.sql])
            }
            return conditions
        }

        private func narrowed(in tx: Transaction) throws -> [String]? {
            for (column, value) in equal where Self.selective.contains(column) {
                var conditions = Conditions()
                conditions.add("\(column) = ?", [value])
                if column == "name" { conditions.equal("project_id", projectID) }
                if let ids = try RowPage.ids("id FROM volume_snapshot", where: conditions, in: tx) { return ids }
            }
            for (name, value) in metadata {
                var conditions = Conditions()
                conditions.equal("name", name)
                conditions.equal("value", value)
                let source = "snapshot_id FROM volume_snapshot_property"
                if let ids = try RowPage.ids(source, where: conditions, in: tx) { return ids }
            }
            return nil
        }
    }

    /// Returns the snapshots of a volume, the oldest first.
    func list(of volume: ID<Kind.Volume>, in tx: Transaction) throws -> [VolumeSnapshot] {
        try tx.rows("\(Self.selection) WHERE volume_id = ? ORDER BY created_at, id", volume).map(Self.noun)
    }

    func list(inGroup id: ID<GroupSnapshot>, in tx: Transaction) throws -> [VolumeSnapshot] {
        try tx.rows("\(Self.selection) WHERE group_snapshot_id = ? ORDER BY created_at, id", id).map(Self.noun)
    }

    func hasAny(of volume: ID<Kind.Volume>, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT id FROM volume_snapshot WHERE volume_id = ? LIMIT 1", volume) != nil
    }

    func page(_ filter: Filter, _ page: RowPage, in tx: Transaction) throws -> [VolumeSnapshot] {
        try rows(try filter.conditions(in: tx), of: page, in: tx)
    }

    func count(_ filter: Filter, in tx: Transaction) throws -> Int {
        let conditions = try filter.conditions(in: tx)
        let sql = "SELECT count(*) FROM volume_snapshot \(conditions.clause)"
        return try tx.rows(sql, arguments: conditions.arguments).first?.value(at: 0) ?? 0
    }

    func insert(_ snapshot: VolumeSnapshot, in tx: Transaction) throws {
        try Self.map.insert(snapshot, in: tx)
        try setProperties(of: snapshot, in: tx)
    }

    /// Writes what differs between two forms of a snapshot.
    ///
    /// - Throws: `conflict` if the snapshot has another state than the old form says, or is gone.
    func update(_ old: VolumeSnapshot, to new: VolumeSnapshot, in tx: Transaction) throws {
        try write(old, to: new, in: tx)
        if old.metadata != new.metadata { try setProperties(of: new, in: tx) }
    }

    private func setProperties(of snapshot: VolumeSnapshot, in tx: Transaction) throws {
        try tx.execute("DELETE FROM volume_snapshot_property WHERE snapshot_id = ?", snapshot.id)
        guard !snapshot.metadata.isEmpty else { return }
        let rows = snapshot.metadata.members.map { _ in "(?, ?, ?)" }.joined(separator: ", ")
        try tx.execute(
            "INSERT INTO volume_snapshot_property (snapshot_id, name, value) VALUES \(rows)",
            arguments: snapshot.metadata.members.flatMap { name, value in
                [snapshot.id.sql, name.sql, (value.string ?? value.text).sql]
            })
    }

    static func noun(_ row: Row) throws -> VolumeSnapshot {
        let volume = Volume(
            id: try row.value(at: 1), projectID: "", userID: "", size: try row.value(at: 6),
            typeID: try row.value(at: 8), createdAt: try row.value(at: 14))
        var snapshot = VolumeSnapshot(
            id: try row.value(at: 0), of: volume, projectID: try row.value(at: 2), userID: try row.value(at: 3),
            createdAt: try row.value(at: 14))
        (snapshot.name, snapshot.description) = (try row.value(at: 4), try row.value(at: 5))
        snapshot.status = SnapshotStatus(rawValue: try row.value(at: 7)) ?? .error
        (snapshot.groupSnapshotID, snapshot.metadata) = (try row.value(at: 9), try row.value(at: 10))
        (snapshot.isBootable, snapshot.imageMetadata) = (try row.value(at: 11), try row.value(at: 12))
        (snapshot.generation, snapshot.updatedAt) = (try row.value(at: 13), try row.value(at: 15))
        snapshot.reportedProgress = try row.value(at: 16)
        return snapshot
    }
}

import CloudCore
import SQL

/// The rows of backups.
struct BackupStore: Sendable {
    private static let map = RowMap<VolumeBackup>(
        "volume_backup",
        [
            ("id", { $0.id }), ("project_id", { $0.projectID }), ("user_id", { $0.userID }),
            ("volume_id", { $0.volumeID }), ("snapshot_id", { $0.snapshotID }), ("parent_id", { $0.parentID }),
            ("name", { $0.name }), ("description", { $0.description }), ("container", { $0.container }),
            ("status", { $0.status.rawValue }), ("fail_reason", { $0.failReason }), ("size", { $0.size }),
            ("object_count", { $0.objectCount }), ("zone", { $0.zone }), ("metadata", { $0.metadata }),
            ("origin_name", { $0.origin.name }), ("origin_description", { $0.origin.description }),
            ("origin_metadata", { $0.origin.metadata }), ("origin_image_metadata", { $0.origin.imageMetadata }),
            ("data_at", { $0.dataAt }), ("restore_volume_id", { $0.restoreVolumeID }),
            ("manifest_id", { $0.manifestID }), ("created_at", { $0.createdAt }), ("updated_at", { $0.updatedAt }),
        ])

    /// Conditions on backups; all must hold.
    struct Filter: Sendable {
        /// The project; nil for all projects.
        var projectID: String?
        var columns = RowFilter()

        private static let selective: Set<String> = ["id", "name", "volume_id", "parent_id"]

        func conditions(in tx: Transaction) throws -> Conditions {
            var conditions = Conditions()
            let ids = try narrowed(in: tx)
            conditions.isIn("id", ids)
            // If the ids are known, the database shall begin with them and use no other index.
            conditions.equal(ids == nil ? "project_id" : "(project_id || '')", projectID)
            conditions.add(columns)
            return conditions
        }

        private func narrowed(in tx: Transaction) throws -> [String]? {
            for (column, value) in columns.equal where Self.selective.contains(column) && value != .null {
                var conditions = Conditions()
                conditions.add("\(column) = ?", [value])
                if column == "name" { conditions.equal("project_id", projectID) }
                if let ids = try RowPage.ids("id FROM volume_backup", where: conditions, in: tx) { return ids }
            }
            return nil
        }
    }

    func find(_ id: ID<VolumeBackup>, in tx: Transaction) throws -> VolumeBackup? {
        try tx.row("SELECT \(Self.map.columns) FROM volume_backup WHERE id = ?", id).map(Self.backup)
    }

    func page(_ filter: Filter, _ page: RowPage, in tx: Transaction) throws -> [VolumeBackup] {
        try page.rows(
            Self.map.columns, from: "volume_backup", where: try filter.conditions(in: tx),
            lost: { VolumeBackup.missing($0) }, in: tx
        ).map(Self.backup)
    }

    func count(_ filter: Filter, in tx: Transaction) throws -> Int {
        let conditions = try filter.conditions(in: tx)
        let sql = "SELECT count(*) FROM volume_backup \(conditions.clause)"
        return try tx.rows(sql, arguments: conditions.arguments).first?.value(at: 0) ?? 0
    }

    /// Returns the newest whole backup of a volume in a project, by the moment of its content.
    ///
    /// - Parameter moment: a moment before which the content must be; nil for any.
    func latest(
        of volume: ID<Kind.Volume>, project: String, before moment: Timestamp?, in tx: Transaction
    ) throws -> VolumeBackup? {
        var conditions = Conditions()
        conditions.equal("volume_id", volume.text)
        conditions.equal("project_id", project)
        conditions.equal("status", BackupStatus.available.rawValue)
        if let moment { conditions.add("data_at < ?", [moment.sql]) }
        return try tx.rows(
            "SELECT \(Self.map.columns) FROM volume_backup \(conditions.clause) ORDER BY data_at DESC, id DESC LIMIT 1",
            arguments: conditions.arguments
        ).first.map(Self.backup)
    }

    /// Returns whether a backup was made after this one as an incremental one, in whatever state it is.
    func hasChildren(_ id: ID<VolumeBackup>, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT id FROM volume_backup WHERE parent_id = ? LIMIT 1", id) != nil
    }

    /// Returns those of the backups after which a whole incremental one was made.
    func parents(among ids: [ID<VolumeBackup>], in tx: Transaction) throws -> Set<ID<VolumeBackup>> {
        Set(
            try tx.pieces(of: ids.map(\.sql)).flatMap { list, arguments in
                try tx.rows(
                    """
                    SELECT DISTINCT parent_id FROM volume_backup
                    WHERE parent_id \(list) AND status <> 'creating' AND manifest_id IS NOT NULL
                    """, arguments: arguments)
            }.map { try $0.value(at: 0) as ID<VolumeBackup> })
    }

    /// Returns whether a backup has the list of pieces.
    func uses(_ manifest: ID<BackupManifest>, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT id FROM volume_backup WHERE manifest_id = ? LIMIT 1", manifest) != nil
    }

    func insert(_ backup: VolumeBackup, in tx: Transaction) throws { try Self.map.insert(backup, in: tx) }

    /// Writes what differs between two forms of a backup.
    ///
    /// - Throws: `conflict` if the backup has another state than the old form says, or is gone.
    func update(_ old: VolumeBackup, to new: VolumeBackup, in tx: Transaction) throws {
        guard try Self.map.update(old, to: new, guards: ["status"], in: tx) else {
            throw CloudError.conflict("Backup \(old.id) was changed by another request.")
        }
    }

    func delete(_ id: ID<VolumeBackup>, in tx: Transaction) throws {
        try tx.execute("DELETE FROM volume_backup WHERE id = ?", id)
    }

    private static func backup(_ row: Row) throws -> VolumeBackup {
        var backup = VolumeBackup(
            id: try row.value(at: 0), of: try row.value(at: 3), size: try row.value(at: 11),
            projectID: try row.value(at: 1), userID: try row.value(at: 2), createdAt: try row.value(at: 22))
        (backup.snapshotID, backup.parentID) = (try row.value(at: 4), try row.value(at: 5))
        (backup.name, backup.description) = (try row.value(at: 6), try row.value(at: 7))
        backup.container = try row.value(at: 8)
        backup.status = BackupStatus(rawValue: try row.value(at: 9)) ?? .error
        (backup.failReason, backup.objectCount) = (try row.value(at: 10), try row.value(at: 12))
        (backup.zone, backup.metadata) = (try row.value(at: 13), try row.value(at: 14))
        backup.origin = VolumeBackup.Origin(
            name: try row.value(at: 15), description: try row.value(at: 16), metadata: try row.value(at: 17),
            imageMetadata: try row.value(at: 18))
        (backup.dataAt, backup.restoreVolumeID) = (try row.value(at: 19), try row.value(at: 20))
        (backup.manifestID, backup.updatedAt) = (try row.value(at: 21), try row.value(at: 23))
        return backup
    }
}

import Access
import CloudCore
import Durable
import SQL

/// The backups: making, finding, changing and deleting them.
struct BackupService: Sendable {
    let volumes: VolumeService
    let rules = BackupRules()
    private var backups: BackupStore { rules.backups }
    var context: BlockStorageContext { volumes.context }

    init(volumes: VolumeService) { self.volumes = volumes }

    // MARK: Finding

    func get(_ id: ID<VolumeBackup>, by caller: Caller) async throws -> BackupView {
        try await context.read { tx in try views([try rules.require(id, by: caller, in: tx)], in: tx)[0] }
    }

    private func views(_ found: [VolumeBackup], in tx: Transaction) throws -> [BackupView] {
        let parents = try backups.parents(among: found.map(\.id), in: tx)
        return found.map { BackupView(backup: $0, hasDependents: parents.contains($0.id)) }
    }

    /// The first minor version whose lists are sorted by names.
    private static let nameSince = 37

    func list(
        _ query: ListRequest, by caller: Caller
    ) async throws -> (backups: [BackupView], count: Int?) {
        try caller.require(.listBackups)
        var filters = try ListFilters(query.filters, of: "backup", by: caller)
        var filter = BackupStore.Filter(projectID: try filters.takeProject())
        filter.columns = try filters.columns(ListColumn.backups)
        var columns = ListColumn.backups
        if caller.minor < Self.nameSince { columns["name"] = nil }
        let page = try RowPage(query.page, by: query.sort, columns)
        return try await context.read { [filter] tx in
            let found = try views(backups.page(filter, page, in: tx), in: tx)
            return (found, try query.hasCount ? backups.count(filter, in: tx) : nil)
        }
    }

    // MARK: Making

    /// The backup that a user asks for.
    struct Wish: Sendable {
        var volumeID = ""
        var snapshotID: String?
        var name: String?
        var description: String?
        var container: String?
        var isIncremental = false
        var isForced = false
        var metadata = JSONObject()
        var zone: String?
    }

    func create(_ wish: Wish, by caller: Caller) async throws -> VolumeBackup {
        let (id, manifestID) = (context.world.random.uuid(), context.world.random.uuid())
        return try await context.write { tx in
            let volume = try volumes.require(ID(wish.volumeID), by: caller, in: tx)
            try caller.require(.createBackup, of: volume.projectID)
            let snapshot = try wish.snapshotID.map { try SnapshotRules().require(ID($0), by: caller, in: tx) }
            if let snapshot { try require(snapshot, of: volume) } else { try require(volume, wish) }
            try rules.requireRoom(forGiB: volume.size, of: caller.projectID, in: tx)
            var backup = VolumeBackup(
                id: ID(id), of: volume.id, size: volume.size, projectID: caller.projectID, userID: caller.userID,
                createdAt: context.world.now)
            if wish.isIncremental {
                backup.parentID = try parent(of: volume, snapshot, by: caller, in: tx).id
            }
            (backup.name, backup.description, backup.container) = (wish.name, wish.description, wish.container)
            (backup.metadata, backup.zone, backup.snapshotID) = (wish.metadata, wish.zone, snapshot?.id)
            backup.dataAt = snapshot?.createdAt ?? backup.createdAt
            backup.origin = VolumeBackup.Origin(
                name: volume.name, description: volume.description, metadata: volume.metadata,
                imageMetadata: volume.imageMetadata)
            backup.manifestID = ID(manifestID)
            try begin(backup, of: volume, snapshot, by: caller, in: tx)
            return backup
        }
    }

    /// Writes the rows of a new backup, and starts its workflow.
    private func begin(
        _ backup: VolumeBackup, of volume: Volume, _ snapshot: VolumeSnapshot?, by caller: Caller, in tx: Transaction
    ) throws {
        if let snapshot {
            var busy = snapshot
            (busy.status, busy.updatedAt) = (.backingUp, context.world.now)
            try volumes.snapshots.update(snapshot, to: busy, in: tx)
        } else {
            try volumes.change(volume, in: tx) { volume, _ in
                (volume.status, volume.previousStatus) = (.backingUp, volume.status)
            }
        }
        let manifestID = try backup.manifestID.required("manifest", from: "create")
        try rules.manifests.insert(BackupManifest(id: manifestID, projectID: backup.projectID), in: tx)
        try backups.insert(backup, in: tx)
        let input = CreateBackup.Input(backupID: backup.id, volumeID: volume.id, snapshotID: snapshot?.id)
        try context.start(CreateBackup.self, input, on: backup.resource, by: caller, in: tx)
    }

    private func require(_ snapshot: VolumeSnapshot, of volume: Volume) throws {
        guard snapshot.volumeID == volume.id else {
            throw VolumeRefusal.volume(
                "Volume \(volume.id) does not match with snapshot.volume_id \(snapshot.volumeID).")
        }
        guard snapshot.status == .available else {
            throw VolumeRefusal.snapshot(
                "Snapshot to be backed up must be available, but the current status is "
                    + "\"\(snapshot.status.rawValue)\".")
        }
    }

    private func require(_ volume: Volume, _ wish: Wish) throws {
        guard [.available, .inUse].contains(volume.status) else {
            throw VolumeRefusal.volume(
                "Volume to be backed up must be available or in-use, but the current status is "
                    + "\"\(volume.status.shown)\".")
        }
        guard volume.status == .available || wish.isForced else {
            throw VolumeRefusal.volume("Backing up an in-use volume must use the force flag.")
        }
        guard !volume.isMigrating, volume.host != nil else {
            throw VolumeRefusal.volume("Volume to be backed up must not be migrating.")
        }
    }

    /// Returns the backup after which an incremental one is made: the one with the newest content.
    private func parent(
        of volume: Volume, _ snapshot: VolumeSnapshot?, by caller: Caller, in tx: Transaction
    ) throws -> VolumeBackup {
        let found = try backups.latest(
            of: volume.id, project: caller.projectID, before: snapshot?.createdAt, in: tx)
        guard let found else { throw VolumeRefusal.backup("No backups available to do an incremental backup.") }
        return found
    }

    // MARK: Changing

    /// The values that a user gives with a change.
    struct Change: Sendable {
        var name = Update<String>.keep
        var description = Update<String>.keep
        /// The metadata that replaces the present one; nil to keep it.
        var metadata: JSONObject?
    }

    func update(_ id: ID<VolumeBackup>, _ change: Change, by caller: Caller) async throws -> VolumeBackup {
        try await self.change(id, .updateBackup, by: caller) { backup in
            change.name.apply(to: &backup.name)
            change.description.apply(to: &backup.description)
            if let metadata = change.metadata { backup.metadata = metadata }
        }
    }

    /// Sets the state of a backup.
    ///
    /// - Parameter text: a word of the API.
    func reset(_ id: ID<VolumeBackup>, to text: String, by caller: Caller) async throws {
        guard let status = BackupStatus(rawValue: text.lowercased()), BackupStatus.resettable.contains(status) else {
            let valid = BackupStatus.resettable.map { "'\($0.rawValue)'" }.joined(separator: ", ")
            throw CloudError.badRequest(
                "Backup status: \(text.prefix(255)) is invalid, valid statuses are: [\(valid)].")
        }
        _ = try await change(id, .resetBackup, by: caller) { $0.status = status }
    }

    private func change(
        _ id: ID<VolumeBackup>, _ action: Action, by caller: Caller,
        _ body: @escaping @Sendable (inout VolumeBackup) -> Void
    ) async throws -> VolumeBackup {
        try await context.write { tx in
            let old = try rules.require(id, by: caller, in: tx)
            try caller.require(action, of: old.projectID)
            var new = old
            body(&new)
            new.updatedAt = context.world.now
            try backups.update(old, to: new, in: tx)
            return new
        }
    }

    // MARK: Deleting

    /// Deletes a backup. Its bytes stay until the grace time is over.
    ///
    /// - Parameter isForced: whether it goes in any state.
    func delete(_ id: ID<VolumeBackup>, isForced: Bool, by caller: Caller) async throws {
        try await context.write { tx in
            let old = try rules.require(id, by: caller, in: tx)
            if isForced { try caller.require(.forceDeleteBackup, of: old.projectID) }
            try caller.require(.deleteBackup, of: old.projectID)
            guard isForced || BackupStatus.deletable.contains(old.status) else {
                throw VolumeRefusal.backup("Backup status must be available or error")
            }
            guard try !backups.hasChildren(id, in: tx) else {
                throw VolumeRefusal.backup("Incremental backups exist for this backup.")
            }
            var new = old
            (new.status, new.updatedAt) = (.deleting, context.world.now)
            try backups.update(old, to: new, in: tx)
            try context.start(
                DeleteBackup.self, .init(backupID: id), on: old.resource, by: caller, whenBusy: .supersede, in: tx)
        }
    }
}

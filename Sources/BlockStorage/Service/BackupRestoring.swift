import CloudCore
import Durable
import SQL

/// The way back: from a backup to a volume.
struct BackupRestoring: Sendable {
    let volumes: VolumeService
    private let rules = BackupRules()
    private var context: BlockStorageContext { volumes.context }

    init(volumes: VolumeService) { self.volumes = volumes }

    /// The volume that a user wants to have the content.
    struct Wish: Sendable {
        /// The volume that is overwritten; nil for a new one.
        var volumeID: String?
        /// The name of a new volume.
        var name: String?
    }

    func restore(
        _ id: ID<VolumeBackup>, _ wish: Wish, by caller: Caller
    ) async throws -> (backup: VolumeBackup, volume: Volume) {
        await context.needs.hosts.refresh()
        let newID = ID<Kind.Volume>(context.world.random.uuid())
        return try await context.write { tx in
            let backup = try rules.require(id, by: caller, in: tx)
            try caller.require(.restoreBackup, of: backup.projectID)
            guard backup.status == .available, backup.manifestID != nil else {
                throw VolumeRefusal.backup("Backup status must be available")
            }
            guard let text = wish.volumeID else {
                let name = wish.name ?? "\(Self.newName)\(id)"
                let new = try VolumeCreation(service: volumes).create(
                    newID, from: backup, named: name, by: caller, in: tx)
                return (backup, new.volume)
            }
            let volume = try overwritten(ID(text), by: backup, caller, in: tx)
            try begin(backup, into: volume, terms: nil, by: caller, in: tx)
            return (backup, volume)
        }
    }

    /// The beginning of the name of a volume that was made for a backup.
    static let newName = "restore_backup_"
    /// The description of such a volume.
    static let newDescription = "auto-created_from_restore_from_backup"

    private func overwritten(
        _ id: ID<Kind.Volume>, by backup: VolumeBackup, _ caller: Caller, in tx: Transaction
    ) throws -> Volume {
        let volume = try volumes.require(id, by: caller, in: tx)
        guard volume.status == .available, !volume.isMigrating else {
            throw VolumeRefusal.volume("Volume to be restored to must be available")
        }
        guard backup.size <= volume.size else {
            throw VolumeRefusal.volume(
                "volume size \(volume.size) is too small to restore backup of size \(backup.size).")
        }
        try volumes.requireThawed(volume, in: tx)
        return try volumes.change(volume, in: tx) { volume, _ in
            (volume.status, volume.previousStatus) = (.restoringBackup, volume.status)
        }
    }

    /// Marks a backup as `restoring`, and starts the workflow that gives its content to a volume.
    ///
    /// - Parameter terms: the demands on the pool of a new volume; nil for a volume that has its place.
    func begin(
        _ backup: VolumeBackup, into volume: Volume, terms: CreateVolume.Terms?, by caller: Caller, in tx: Transaction
    ) throws {
        var busy = backup
        (busy.status, busy.restoreVolumeID, busy.updatedAt) = (.restoring, volume.id, context.world.now)
        try rules.backups.update(backup, to: busy, in: tx)
        let input = RestoreBackup.Input(backupID: backup.id, volumeID: volume.id, terms: terms)
        try context.start(RestoreBackup.self, input, on: volume.resource, by: caller, in: tx)
    }
}

import CloudCore
import SQL

/// The rules that all that is done with backups shares.
struct BackupRules: Sendable {
    let backups = BackupStore()
    let manifests = BackupManifestStore()

    /// - Throws: `notFound` if there is none, or if it is not of the caller's project.
    func require(_ id: ID<VolumeBackup>, by caller: Caller, in tx: Transaction) throws -> VolumeBackup {
        guard let backup = try backups.find(id, in: tx), caller.sees(backup.projectID) else {
            throw VolumeBackup.missing(id)
        }
        try caller.require(.getBackup, of: backup.projectID)
        return backup
    }

    /// Checks that a project may have one more backup.
    ///
    /// - Throws: `tooLarge`.
    func requireRoom(forGiB size: Int, of project: String, in tx: Transaction) throws {
        var addition = QuotaCheck.Addition(backups: 1, backupGigabytes: size)
        (addition.requested, addition.thing) = (size, .backups)
        try QuotaCheck().require(addition, of: project, in: tx)
    }

    /// Frees a list of pieces unless another backup has it, too. The keeper removes it after the grace time.
    func release(_ id: ID<BackupManifest>, at now: Timestamp, in tx: Transaction) throws {
        if try !backups.uses(id, in: tx) { try manifests.free(id, at: now, in: tx) }
    }
}

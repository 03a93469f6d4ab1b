import CloudCore
import HTTPKit

/// The form of backups in answers, by microversion.
struct BackupWire: Sendable {
    private let links: Links
    private let caller: Caller

    init(_ call: VolumeCall) {
        links = Links(call)
        caller = call.caller
    }

    func brief(_ backup: VolumeBackup, _ json: inout JSONWriter) {
        json.member("id", backup.id)
        json.member("name", backup.name)
        links.write(&json, "backups", backup.id.text)
    }

    private static let projectSince = 18
    private static let metadataSince = 43
    private static let userSince = 56

    /// Writes a backup. No backup is encrypted yet, so none has an `encryption_key_id`, which the reference leaves out.
    func write(_ view: BackupView, _ json: inout JSONWriter) {
        let backup = view.backup
        json.member("id", backup.id)
        json.member("status", backup.status.rawValue)
        json.member("size", backup.size)
        json.member("object_count", backup.objectCount)
        json.member("availability_zone", backup.zone)
        json.member("container", backup.container)
        json.member("created_at", backup.createdAt.iso8601MicrosecondsNoZone)
        json.member("updated_at", backup.updatedAt?.iso8601MicrosecondsNoZone)
        json.member("name", backup.name)
        json.member("description", backup.description)
        json.member("fail_reason", backup.failReason)
        json.member("volume_id", backup.volumeID)
        links.write(&json, "backups", backup.id.text)
        json.member("is_incremental", backup.parentID != nil)
        json.member("has_dependent_backups", view.hasDependents)
        json.member("snapshot_id", backup.snapshotID)
        json.member("data_timestamp", backup.dataAt.iso8601MicrosecondsNoZone)
        if caller.minor >= Self.metadataSince { json.object("metadata") { $0.members(of: backup.metadata) } }
        guard caller.minor >= Self.projectSince, caller.may(.showBackupProject, of: backup.projectID) else { return }
        json.member("os-backup-project-attr:project_id", backup.projectID)
        if caller.minor >= Self.userSince { json.member("user_id", backup.userID) }
    }
}

/// A backup with what an answer shows besides.
struct BackupView: Sendable {
    var backup: VolumeBackup
    /// Whether a whole backup was made after this one as an incremental one.
    var hasDependents: Bool
}

import Drivers

/// The sources from which hosts fetch bytes.
struct HostSources: Sendable {
    var images: ImageSource
    var backups: BackupSource
}

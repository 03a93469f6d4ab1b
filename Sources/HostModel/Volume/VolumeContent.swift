/// The bytes with which a volume begins.
package enum VolumeContent: Hashable, Sendable, Codable {
    /// Zeros.
    case nothing
    /// An image, which the host fetches if it does not have it. The bytes behind its end are zeros.
    case image(ImageReference)
    /// The present bytes of another volume of the same host. If a guest writes to it, they are those of one moment.
    case volume(VolumeID)
    case snapshot(SnapshotID)
    /// The content of a backup, which the host fetches. The bytes behind its end are zeros.
    case backup(BackupReference)
}

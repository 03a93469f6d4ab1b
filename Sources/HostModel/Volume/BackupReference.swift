/// The reference to the content of a backup, by which a host asks for its bytes.
package struct BackupReference: Hashable, Sendable, Codable {
    /// The id of the list of the content's pieces.
    package var manifest: String
    /// The id of the backup, for people.
    package var backup: String
    /// The size of the content in bytes.
    package var bytes: Int64

    package init(manifest: String, backup: String, bytes: Int64) {
        self.manifest = manifest
        self.backup = backup
        self.bytes = bytes
    }
}

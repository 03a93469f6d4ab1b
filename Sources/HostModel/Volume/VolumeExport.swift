/// The bytes of a volume or a snapshot in a file that can be read, such as for an image.
package struct VolumeExport: Hashable, Sendable, Codable {
    package var progress: VolumeProgress
    /// The flat copy; nil until it is whole.
    package var copy: DiskSnapshot?

    package init(progress: VolumeProgress, copy: DiskSnapshot? = nil) {
        self.progress = progress
        self.copy = copy
    }
}

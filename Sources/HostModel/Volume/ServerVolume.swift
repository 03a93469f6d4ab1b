import CloudCore

/// A volume of a server, as Compute and Block Storage tell each other.
package struct ServerVolume: Sendable, Hashable, Codable {
    package var attachmentID: String
    package var volumeID: VolumeID
    package var sizeGiB: Int
    /// The number that the host checks: of two attachments of one volume the later one has the higher number.
    package var epoch: Int64
    /// The host that has the volume's bytes; nil before it has a place.
    package var host: String?
    /// The place in the server, such as `/dev/vdb`; nil before it is known.
    package var device: String?
    package var isReadOnly = false
    /// Whether other machines may use the volume at the same time.
    package var isShared = false
    package var isBootable = false
    /// Whether the machine has the disk.
    package var isAttached = false
    /// The properties of the image that the volume was made from.
    package var imageProperties: [String: String] = [:]

    package init(attachmentID: String, volumeID: VolumeID, sizeGiB: Int, epoch: Int64) {
        self.attachmentID = attachmentID
        self.volumeID = volumeID
        self.sizeGiB = sizeGiB
        self.epoch = epoch
    }
}

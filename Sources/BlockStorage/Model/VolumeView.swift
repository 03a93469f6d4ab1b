/// A volume with what an answer shows besides.
struct VolumeView: Sendable {
    var volume: Volume
    var typeName: String
    /// The attachments that are attached.
    var attachments: [VolumeAttachment] = []
    /// Whether the volume's group is a consistency group, which an older member of answers shows.
    var isInConsistencyGroup = false
    /// The part of the running copy that is done, in per cent; nil if nothing is copied.
    var progress: Int?
}

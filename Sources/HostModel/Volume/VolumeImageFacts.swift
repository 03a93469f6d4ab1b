package import CloudCore

/// The facts about an image that matter for making a volume.
package struct VolumeImageFacts: Sendable, Hashable, Codable {
    package var id: ID<Kind.Image>
    package var name: String
    package var isActive: Bool
    package var minDiskGiB = 0
    package var minMemoryMiB = 0
    package var sizeBytes: Int64
    package var virtualBytes: Int64?
    package var diskFormat: String?
    package var containerFormat: String?
    package var checksum: String?
    /// The properties whose values are texts.
    package var properties: [String: String] = [:]

    package init(id: ID<Kind.Image>, name: String, isActive: Bool, sizeBytes: Int64) {
        self.id = id
        self.name = name
        self.isActive = isActive
        self.sizeBytes = sizeBytes
    }
}

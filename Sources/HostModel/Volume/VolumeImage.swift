package import CloudCore

/// An image that is made of a volume.
package struct VolumeImage: Sendable, Hashable, Codable {
    package var id: ID<Kind.Image>
    package var name: String
    package var diskFormat = "raw"
    package var containerFormat = "bare"
    package var visibility = "private"
    package var isProtected = false
    package var minDiskGiB = 0
    package var properties: [String: String] = [:]

    package init(id: ID<Kind.Image>, name: String) {
        self.id = id
        self.name = name
    }
}

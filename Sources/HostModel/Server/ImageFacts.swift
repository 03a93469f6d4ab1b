package import CloudCore

/// The facts about an image that matter for creating a server.
package struct ImageFacts: Sendable, Hashable {
    package var id: ID<Kind.Image>
    package var name: String
    package var isActive = true
    package var minDiskGiB = 0
    package var minMemoryMiB = 0
    package var sizeBytes: Int64 = 0
    /// The properties whose values are texts.
    package var properties: [String: String] = [:]

    package init(id: ID<Kind.Image>, name: String) {
        self.id = id
        self.name = name
    }
}

/// An image that is created from a server's disk.
package struct NewImage: Sendable, Hashable, Codable {
    package var id: ID<Kind.Image>
    package var name: String
    package var minDiskGiB: Int
    package var properties: [String: String]
    /// Whether the image gets no bytes: its properties name the snapshots that volumes are made of.
    @Defaulted<Default.False> package var hasNoBytes = false

    package init(id: ID<Kind.Image>, name: String, minDiskGiB: Int, properties: [String: String]) {
        self.id = id
        self.name = name
        self.minDiskGiB = minDiskGiB
        self.properties = properties
    }
}

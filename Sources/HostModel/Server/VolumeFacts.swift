package import CloudCore

/// The facts about a volume, or about a snapshot, that a server's disk is made of.
package struct VolumeFacts: Sendable, Hashable {
    package var sizeGiB: Int
    /// The state of the volume, in the words of the API.
    package var status = "available"
    /// Whether a server may start from the volume.
    package var isBootable: Bool
    /// Whether several servers may use the volume at the same time.
    package var isMultiattach: Bool
    /// The properties of the image that the bytes come from, as the image has them.
    package var imageProperties: [String: String]
    /// The least disk and the least memory that the image wants.
    package var minDiskGiB: Int
    package var minMemoryMiB: Int
    /// The host whose machines can use the volume; nil if those of every host can, or if the volume has no place yet.
    package var host: String?

    package init(
        sizeGiB: Int, isBootable: Bool = false, isMultiattach: Bool = false, imageProperties: [String: String] = [:],
        host: String? = nil
    ) {
        self.sizeGiB = sizeGiB
        self.isBootable = isBootable
        self.isMultiattach = isMultiattach
        self.imageProperties = imageProperties
        self.host = host
        minDiskGiB = 0
        minMemoryMiB = 0
    }
}

/// A volume that is to be made for a server.
package struct NewVolume: Sendable, Hashable, Codable {
    /// The bytes with which a new volume begins.
    package enum Source: Sendable, Hashable, Codable {
        case nothing
        case image(ID<Kind.Image>)
        case snapshot(ID<Kind.Snapshot>)
    }

    package var id: ID<Kind.Volume>
    package var source: Source
    package var sizeGiB: Int
    /// The name or the id of the volume's type; nil for the usual type of the project.
    package var type: String?

    package init(id: ID<Kind.Volume>, source: Source, sizeGiB: Int, type: String?) {
        self.id = id
        self.source = source
        self.sizeGiB = sizeGiB
        self.type = type
    }
}

/// A volume that a host lets a machine use.
package struct ConnectedVolume: Sendable, Hashable {
    package var path: VolumePath
    package var isReadOnly: Bool
    package var isShared: Bool
    package var rates: DiskRates?

    package init(path: VolumePath, isReadOnly: Bool = false, isShared: Bool = false, rates: DiskRates? = nil) {
        self.path = path
        self.isReadOnly = isReadOnly
        self.isShared = isShared
        self.rates = rates
    }
}

/// The growth of a volume that servers have.
package struct VolumeGrowth: Sendable, Hashable {
    package var volume: ID<Kind.Volume>
    package var servers: [ID<Kind.Server>]
    /// The user who has made the volume larger; nil if the cloud itself did.
    package var principal: Principal?
    package var requestID: String?

    package init(
        volume: ID<Kind.Volume>, servers: [ID<Kind.Server>], principal: Principal?, requestID: String?
    ) {
        self.volume = volume
        self.servers = servers
        self.principal = principal
        self.requestID = requestID
    }
}

/// The use of a volume by a server.
package struct VolumeUse: Sendable, Hashable {
    package var attachment: ID<Kind.Attachment>
    package var volume: ID<Kind.Volume>
    package var server: ID<Kind.Server>
    /// The project of the server and of the volume.
    package var projectID: String
    /// The place in the server, such as `/dev/vdb`.
    package var device: String

    package init(
        attachment: ID<Kind.Attachment>, volume: ID<Kind.Volume>, server: ID<Kind.Server>, projectID: String,
        device: String
    ) {
        self.attachment = attachment
        self.volume = volume
        self.server = server
        self.projectID = projectID
        self.device = device
    }
}

import CloudCore
import HostModel

/// A volume that a server is to have, as the body of a request describes it.
struct VolumeWish: Sendable {
    enum Source: Sendable, Equatable {
        case volume(ID<Kind.Volume>)
        case snapshot(ID<Kind.Snapshot>)
        case image(ID<Kind.Image>)
        case blank
    }

    var source: Source
    /// The size in GiB of a volume that is to be made; nil for the size of its snapshot.
    var sizeGiB: Int?
    var type: String?
    var device: String?
    var bootIndex: Int?
    var bus: String?
    var isCD = false
    var tag: String?
    var isDeletedWithServer = false

    init(_ source: Source) { self.source = source }

    var isRoot: Bool { bootIndex == 0 }
}

/// A volume of a server that is to be made with it, or that its user has.
struct PlannedVolume: Sendable, Codable {
    var use: ServerVolume
    /// The volume to make; nil for one that the user has.
    var new: NewVolume?
}

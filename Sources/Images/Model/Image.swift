import Blobs
import CloudCore

/// An image: its owner's description of it, its data, and the places of the data.
///
///     queued --upload--> saving --> active <--reactivate-- deactivated
///        |                 '--the upload ends otherwise--> queued
///        '--stage--> uploading --import--> importing --> active
///
/// `queued`, `active` and `deactivated` are stored. The other three come from the row of whatever works on the image
/// (`image_upload`) and from data that waits for its import (`image_stage`). When that row is gone, the image has its
/// stored status again.
struct Image: Sendable {
    enum Status: String, Sendable, CaseIterable {
        case queued, saving, uploading, importing, active, deactivated

        static var stored: [Status] { [.queued, .active, .deactivated] }
    }

    enum Visibility: String, Sendable, CaseIterable {
        case community, `public`, `private`, shared
    }

    let id: ID<Kind.Image>
    var name: String?
    /// The id of the project that owns the image; nil for an image without an owner.
    var owner: String?
    var visibility = Visibility.shared
    var isProtected = false
    var isHidden = false
    var status = Status.queued
    var diskFormat: String?
    var containerFormat: String?
    /// The least memory of a server in MiB.
    var minRAM: Int64 = 0
    /// The least disk of a server in GiB.
    var minDisk: Int64 = 0
    /// The size of the data in bytes.
    var size: Int64?
    /// The size in bytes of the disk that a guest sees.
    var virtualSize: Int64?
    /// The MD5 of the data in lower case hexadecimal.
    var checksum: String?
    var hashAlgorithm: String?
    var hashValue: String?
    var createdAt: Timestamp
    var updatedAt: Timestamp

    /// The properties that callers named themselves.
    var properties: JSONObject = [:]
    var tags: [String] = []
    var locations: [Location] = []
    /// Whether the image is shared with the project of the caller.
    var isSharedWithCaller = false

    init(id: ID<Kind.Image>, createdAt: Timestamp) {
        self.id = id
        self.createdAt = createdAt
        updatedAt = createdAt
    }

    /// A place where all of the data is stored. The first location is the one that is read.
    struct Location: Sendable, Equatable {
        let id: String
        let store: String
        let blob: ContentID
        var metadata: JSONObject = [:]

        /// The URL that stands for the place in the API; it contains no path.
        var url: String { "blob://\(store)/\(blob)" }
    }

    /// Takes over the facts about the data.
    mutating func take(_ data: ImageData) {
        (size, virtualSize, checksum) = (data.size, data.virtualSize, data.md5)
        (hashAlgorithm, hashValue) = (ImageData.hashAlgorithm, data.blob.text)
    }
}

/// Complete and inspected data in a store.
struct ImageData: Sendable, Equatable {
    let blob: ContentID
    let size: Int64
    let md5: String
    /// The size in bytes of the disk in the data; nil if the format has none or does not tell.
    let virtualSize: Int64?
    /// Whether the bytes have the declared format and are safe. Unfit data stays staged, and no import takes it.
    var isFit = true

    /// The digest of the data, which is also the name of its blob.
    static let hashAlgorithm = "sha512"
}

/// A project that an image is shared with.
struct ImageMember: Sendable {
    enum Status: String, Sendable, CaseIterable { case pending, accepted, rejected }

    let imageID: ID<Kind.Image>
    let memberID: String
    var status = Status.pending
    let createdAt: Timestamp
    var updatedAt: Timestamp
}

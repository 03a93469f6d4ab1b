import Blobs
import CloudCore

/// An image as it stands: what its owner says of it, what its data is, and where that lies.
///
///     queued --upload--> saving --> active <--reactivate-- deactivated
///        |                 '--the upload ends otherwise--> queued
///        '--stage--> uploading --import--> importing --> active
///
/// `queued`, `active` and `deactivated` are stored. The other three are read from the row of whoever works on the image
/// (`image_upload`) and of data that waits for its import (`image_stage`): when that row is gone, the image is what it was.
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
    /// The id of a project; nil for an image of nobody's.
    var owner: String?
    var visibility = Visibility.shared
    var isProtected = false
    var isHidden = false
    var status = Status.queued
    var diskFormat: String?
    var containerFormat: String?
    /// MiB.
    var minRAM: Int64 = 0
    /// GiB.
    var minDisk: Int64 = 0
    /// Bytes of the data, and of the disk that a guest sees in it.
    var size: Int64?
    var virtualSize: Int64?
    /// Lower case hexadecimal MD5.
    var checksum: String?
    var hashAlgorithm: String?
    var hashValue: String?
    var createdAt: Timestamp
    var updatedAt: Timestamp

    /// What callers named themselves.
    var properties: JSONObject = [:]
    var tags: [String] = []
    var locations: [Location] = []
    /// Whether the project that asks is one of those that the image is shared with.
    var isSharedWithCaller = false

    init(id: ID<Kind.Image>, createdAt: Timestamp) {
        self.id = id
        self.createdAt = createdAt
        updatedAt = createdAt
    }

    /// One place where all of the data lies. The first is the one that is read.
    struct Location: Sendable, Equatable {
        let id: String
        let store: String
        let blob: BlobID
        var metadata: JSONObject = [:]

        /// What stands for the place in the API: nothing of it is a path.
        var url: String { "blob://\(store)/\(blob)" }
    }

    /// Takes over what is known of the data.
    mutating func take(_ data: ImageData) {
        (size, virtualSize, checksum) = (data.size, data.virtualSize, data.md5)
        (hashAlgorithm, hashValue) = (ImageData.hashAlgorithm, data.blob.text)
    }
}

/// Data that is in a store, whole and looked at.
struct ImageData: Sendable, Equatable {
    let blob: BlobID
    let size: Int64
    let md5: String
    /// Nil where the format has none, or does not tell.
    let virtualSize: Int64?
    /// Whether the bytes are what the image says, and safe. What is not stays staged, and no import takes it.
    var isFit = true

    /// A blob's name is this digest of it.
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

import CloudCore

/// A message that tells a user why an action failed that had been accepted.
struct VolumeMessage: Sendable {
    /// The kinds of things that messages are about.
    enum Subject: String, Sendable {
        case volume = "VOLUME"
        case snapshot = "VOLUME_SNAPSHOT"
        case backup = "VOLUME_BACKUP"
    }

    /// The action that failed. The number is a part of the message's event id.
    enum Action: String, Sendable {
        case schedule = "001"
        case attach = "002"
        case copyToImage = "003"
        case copyFromImage = "005"
        case extend = "007"
        case createFromBackend = "008"
        case createSnapshot = "009"
        case deleteSnapshot = "010"
        case createBackup = "013"
        case restoreBackup = "015"
        case reimage = "016"

        var words: String {
            switch self {
            case .schedule: "schedule allocate volume"
            case .attach: "attach volume"
            case .copyToImage: "copy volume to image"
            case .copyFromImage: "copy image to volume"
            case .extend: "extend volume"
            case .createFromBackend: "create volume from backend storage"
            case .createSnapshot: "create snapshot"
            case .deleteSnapshot: "delete snapshot"
            case .createBackup: "create backup"
            case .restoreBackup: "restore backup"
            case .reimage: "reimage volume"
            }
        }
    }

    /// The cause. The number is a part of the message's event id.
    enum Cause: String, Sendable {
        case unknown = "001"
        case noPool = "003"
        case upload = "004"
        case imageTooLarge = "007"
        case notExtended = "010"
        case notCreated = "012"
        case noSnapshot = "013"
        case snapshotKept = "016"
        case notBackedUp = "020"
        case notRestored = "026"
        case notReimaged = "028"

        var words: String {
            switch self {
            case .unknown: "An unknown error occurred."
            case .noPool: "Could not find any available weighted backend."
            case .upload: "Failed to upload volume to image at backend."
            case .imageTooLarge: "Image used for creating volume exceeds available space."
            case .notExtended: "Volume Driver failed to extend volume."
            case .notCreated: "Driver failed to create the volume."
            case .noSnapshot: "Snapshot failed to create."
            case .snapshotKept: "Snapshot failed to delete."
            case .notBackedUp: "Backup driver failed to create backup."
            case .notRestored: "Backup driver failed to restore backup."
            case .notReimaged: "Compute service failed to reimage volume."
            }
        }
    }

    var id: ID<VolumeMessage>
    var projectID: String
    var requestID: String?
    var subject: Subject
    var subjectID: String
    /// The kind of the thing, the action and the cause, as the reference numbers them: `VOLUME_VOLUME_001_003`.
    var eventID: String
    /// The action and the cause in words, and what is known besides.
    var text: String
    var createdAt: Timestamp
    /// The time after which the message is deleted.
    var expiresAt: Timestamp

    /// The time for which a message is kept (`message_ttl` of the reference).
    static let lifetime = Duration.seconds(30 * 86_400)

    /// Returns the message for the user of a volume that has no room for what a server writes. The reference knows no
    /// such cause.
    static func full(
        _ volume: Volume, pausing server: ID<Kind.Server>, id: ID<VolumeMessage>, at now: Timestamp
    ) -> VolumeMessage {
        let (action, cause) = (Action.attach, Cause.unknown)
        return VolumeMessage(
            id: id, projectID: volume.projectID, requestID: nil, subject: .volume, subjectID: volume.id.text,
            eventID: "VOLUME_\(Subject.volume.rawValue)_\(action.rawValue)_\(cause.rawValue)",
            text: "\(action.words):The pool of the volume is full. Server \(server) is paused until there is room.",
            createdAt: now, expiresAt: now + lifetime)
    }

    static func missing(_ id: some CustomStringConvertible) -> CloudError {
        .notFound("Message \(id) could not be found.")
    }
}

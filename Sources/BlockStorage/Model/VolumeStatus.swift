/// The state of a volume, as the API shows it. Actions lead from state to state, and a failed workflow leads back.
///
/// ```
///   action             from                          while it runs   to
///   create             -                             creating        available; undone, error
///   create from image  -                             downloading     available; undone, error
///   delete             available, error…             deleting        the volume is gone
///   extend             available                     extending       available; undone, error_extending
///   extend (3.42)      in-use                        extending       in-use; undone, error_extending
///   retype             available, in-use             retyping        the same as before
///   revert             available                     reverting       available; undone, error
///   reimage            available, error, reserved    downloading     the same as before; undone, error
///   reserve            available; multiattach in-use attaching       available, in-use
///   attachment         available; multiattach in-use reserved        attaching, then in-use
///   begin detaching    in-use                        detaching       available, in-use
///   transfer           available                     awaiting-…      available
///   migrate            available                     available       the same as before
///   migrate, locked    available                     maintenance     the same as before
///   retype, with move  available                     retyping        the same as before
///   manage             -                             managing        available; undone, error_managing
///   unmanage           available, error…             unmanaging      the volume is gone, and its bytes stay
///   backup             available, in-use             backing-up      the same as before
///   restore            available; a new volume       restoring-…     available; undone, error_restoring
///   create from backup -                             creating        available; undone, error
/// ```
///
/// A migration has a state of its own (`Volume.migration`).
enum VolumeStatus: String, Sendable, Codable, CaseIterable {
    case creating, available, deleting, error
    case errorDeleting = "error_deleting"
    case errorManaging = "error_managing"
    case managing, attaching
    case inUse = "in-use"
    case detaching, maintenance
    case restoringBackup = "restoring-backup"
    case errorRestoring = "error_restoring"
    case reserved
    case awaitingTransfer = "awaiting-transfer"
    case backingUp = "backing-up"
    case errorBackingUp = "error_backing-up"
    case errorExtending = "error_extending"
    case downloading, uploading, retyping, extending
    /// The two states that the reference uses and that its list of states lacks: no reset leads to them.
    case reverting, unmanaging

    /// The states that a reset may name.
    static let resettable = allCases.filter { $0 != .reverting && $0 != .unmanaging }

    /// The state as the API shows it: a volume that is being taken over looks like one that is being created.
    var shown: String {
        switch self {
        case .managing: "creating"
        case .errorManaging: "error"
        default: rawValue
        }
    }

    /// Whether the state tells of a failure.
    var isError: Bool { rawValue.contains("error") }

    /// The states from which a volume may be deleted without force.
    static let deletable: [VolumeStatus] = [.available, .error, .errorRestoring, .errorExtending, .errorManaging]
}

/// Whether a volume is attached, and the state of one attachment.
enum AttachStatus: String, Sendable, Codable, CaseIterable {
    case attached, attaching, detached, detaching, reserved
    case errorAttaching = "error_attaching"
    case errorDetaching = "error_detaching"
    case deleted
}

import CloudCore

/// The offer of a volume to whoever has the key. It ends when it is accepted or deleted, and then has no row any more.
struct VolumeTransfer: RowNoun {
    static let word = "Transfer"

    let id: ID<VolumeTransfer>
    var volumeID: ID<Kind.Volume>
    /// The project that offers the volume.
    var projectID: String
    var name: String?
    /// Whether the volume's snapshots stay with the project that offers it.
    var leavesSnapshots: Bool
    var lock: TransferKey.Lock
    var createdAt: Timestamp
}

import CloudCore

/// An attachment: the right of a server, or of a host without a server, to use a volume.
///
/// ```
///   reserved ──(connector)──▶ attaching ──(os-complete, or the server's own step)──▶ attached
///      ▲                                                                                │
///   attachments, reserve                                     detaching ◀────────────────┘
/// ```
///
/// An attachment that is detached has no row any more.
struct VolumeAttachment: RowNoun {
    static let word = "Attachment"

    let id: ID<VolumeAttachment>
    var volumeID: ID<Kind.Volume>
    var projectID: String
    /// The server that the attachment is for; nil for a host without a server.
    var serverID: ID<Kind.Server>?
    /// The host that the attachment was made for, as the connector names it.
    var host: String?
    /// The place in the server, such as `/dev/vdb`.
    var mountpoint: String?
    var status: AttachStatus
    /// `rw`, `ro` or, if nothing was said, `null`, as the reference writes it.
    var mode: String?
    /// The connector as it was given; empty before it was.
    var connector = JSONObject()
    /// Whether the attachment has a connection, so that its user may use the bytes.
    var isConnected = false
    /// Whether Compute's rows know the attachment. It is ended by Compute alone.
    var isServers = false
    /// The number that the host checks: of two attachments of one volume the later one has the higher number.
    var epoch: Int64
    var attachedAt: Timestamp?
    var createdAt: Timestamp
    var updatedAt: Timestamp?

    init(
        id: ID<VolumeAttachment>, volume: Volume, serverID: ID<Kind.Server>?, status: AttachStatus, epoch: Int64,
        createdAt: Timestamp
    ) {
        self.id = id
        volumeID = volume.id
        projectID = volume.projectID
        self.serverID = serverID
        self.status = status
        self.epoch = epoch
        self.createdAt = createdAt
    }

    static func missing(_ id: some CustomStringConvertible) -> CloudError {
        .notFound("Volume attachment could not be found with filter: attachment_id = \(id).")
    }
}

package import CloudCore
package import HostModel
package import SQL

/// The functions for Compute, within Compute's own transactions: the volume, the attachment and the server's disk
/// change together.
///
/// The rights of the server's user were checked before, and volumes are found in the server's own project alone.
extension BlockStorageAssembly {
    private var rules: AttachmentRules { AttachmentRules(world: context.world) }

    /// Reserves a volume for a server. The attachment is Compute's: nobody else can end it once it is connected.
    ///
    /// - Throws: `notFound` for a volume that is not of the project; `badRequest` for one that cannot be attached.
    package func reserve(
        _ volume: VolumeID, for server: ID<Kind.Server>, of project: String, isReadOnly: Bool, in tx: Transaction
    ) throws -> ServerVolume {
        guard let found = try rules.volumes.find(volume, in: tx), found.projectID == project else {
            throw Volume.missing(volume)
        }
        let new = try rules.reserve(found, for: server, mode: isReadOnly ? "ro" : "rw", isServers: true, in: tx)
        return ServerVolume(new, found)
    }

    /// Gives an attachment its host and its place in the server.
    ///
    /// - Returns: the attachment with the connection that the host is told.
    package func connect(
        _ id: String, on host: String, device: String?, in tx: Transaction
    ) throws -> ServerVolume {
        let (attachment, volume) = try require(id, in: tx)
        var connector: JSONObject = ["host": .string(host)]
        if let device { connector["mountpoint"] = .string(device) }
        let new = try rules.connect(attachment, connector, of: volume, in: tx)
        return ServerVolume(new, volume)
    }

    /// Notes that the machine has the disk.
    package func complete(_ id: String, in tx: Transaction) throws {
        let (attachment, volume) = try require(id, in: tx)
        try rules.complete(attachment, of: volume, in: tx)
    }

    /// Keeps others from the volume while it is taken from the machine.
    package func beginDetaching(_ id: String, in tx: Transaction) throws {
        try rules.beginDetaching(try require(id, in: tx).volume, in: tx)
    }

    /// Takes `beginDetaching` back: the machine has kept the disk.
    package func rollDetaching(_ id: String, in tx: Transaction) throws {
        try rules.rollDetaching(try require(id, in: tx).volume, in: tx)
    }

    /// Ends an attachment after the host has closed the volume. Without effect if there is none.
    package func end(_ id: String, in tx: Transaction) throws {
        guard let attachment = try rules.attachments.find(ID(id), in: tx),
            let volume = try rules.volumes.find(attachment.volumeID, in: tx)
        else { return }
        try rules.end(attachment, of: volume, in: tx)
    }

    /// Returns the attachments of servers that Compute keeps, the oldest first.
    package func volumes(of servers: [ID<Kind.Server>], in tx: Transaction) throws -> [ID<Kind.Server>: [ServerVolume]]
    {
        let attachments = try rules.attachments.list(of: servers, in: tx).filter(\.isServers)
        let volumes = Dictionary(
            try rules.volumes.find(Set(attachments.map(\.volumeID)).sorted(), in: tx).map { ($0.id, $0) }
        ) { first, _ in first }
        var found: [ID<Kind.Server>: [ServerVolume]] = [:]
        for attachment in attachments {
            guard let server = attachment.serverID, let volume = volumes[attachment.volumeID] else { continue }
            found[server, default: []].append(ServerVolume(attachment, volume))
        }
        return found
    }

    private func require(_ id: String, in tx: Transaction) throws -> (attachment: VolumeAttachment, volume: Volume) {
        guard let attachment = try rules.attachments.find(ID(id), in: tx) else {
            throw VolumeAttachment.missing(id)
        }
        guard let volume = try rules.volumes.find(attachment.volumeID, in: tx) else {
            throw Volume.missing(attachment.volumeID)
        }
        return (attachment, volume)
    }
}

extension ServerVolume {
    fileprivate init(_ attachment: VolumeAttachment, _ volume: Volume) {
        self.init(attachmentID: attachment.id.text, volumeID: volume.id, sizeGiB: volume.size, epoch: attachment.epoch)
        (host, device) = (volume.host, attachment.mountpoint)
        (isReadOnly, isShared) = (attachment.mode == "ro", volume.isMultiattach)
        (isBootable, isAttached) = (volume.isBootable, attachment.status == .attached)
        let texts = volume.imageMetadata.members.compactMap { name, value in value.string.map { (name, $0) } }
        imageProperties = Dictionary(texts) { first, _ in first }
    }
}

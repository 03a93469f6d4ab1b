import CloudCore
import SQL

/// The changes of attachments. Each changes the volume and the attachment together, in the caller's transaction. The
/// API, the old way of attaching and Compute use the same ones.
struct AttachmentRules: Sendable {
    let volumes = VolumeStore()
    let attachments = AttachmentStore()
    let world: World

    // MARK: Reserving

    /// The states in which a volume can be reserved.
    private static func reservable(_ volume: Volume) -> [VolumeStatus] {
        volume.isMultiattach ? [.available, .inUse, .downloading] : [.available, .downloading]
    }

    /// Reserves a volume for a server or a host: nobody else can have it until the attachment ends.
    ///
    /// - Parameters:
    ///   - mode: `rw`, `ro` or `null`; a read-only volume is always `ro`.
    ///   - isServers: whether Compute keeps the attachment.
    ///   - id: the attachment's id; nil for a random one.
    func reserve(
        _ volume: Volume, for server: ID<Kind.Server>?, mode: String?, isServers: Bool,
        id: ID<VolumeAttachment>? = nil, in tx: Transaction
    ) throws -> VolumeAttachment {
        guard !volume.status.isError else {
            throw VolumeRefusal.volume(
                "Volume attachments can not be created if the volume is in an error state. The Volume \(volume.id) "
                    + "currently has a status of: \(volume.status.rawValue) ")
        }
        try requireStill(volume)
        let states = Self.reservable(volume)
        if states.contains(volume.status) {
            try change(volume, in: tx) { $0.status = .reserved }
        } else {
            // A server that moves to another host has the same volume twice for a while.
            let present = try server == nil ? [] : attachments.list(of: volume.id, in: tx)
            guard [.inUse, .reserved].contains(volume.status), present.contains(where: { $0.serverID == server }) else {
                throw VolumeRefusal.volume(
                    "Volume \(volume.id) status must be \(states.map(\.rawValue).joined(separator: " or ")) to "
                        + "reserve, but the current status is \(volume.status.rawValue).")
            }
        }
        var new = VolumeAttachment(
            id: id ?? ID(world.random.uuid()), volume: volume, serverID: server, status: .reserved,
            epoch: try attachments.nextEpoch(in: tx), createdAt: world.now)
        new.mode = volume.isReadOnly == true ? "ro" : mode
        new.isServers = isServers
        try attachments.insert(new, in: tx)
        return new
    }

    /// Refuses a volume whose bytes are on their way to another pool: nobody can use them there yet.
    func requireStill(_ volume: Volume) throws {
        guard volume.isMigrating else { return }
        throw VolumeRefusal.volume("Volume \(volume.id) is being migrated.")
    }

    // MARK: Connecting

    /// Gives an attachment its host.
    func connect(
        _ old: VolumeAttachment, _ connector: JSONObject, of volume: Volume, in tx: Transaction
    ) throws -> VolumeAttachment {
        var new = old
        let asked = connector["mode"]?.string ?? "rw"
        new.mode = old.mode == nil || old.mode == "null" ? asked : old.mode
        new.connector = connector
        (new.host, new.mountpoint) = (connector["host"]?.string, connector["mountpoint"]?.string ?? "na")
        (new.status, new.isConnected, new.attachedAt) = (.attaching, true, world.now)
        new.updatedAt = world.now
        try attachments.update(old, to: new, in: tx)
        try change(volume, in: tx) { ($0.status, $0.attachStatus) = (.attaching, .attaching) }
        return new
    }

    /// Notes that the server or the host has the volume.
    func complete(_ old: VolumeAttachment, of volume: Volume, in tx: Transaction) throws {
        var new = old
        (new.status, new.updatedAt) = (.attached, world.now)
        new.attachedAt = new.attachedAt ?? world.now
        try attachments.update(old, to: new, in: tx)
        try change(volume, in: tx) { ($0.status, $0.attachStatus) = (.inUse, .attached) }
    }

    // MARK: Ending

    /// Refuses to end an attachment behind the back of the server that uses the volume: its host would keep the disk,
    /// and the volume could be given to somebody else (CVE-2023-2088).
    func requireEndable(_ attachment: VolumeAttachment) throws {
        // Compute's own rows know the attachment, so it ends with the server's disk and in no other way.
        guard attachment.isServers, attachment.isConnected, let server = attachment.serverID else { return }
        throw Self.usedBy(server.text)
    }

    /// The same for a volume if the caller names no attachment: the only one is meant.
    func requireEndable(_ volume: Volume, _ all: [VolumeAttachment]) throws {
        guard all.count <= 1 else { throw Self.usedBy("") }
        if let only = all.first { try requireEndable(only) }
    }

    private static func usedBy(_ server: String) -> CloudError {
        .conflict("Detach volume from instance \(server) using the Compute API")
    }

    /// Ends an attachment.
    ///
    /// - Returns: the attachments that the volume still has.
    @discardableResult
    func end(_ attachment: VolumeAttachment, of volume: Volume, in tx: Transaction) throws -> [VolumeAttachment] {
        try attachments.delete(attachment.id, in: tx)
        let rest = try attachments.list(of: volume.id, in: tx)
        let isAttached = rest.contains { $0.status == .attached }
        let next: VolumeStatus = rest.isEmpty ? .available : isAttached ? .inUse : .reserved
        try change(volume, in: tx) { volume in
            // Work that runs keeps its own state, and gives back the right one when it ends.
            if Self.working.contains(volume.status) {
                if volume.previousStatus != nil { volume.previousStatus = next }
            } else if !rest.isEmpty || !volume.isMigrating {
                volume.status = next
            }
            volume.attachStatus = isAttached ? .attached : .detached
        }
        return rest
    }

    /// The states of a volume on which a workflow works that outlives attachments.
    private static let working: Set<VolumeStatus> = [
        .uploading, .retyping, .downloading, .extending, .reverting, .backingUp,
    ]

    /// Gives a server a new attachment in place of an old one. Nobody else gets the volume meanwhile, and no machine
    /// may use it before the new one is connected.
    func renew(
        _ old: VolumeAttachment, of volume: Volume, as id: ID<VolumeAttachment>, in tx: Transaction
    ) throws {
        if try attachments.find(id, in: tx) != nil { return }
        var new = VolumeAttachment(
            id: id, volume: volume, serverID: old.serverID, status: .reserved,
            epoch: try attachments.nextEpoch(in: tx), createdAt: world.now)
        (new.mode, new.isServers) = (old.mode, old.isServers)
        try attachments.insert(new, in: tx)
        try end(old, of: volume, in: tx)
    }

    // MARK: Detaching

    /// Keeps others from using a volume while it is taken from a server.
    func beginDetaching(_ volume: Volume, in tx: Transaction) throws {
        guard volume.status == .inUse, volume.attachStatus == .attached, !volume.isMigrating else {
            if volume.isMigrating { return }
            throw VolumeRefusal.volume(
                "Unable to detach volume. Volume status must be 'in-use' and attach_status must be 'attached' to "
                    + "detach."
            )
        }
        try change(volume, in: tx) { $0.status = .detaching }
    }

    /// Takes `beginDetaching` back.
    func rollDetaching(_ volume: Volume, in tx: Transaction) throws {
        guard volume.status == .detaching else { return }
        try change(volume, in: tx) { $0.status = .inUse }
    }

    // MARK: The row

    @discardableResult
    func change(_ old: Volume, in tx: Transaction, _ body: (inout Volume) -> Void) throws -> Volume {
        var new = old
        body(&new)
        new.updatedAt = world.now
        try volumes.update(old, to: new, in: tx)
        return new
    }
}

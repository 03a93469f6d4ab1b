import Access
import CloudCore
import SQL

/// The way of attaching before 3.27, in single steps. Clients that attach volumes to hosts still use it.
struct OldAttachService: Sendable {
    let volumes: VolumeService
    private let rules: AttachmentRules
    private var context: BlockStorageContext { volumes.context }

    init(volumes: VolumeService) {
        self.volumes = volumes
        rules = AttachmentRules(world: volumes.context.world)
    }

    private func change(
        _ id: ID<Kind.Volume>, _ action: Action, by caller: Caller,
        _ body: @escaping @Sendable (Volume, Transaction) throws -> Void
    ) async throws {
        try await context.write { tx in
            let volume = try volumes.require(id, by: caller, in: tx)
            try caller.require(action, of: volume.projectID)
            try body(volume, tx)
        }
    }

    func reserve(_ id: ID<Kind.Volume>, by caller: Caller) async throws {
        try await change(id, .reserveVolume, by: caller) { volume, tx in
            try rules.requireStill(volume)
            let states: [VolumeStatus] = volume.isMultiattach ? [.available, .inUse] : [.available]
            guard states.contains(volume.status) else {
                throw VolumeRefusal.volume(
                    "Volume status must be \(states.map(\.rawValue).joined(separator: " or ")) to reserve, but the "
                        + "status is \(volume.status.rawValue).")
            }
            try rules.change(volume, in: tx) { $0.status = .attaching }
        }
    }

    /// Takes `reserve` back. Without effect on a volume that is not reserved.
    func unreserve(_ id: ID<Kind.Volume>, by caller: Caller) async throws {
        try await change(id, .unreserveVolume, by: caller) { volume, tx in try unreserve(volume, in: tx) }
    }

    private func unreserve(_ volume: Volume, in tx: Transaction) throws {
        guard volume.status == .attaching else { return }
        let isUsed = try rules.attachments.list(of: volume.id, in: tx).contains { $0.status == .attached }
        try rules.change(volume, in: tx) { $0.status = isUsed ? .inUse : .available }
    }

    func beginDetaching(_ id: ID<Kind.Volume>, by caller: Caller) async throws {
        try await change(id, .beginDetaching, by: caller) { volume, tx in try rules.beginDetaching(volume, in: tx) }
    }

    func rollDetaching(_ id: ID<Kind.Volume>, by caller: Caller) async throws {
        try await change(id, .rollDetaching, by: caller) { volume, tx in try rules.rollDetaching(volume, in: tx) }
    }

    /// The attachment that a user asks for.
    struct Wish: Sendable {
        var serverID: String?
        var host: String?
        var mountpoint = ""
        var mode = "rw"
    }

    func attach(_ id: ID<Kind.Volume>, _ wish: Wish, by caller: Caller) async throws {
        try await change(id, .attachVolume, by: caller) { volume, tx in
            guard volume.status != .maintenance else {
                throw VolumeRefusal.volume("The volume cannot be attached in maintenance mode.")
            }
            try rules.requireStill(volume)
            guard volume.isReadOnly != true || wish.mode == "ro" else {
                throw CloudError.badRequest(
                    "Invalid attaching mode '\(wish.mode)' for volume \(volume.id).")
            }
            let present = try rules.attachments.list(of: volume.id, in: tx)
            let isThere = present.contains { one in
                wish.serverID.map { one.serverID?.text == $0 } ?? (one.serverID == nil && one.host == wish.host)
            }
            if isThere {
                try rules.change(volume, in: tx) { ($0.status, $0.attachStatus) = (.inUse, .attached) }
                return
            }
            guard volume.status != .inUse || volume.isMultiattach else {
                throw VolumeRefusal.volume("volume is already attached and multiple attachments are not enabled")
            }
            var new = VolumeAttachment(
                id: ID(context.world.random.uuid()), volume: volume, serverID: wish.serverID.map { ID($0) },
                status: .attached, epoch: try rules.attachments.nextEpoch(in: tx), createdAt: context.world.now)
            (new.host, new.mountpoint, new.mode) = (wish.host, wish.mountpoint, wish.mode)
            (new.isConnected, new.attachedAt) = (true, context.world.now)
            try rules.attachments.insert(new, in: tx)
            try rules.change(volume, in: tx) { volume in
                (volume.status, volume.attachStatus) = (.inUse, .attached)
                volume.isReadOnly = volume.isReadOnly ?? false
            }
        }
    }

    /// Ends an attachment.
    ///
    /// - Parameter attachment: the attachment; nil for the only one.
    func detach(_ id: ID<Kind.Volume>, attachment: String?, by caller: Caller) async throws {
        try await change(id, .detachVolume, by: caller) { volume, tx in
            try detach(volume, attachment: attachment, in: tx)
        }
    }

    private func detach(_ volume: Volume, attachment: String?, in tx: Transaction) throws {
        let all = try rules.attachments.list(of: volume.id, in: tx)
        let named = all.first { $0.id.text == attachment }
        if let named { try rules.requireEndable(named) }
        if attachment == nil { try rules.requireEndable(volume, all) }
        guard volume.status != .maintenance else {
            throw VolumeRefusal.volume("The volume cannot be detached in maintenance mode.")
        }
        guard let ending = attachment == nil ? all.first : named else {
            // There is nothing to end; the volume must not stay in a state of detaching.
            if all.isEmpty {
                try rules.change(volume, in: tx) { ($0.status, $0.attachStatus) = (.available, .detached) }
            } else {
                try rules.rollDetaching(volume, in: tx)
            }
            return
        }
        try rules.end(ending, of: volume, in: tx)
    }

    /// Returns the connection of a volume. It changes nothing: `attach` notes the attachment.
    func initialize(_ id: ID<Kind.Volume>, by caller: Caller) async throws -> JSONObject {
        try await context.read { tx in
            let volume = try volumes.require(id, by: caller, in: tx)
            try caller.require(.initializeConnection, of: volume.projectID)
            guard volume.status != .maintenance else {
                throw VolumeRefusal.volume("The volume connection cannot be initialized in maintenance mode.")
            }
            return ConnectionInfo.data(volume.id, mode: volume.isReadOnly == true ? "ro" : "rw")
        }
    }

    func terminate(_ id: ID<Kind.Volume>, by caller: Caller) async throws {
        try await change(id, .terminateConnection, by: caller) { volume, tx in try terminate(volume, in: tx) }
    }

    private func terminate(_ volume: Volume, in tx: Transaction) throws {
        try rules.requireEndable(volume, try rules.attachments.list(of: volume.id, in: tx))
        try unreserve(volume, in: tx)
    }

    func forceDetach(_ id: ID<Kind.Volume>, attachment: String?, by caller: Caller) async throws {
        try await change(id, .forceDetach, by: caller) { volume, tx in
            try terminate(volume, in: tx)
            guard let present = try volumes.volumes.find(volume.id, in: tx) else { return }
            try detach(present, attachment: attachment, in: tx)
        }
    }
}

import CloudCore
import HostModel
import SQL

/// The volumes of servers: lists, attachments and detachments.
struct ServerVolumeService: Sendable {
    let servers: ServerService
    private let store = ServerVolumeStore()
    private var context: ComputeContext { servers.context }

    /// The wish of a request for an attachment.
    struct Wish: Sendable {
        var volumeID = ID<Kind.Volume>("")
        var device: String?
        var tag: String?
        var isDeletedWithServer = false
        /// Whether the request's microversion knows volumes that several servers use.
        var knowsMultiattach = false
    }

    func list(of id: ID<Kind.Server>, by caller: Caller) async throws -> [ServerVolume] {
        try await context.read { tx in
            _ = try servers.require(id, .listVolumeAttachments, by: caller, in: tx)
            return try store.list(of: id, in: tx)
        }
    }

    func get(_ volume: ID<Kind.Volume>, of id: ID<Kind.Server>, by caller: Caller) async throws -> ServerVolume {
        try await context.read { tx in
            _ = try servers.require(id, .showVolumeAttachment, by: caller, in: tx)
            return try require(volume, of: id, in: tx)
        }
    }

    private func require(
        _ volume: ID<Kind.Volume>, of id: ID<Kind.Server>, in tx: Transaction
    ) throws -> ServerVolume {
        guard let found = try store.find(volume, of: id, in: tx) else { throw ServerVolume.missing(volume, of: id) }
        return found
    }

    /// Reserves the volume and begins to attach it.
    ///
    /// - Returns: the volume with the device that it gets.
    /// - Throws: `notFound` for a volume that the caller does not have; `badRequest` for one that is in use; `conflict`
    ///   for a device that is taken, and for a server whose state does not allow it.
    func attach(_ wish: Wish, to id: ID<Kind.Server>, by caller: Caller) async throws -> ServerVolume {
        try await servers.check(id, .createVolumeAttachment, by: caller)
        let facts = try await context.needs.volumes.volume(wish.volumeID, for: caller.principal)
        if facts.isMultiattach, !wish.knowsMultiattach {
            throw VolumePlan.unknownMultiattach
        }
        let random = context.world.random
        let (use, attachment) = (random.uuid(), random.uuid())
        let work = try await servers.starting(AttachVolume.self, on: id, by: caller) { server, tx in
            let present = try store.list(of: id, in: tx)
            try refuse(wish, facts, server, present)
            var names = DeviceNames(present.map(\.device) + (server.rootVolume == nil ? [server.rootDevice] : []))
            let volume = ServerVolume(
                id: use, serverID: id, volumeID: wish.volumeID, attachmentID: ID(attachment),
                device: try names.take(wish.device, bus: nil), bootIndex: nil, bus: nil, isCD: false, tag: wish.tag,
                isDeletedWithServer: wish.isDeletedWithServer)
            try context.needs.volumes.reserve(volume.use(in: server.projectID), in: tx)
            try store.insert(volume, in: tx)
            return .init(volume: volume)
        }
        return work.volume
    }

    private func refuse(_ wish: Wish, _ facts: VolumeFacts, _ server: Server, _ present: [ServerVolume]) throws {
        if present.contains(where: { $0.volumeID == wish.volumeID }) {
            throw CloudError.badRequest("Invalid volume: volume \(wish.volumeID) already attached")
        }
        if let host = server.host, let place = facts.host, host != place {
            throw CloudError.badRequest(
                "Invalid volume: the host of instance \(server.id) cannot reach volume \(wish.volumeID).")
        }
        guard server.state == .shelvedOffloaded else { return }
        if wish.tag != nil {
            throw CloudError.badRequest("Tagged volume attachment is not supported for shelved-offloaded instances.")
        }
        if facts.isMultiattach {
            throw CloudError.badRequest(
                "Attaching multiattach volumes is not supported for shelved-offloaded instances.")
        }
    }

    /// Begins to detach a volume.
    ///
    /// - Throws: `notFound` if the server does not have it; `badRequest` for the root disk.
    func detach(_ volume: ID<Kind.Volume>, from id: ID<Kind.Server>, by caller: Caller) async throws {
        try await servers.start(DetachVolume.self, on: id, by: caller) { server, tx in
            let found = try require(volume, of: id, in: tx)
            if found.isRoot { throw CloudError.badRequest("Cannot detach a root device volume") }
            // A server without a host has its volumes reserved and uses none.
            if server.host != nil { try context.needs.volumes.beginDetaching(found.attachmentID, in: tx) }
            return .init(volume: found)
        }
    }

    /// The values that an update names. Only whether the volume is deleted with its server can change.
    struct Change: Sendable {
        var volumeID = ID<Kind.Volume>("")
        var id: String?
        var serverID: String?
        var device = Update<String>.keep
        var tag = Update<String>.keep
        var isDeletedWithServer: Bool?
    }

    func update(
        _ volume: ID<Kind.Volume>, of id: ID<Kind.Server>, _ change: Change, by caller: Caller
    ) async throws {
        try await context.write { tx in
            _ = try servers.require(id, .updateVolumeAttachment, by: caller, in: tx)
            let found = try require(volume, of: id, in: tx)
            func refuse(_ name: String, if differs: Bool) throws {
                if differs { throw CloudError.badRequest("The \(name) property is not mutable") }
            }
            try refuse("id", if: change.id != nil && change.id != volume.text)
            try refuse("serverId", if: change.serverID != nil && change.serverID != id.text)
            var (device, tag) = (Optional(found.device), found.tag)
            change.device.apply(to: &device)
            change.tag.apply(to: &tag)
            try refuse("device", if: device != found.device)
            try refuse("tag", if: tag != found.tag)
            if let isDeleted = change.isDeletedWithServer { try store.setDeletedWithServer(isDeleted, found, in: tx) }
        }
    }

    /// Notes what another service tells of grown volumes among the actions on their servers. As in the reference, there
    /// is an action even if the server does not have the volume.
    func note(_ growths: [VolumeGrowth]) async throws {
        try await context.write { tx in
            for growth in growths {
                for server in growth.servers {
                    try ExtendServerVolume.begin(growth, on: server, by: servers.workflows, in: tx)
                }
            }
        }
    }

    /// Refuses to replace a volume by another: no volume is being migrated.
    ///
    /// - Throws: `notFound` for a volume that the caller does not have, else `conflict`.
    func swap(_ volume: ID<Kind.Volume>, of id: ID<Kind.Server>, by caller: Caller) async throws {
        try await servers.check(id, .showServer, by: caller)
        _ = try await context.needs.volumes.volume(volume, for: caller.principal)
        throw CloudError.conflict("volume \(volume) is not migrating; this API should only be called by Cinder")
    }
}

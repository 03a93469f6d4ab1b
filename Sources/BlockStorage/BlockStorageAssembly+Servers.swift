package import CloudCore
import Durable
package import HostModel
import HTTPKit
package import SQL

/// The functions for Compute. Those that change an attachment run within Compute's own transactions: the volume, the
/// attachment and the server's disk change together.
extension BlockStorageAssembly {
    private var rules: AttachmentRules { AttachmentRules(world: context.world) }
    private var volumes: VolumeService { VolumeService(context: context) }

    func caller(_ principal: Principal) -> Caller {
        Caller(principal: principal, minor: VersionRoutes.range.upperBound.minor, requestID: "", policy: context.policy)
    }

    // MARK: Facts

    /// Returns the facts about a volume.
    ///
    /// - Throws: `notFound` if there is none or the principal may not see it.
    package func facts(of id: VolumeID, for principal: Principal) async throws -> VolumeFacts {
        let volume = try await context.read { tx in try volumes.require(id, by: caller(principal), in: tx) }
        var facts = VolumeFacts(
            sizeGiB: volume.size, isBootable: volume.isBootable, isMultiattach: volume.isMultiattach,
            imageProperties: Self.properties(volume.imageMetadata), host: onlyHost(of: volume))
        facts.status = volume.status.shown
        Self.note(volume.imageMetadata, in: &facts)
        return facts
    }

    /// Returns the facts about a snapshot.
    ///
    /// - Throws: `notFound` if there is none or the principal may not see it.
    package func facts(of id: SnapshotID, for principal: Principal) async throws -> VolumeFacts {
        let (snapshot, volume) = try await context.read { tx in
            let snapshot = try SnapshotRules().require(id, by: caller(principal), in: tx)
            return (snapshot, try volumes.volumes.find(snapshot.volumeID, in: tx))
        }
        var facts = VolumeFacts(
            sizeGiB: snapshot.size, isBootable: snapshot.isBootable,
            imageProperties: Self.properties(snapshot.imageMetadata), host: volume.flatMap(onlyHost))
        Self.note(snapshot.imageMetadata, in: &facts)
        return facts
    }

    /// Returns the one host whose machines can use the volumes; nil if those of every host can.
    package func host(of ids: [VolumeID], in tx: Transaction) throws -> String? {
        try volumes.volumes.find(ids, in: tx).lazy.compactMap(onlyHost).first
    }

    /// Returns the host whose machines alone can use a volume; nil if every host's can.
    private func onlyHost(of volume: Volume) -> String? {
        let pool = context.needs.hosts.pools().first { $0.host == volume.host && $0.pool.name == volume.pool }
        return pool?.pool.abilities.contains(.everyHost) == true ? nil : volume.host
    }

    private static func properties(_ metadata: JSONObject) -> [String: String] {
        let texts = metadata.members.compactMap { name, value in value.string.map { (name, $0) } }
        return Dictionary(texts) { first, _ in first }
    }

    private static func note(_ metadata: JSONObject, in facts: inout VolumeFacts) {
        facts.minDiskGiB = metadata["min_disk"]?.string.flatMap { Int($0) } ?? 0
        facts.minMemoryMiB = metadata["min_ram"]?.string.flatMap { Int($0) } ?? 0
    }

    // MARK: Volumes that are made for servers

    /// Makes a volume, unless it is there, and returns when it is whole.
    ///
    /// - Parameter host: the host whose machine is going to use the volume.
    /// - Throws: a transient error until then; `conflict` if it could not be made.
    package func make(_ new: NewVolume, for host: String, by principal: Principal) async throws {
        let caller = caller(principal)
        let found = try await context.read { tx in try volumes.volumes.find(new.id, in: tx) }
        guard let found else {
            try await VolumeCreation(service: volumes).create(new, for: host, by: caller)
            throw Self.unfinished("Volume \(new.id) is being made.")
        }
        switch found.status {
        case .creating, .downloading: throw Self.unfinished("Volume \(new.id) is being made.")
        case let status where status.isError:
            throw CloudError.conflict("Volume \(new.id) could not be made: its status is \(status.rawValue).")
        default: return
        }
    }

    /// Returns the transient error for something that is not whole yet.
    static func unfinished(_ message: String) -> CloudError {
        var error = CloudError(.unavailable, message, code: "volume_unfinished")
        error.isTransient = true
        return error
    }

    /// Begins to delete a volume that no attachment uses. It has no effect if there is none, or if it is in use.
    package func delete(_ id: VolumeID, for principal: Principal, in tx: Transaction) throws {
        guard let volume = try volumes.volumes.find(id, in: tx), volume.status != .deleting,
            try rules.attachments.list(of: id, in: tx).isEmpty,
            try volumes.snapshots.list(of: id, in: tx).isEmpty
        else { return }
        try volumes.delete(volume, cascade: false, isForced: true, by: caller(principal), in: tx)
    }

    /// Tells the users of full volumes that a server is paused until there is room. Ids of no volume have no effect.
    package func tellFull(_ ids: [VolumeID], pausing server: ID<Kind.Server>, in tx: Transaction) throws {
        for volume in try volumes.volumes.find(ids, in: tx) {
            let message = VolumeMessage.full(
                volume, pausing: server, id: ID(context.world.random.uuid()), at: context.world.now)
            try MessageStore().insert(message, in: tx)
        }
    }

    // MARK: Attachments

    /// Reserves a volume for a server. The attachment is Compute's: nobody else can end it once it is connected.
    ///
    /// - Throws: `notFound` for a volume that is not of the project; `badRequest` for one that cannot be attached.
    package func reserve(_ use: VolumeUse, in tx: Transaction) throws {
        let id = ID<VolumeAttachment>(use.attachment.text)
        if try rules.attachments.find(id, in: tx) != nil { return }
        guard let volume = try rules.volumes.find(use.volume, in: tx), volume.projectID == use.projectID else {
            throw Volume.missing(use.volume)
        }
        _ = try rules.reserve(volume, for: use.server, mode: "rw", isServers: true, id: id, in: tx)
    }

    /// Notes the host and the place of an attachment, and returns what the volume's host is told.
    package func connect(_ use: VolumeUse, on host: String) async throws -> VolumeLink {
        try await context.write { tx in
            var (attachment, volume) = try require(use.attachment, in: tx)
            if !attachment.isConnected {
                let connector: JSONObject = ["host": .string(host), "mountpoint": .string(use.device)]
                attachment = try rules.connect(attachment, connector, of: volume, in: tx)
            } else if attachment.host != host {
                var moved = attachment
                (moved.host, moved.connector["host"], moved.updatedAt) = (host, .string(host), context.world.now)
                try rules.attachments.update(attachment, to: moved, in: tx)
            }
            if let only = onlyHost(of: volume), only != host {
                throw CloudError.conflict("The server's host cannot reach volume \(volume.id).")
            }
            var link = try link(attachment, volume)
            link.rates = try rates(of: volume, in: tx)
            return link
        }
    }

    /// Returns the bounds that the volume's type sets on a machine's use of the volume.
    private func rates(of volume: Volume, in tx: Transaction) throws -> DiskRates? {
        guard let id = try volumes.types.find(volume.typeID, in: tx)?.qosID else { return nil }
        return try QoSStore().find(id, in: tx)?.rates(sizeGiB: volume.size)
    }

    /// Returns what the volume's host was told of an attachment; nil if there is none.
    package func link(of attachment: ID<Kind.Attachment>) async throws -> VolumeLink? {
        try await context.read { tx in
            guard let found = try rules.attachments.find(ID(attachment.text), in: tx),
                let volume = try rules.volumes.find(found.volumeID, in: tx)
            else { return nil }
            return try link(found, volume)
        }
    }

    private func link(_ attachment: VolumeAttachment, _ volume: Volume) throws -> VolumeLink {
        guard let server = attachment.serverID, let host = volume.host else {
            throw CloudError.internalError("attachment \(attachment.id) has no server or its volume no host")
        }
        let connection = VolumeConnection(
            machine: server, epoch: attachment.epoch, isReadOnly: attachment.mode == "ro",
            isShared: volume.isMultiattach)
        return VolumeLink(volume: volume.id, host: host, connection: connection)
    }

    /// Notes that the machine has the disk.
    package func complete(_ id: ID<Kind.Attachment>, in tx: Transaction) throws {
        let (attachment, volume) = try require(id, in: tx)
        if attachment.status == .attached { return }
        try rules.complete(attachment, of: volume, in: tx)
    }

    /// Keeps others from the volume while it is taken from the machine.
    package func beginDetaching(_ id: ID<Kind.Attachment>, in tx: Transaction) throws {
        try rules.beginDetaching(try require(id, in: tx).volume, in: tx)
    }

    /// Takes `beginDetaching` back: the machine has kept the disk. It has no effect if there is no such attachment.
    package func rollDetaching(_ id: ID<Kind.Attachment>, in tx: Transaction) throws {
        guard let volume = try find(id, in: tx)?.volume else { return }
        try rules.rollDetaching(volume, in: tx)
    }

    /// Ends an attachment after the host has closed the volume. It has no effect if there is none.
    package func end(_ id: ID<Kind.Attachment>, in tx: Transaction) throws {
        guard let (attachment, volume) = try find(id, in: tx) else { return }
        try rules.end(attachment, of: volume, in: tx)
    }

    /// Gives a server a new attachment in place of an old one, which its machine does not use any more.
    package func renew(_ old: ID<Kind.Attachment>, as new: ID<Kind.Attachment>, in tx: Transaction) throws {
        let (attachment, volume) = try require(old, in: tx)
        try rules.renew(attachment, of: volume, as: ID(new.text), in: tx)
    }

    private func find(
        _ id: ID<Kind.Attachment>, in tx: Transaction
    ) throws -> (attachment: VolumeAttachment, volume: Volume)? {
        guard let attachment = try rules.attachments.find(ID(id.text), in: tx),
            let volume = try rules.volumes.find(attachment.volumeID, in: tx)
        else { return nil }
        return (attachment, volume)
    }

    private func require(
        _ id: ID<Kind.Attachment>, in tx: Transaction
    ) throws -> (attachment: VolumeAttachment, volume: Volume) {
        guard let found = try find(id, in: tx) else { throw VolumeAttachment.missing(id) }
        return found
    }
}

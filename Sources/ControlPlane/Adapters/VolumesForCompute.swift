import AgentCore
import BlockStorage
import CloudCore
import Compute
import Durable
import HostModel
import SQL

/// The part of Block Storage that Compute needs.
struct VolumesForCompute: VolumesNeed {
    let storage: BlockStorageAssembly
    let fleet: Fleet

    func volume(_ id: ID<Kind.Volume>, for principal: Principal) async throws -> VolumeFacts {
        try await storage.facts(of: id, for: principal)
    }

    func snapshot(_ id: ID<Kind.Snapshot>, for principal: Principal) async throws -> VolumeFacts {
        try await storage.facts(of: id, for: principal)
    }

    func host(of volumes: [ID<Kind.Volume>], in tx: Transaction) throws -> String? {
        try storage.host(of: volumes, in: tx)
    }

    func make(_ volume: NewVolume, for host: String, by principal: Principal) async throws {
        try await storage.make(volume, for: host, by: principal)
    }

    func delete(_ id: ID<Kind.Volume>, for principal: Principal?, in tx: Transaction) throws {
        try storage.delete(id, for: try principal.required("principal", from: "start"), in: tx)
    }

    func reserve(_ use: VolumeUse, in tx: Transaction) throws { try storage.reserve(use, in: tx) }

    func complete(_ attachment: ID<Kind.Attachment>, in tx: Transaction) throws {
        try storage.complete(attachment, in: tx)
    }

    func beginDetaching(_ attachment: ID<Kind.Attachment>, in tx: Transaction) throws {
        try storage.beginDetaching(attachment, in: tx)
    }

    func keep(_ attachment: ID<Kind.Attachment>, in tx: Transaction) throws {
        try storage.rollDetaching(attachment, in: tx)
    }

    func release(_ attachment: ID<Kind.Attachment>, in tx: Transaction) throws { try storage.end(attachment, in: tx) }

    func renew(_ old: ID<Kind.Attachment>, as new: ID<Kind.Attachment>, in tx: Transaction) throws {
        try storage.renew(old, as: new, in: tx)
    }

    func image(
        _ id: ID<Kind.Image>, fitting volume: ID<Kind.Volume>, for principal: Principal
    ) async throws -> VolumeImageFacts {
        try await storage.image(id, fitting: volume, for: principal)
    }

    func reimage(
        _ id: ID<Kind.Volume>, from image: VolumeImageFacts, for principal: Principal, in tx: Transaction
    ) throws {
        try storage.reimage(id, from: image, for: principal, in: tx)
    }

    func awaitWhole(_ id: ID<Kind.Volume>) async throws { try await storage.awaitWhole(id) }

    func takeSnapshots(_ snapshots: [NewSnapshot], for principal: Principal, in tx: Transaction) throws {
        try storage.takeSnapshots(snapshots, for: principal, in: tx)
    }

    func awaitWhole(_ id: ID<Kind.Snapshot>) async throws { try await storage.awaitWhole(id) }

    func delete(_ id: ID<Kind.Snapshot>, for principal: Principal) async throws {
        try await storage.delete(id, for: principal)
    }

    func tellFull(_ disks: [String], pausing server: ID<Kind.Server>, in tx: Transaction) throws {
        try storage.tellFull(disks.map { ID($0) }, pausing: server, in: tx)
    }

    func awaitGrown(_ id: ID<Kind.Volume>) async throws { try await storage.awaitGrown(id) }

    func connect(_ use: VolumeUse, on host: String) async throws -> ConnectedVolume {
        let link = try await storage.connect(use, on: host)
        let path = try await fleet.link(to: link.host).connect(link.volume, link.connection)
        return ConnectedVolume(
            path: path, isReadOnly: link.connection.isReadOnly, isShared: link.connection.isShared, rates: link.rates)
    }

    func disconnect(_ use: VolumeUse, from host: String) async throws {
        guard let link = try await storage.link(of: use.attachment) else { return }
        try await fleet.link(to: link.host).disconnect(
            link.volume, from: link.connection.machine, epoch: link.connection.epoch)
    }
}

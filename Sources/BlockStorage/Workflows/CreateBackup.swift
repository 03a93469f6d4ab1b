import CloudCore
import Durable
import HostModel
import SQL

//   undone   the backup is in error, its pieces are free, the volume is as before, and a message says why
// 1 intend  (creating)   the place of the bytes is noted
// 2 copy    (creating)   the host has a flat copy of one moment; the undo removes it
// 3 store   (creating)   the store has the pieces, and rows name them
// 4 tidy    (creating)   the host has no copy any more
// 5 finish  (available)  the volume or the snapshot has its former state

struct CreateBackup: Workflow {
    struct Input: Codable, Sendable {
        var backupID: ID<VolumeBackup>
        var volumeID: ID<Kind.Volume>
        /// The snapshot whose content is kept; nil for that of the volume.
        var snapshotID: ID<Kind.Snapshot>?
    }

    struct State: Codable, Sendable {
        var wanted: Wanted?
        var copy: DiskSnapshot?
    }

    typealias Needs = VolumeWorld
    static let kind: WorkflowKind = "volume.backup.create"
    static let version = 1
    /// The most backups that a process makes at a time. Each holds some 30 MiB of memory, and keeps a core busy.
    static let mostAtOnce: Int? = 4  // tidy: allow bound, of a runner

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        WhenUndone("accept") { _, run, tx in
            try run.endBackingUp(in: tx)
            guard let backup = try run.world.backups.find(run.input.backupID, in: tx),
                backup.status != .deleting
            else { return }
            let subject = (VolumeMessage.Subject.backup, backup.id.text, backup.projectID)
            try run.world.tell(.createBackup, .notBackedUp, about: subject, run, in: tx)
            try run.world.change(backup, in: tx) { backup in
                (backup.status, backup.manifestID) = (.error, nil)
                backup.failReason = run.failure.flatMap { $0.kind == .internalError ? nil : $0.message }
                backup.failReason = String((backup.failReason ?? "The backup could not be made.").prefix(255))
            }
            if let id = backup.manifestID { try run.world.backupRules.release(id, at: run.world.now, in: tx) }
        }
        Local("intend") { state, run, tx in
            state.wanted = try Wanted(try run.world.require(run.input.volumeID, in: tx), type: nil)
            let backup = try run.world.require(run.input.backupID, in: tx)
            guard [nil, VolumeCreation.usualZone].contains(backup.zone) else {
                throw CloudError.notFound("Service not found for creating backup.")
            }
            try run.world.change(backup, in: tx) { $0.zone = VolumeCreation.usualZone }
        }
        Remote("copy", deadline: CreateVolume.copyDeadline) { state, run in
            let source = run.input.snapshotID.map { VolumeSource.snapshot($0) } ?? .volume(run.input.volumeID)
            state.copy = try await run.export(
                source, as: run.exportName, .raw, of: try state.wanted.required("wanted", from: "intend"))
        } undo: { state, run in
            try await run.forgetExport(run.exportName, of: try state.wanted.required("wanted", from: "intend"))
        }
        Remote("store", deadline: CreateVolume.copyDeadline) { state, run in
            let wanted = try state.wanted.required("wanted", from: "intend")
            let copy = try state.copy.required("copy", from: "copy")
            try await run.world.store(copy, on: wanted.host, as: run.input.backupID) { try run.follow($0) }
        }
        Remote("tidy") { state, run in
            try await run.forgetExport(run.exportName, of: try state.wanted.required("wanted", from: "intend"))
        }
        Local("finish") { _, run, tx in
            let backup = try run.world.require(run.input.backupID, in: tx)
            let count = try backup.manifestID.map { try run.world.manifests.count(of: $0, in: tx) }
            try run.world.change(backup, in: tx) { backup in
                if backup.status == .creating { backup.status = .available }
                backup.objectCount = count ?? 0
            }
            try run.endBackingUp(in: tx)
        }
    }
}

extension Run where W == CreateBackup {
    fileprivate var exportName: String { input.backupID.text }

    /// Gives the volume or the snapshot its former state.
    fileprivate func endBackingUp(in tx: Transaction) throws {
        if let id = input.snapshotID {
            try world.changeBack(id, in: tx) { if $0.status == .backingUp { $0.status = .available } }
        } else {
            try world.changeBack(input.volumeID, in: tx) { volume in
                guard volume.status == .backingUp else { return }
                (volume.status, volume.previousStatus) = (volume.previousStatus ?? .available, nil)
            }
        }
    }
}

extension VolumeWorld {
    func require(_ id: ID<VolumeBackup>, in tx: Transaction) throws -> VolumeBackup {
        guard let backup = try backups.find(id, in: tx) else { throw VolumeBackup.missing(id) }
        return backup
    }

    /// Writes a changed form of a backup.
    func change(_ old: VolumeBackup, in tx: Transaction, _ body: (inout VolumeBackup) throws -> Void) throws {
        var new = old
        try body(&new)
        new.updatedAt = now
        try backups.update(old, to: new, in: tx)
    }

    /// Stores the bytes of a copy as the content of a backup.
    func store(
        _ copy: DiskSnapshot, on host: String, as id: ID<VolumeBackup>, each: (Int) throws -> Void
    ) async throws {
        let backup = try await read { tx in try require(id, in: tx) }
        let manifest = try backup.manifestID.required("manifest", from: "start")
        let bytes = try await hosts.bytes(of: copy, on: host)
        try await pieces.store(bytes, size: copy.sizeBytes, into: manifest, each: each)
    }
}

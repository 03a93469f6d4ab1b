import CloudCore
import Durable
import HostModel
import SQL

//   undone   the backup is as before, the volume is in error and has no bytes, and a message says why
// 1 place   (restoring-backup)  a new volume has a pool
// 2 clear   (restoring-backup)  the host has removed the old bytes; no undo brings them back
// 3 make    (restoring-backup)  the volume has the content of the backup; the undo removes it
// 4 finish  (available)         the volume can be used, and is described as the one that was backed up

struct RestoreBackup: Workflow {
    struct Input: Codable, Sendable {
        var backupID: ID<VolumeBackup>
        var volumeID: ID<Kind.Volume>
        /// The demands on the pool of a new volume; nil for a volume that has its place.
        var terms: CreateVolume.Terms?
    }

    struct State: Codable, Sendable {
        var wanted: Wanted?
        var content: BackupReference?
    }

    typealias Needs = VolumeWorld
    static let kind: WorkflowKind = "volume.backup.restore"
    static let version = 1

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        WhenUndone("accept") { _, run, tx in
            try run.endRestoring(in: tx)
            guard let volume = try run.world.undone(run.input.volumeID, in: tx) else { return }
            let subject = (VolumeMessage.Subject.backup, run.input.backupID.text, volume.projectID)
            try run.world.tell(.restoreBackup, .notRestored, about: subject, run, in: tx)
            let changed = try run.world.change(volume.id, in: tx) { volume in
                volume.status = volume.status == .creating ? .error : .errorRestoring
                volume.previousStatus = nil
            }
            try run.world.settleGroup(of: changed, in: tx)
        }
        Local("place") { state, run, tx in
            let backup = try run.world.require(run.input.backupID, in: tx)
            let manifest = try backup.manifestID.flatMap { try run.world.manifests.find($0, in: tx) }
            state.content = try manifest.required("manifest", from: "start").reference(for: backup.id)
            let volume = try run.world.require(run.input.volumeID, in: tx)
            let type = try run.world.types.find(volume.typeID, in: tx).required("type", from: "start")
            let place = try run.input.terms.map { terms in
                try run.world.picker.pick(try run.world.wish(volume, type, terms, in: tx), in: tx)
            }
            let placed = try run.world.change(volume.id, in: tx) { volume in
                if let place {
                    (volume.host, volume.pool) = (place.host, place.pool)
                    volume.zone = volume.zone ?? run.world.zone(of: place)
                }
                // A host takes a volume again only for a newer change than the one that removed it.
                volume.generation += 2
            }
            state.wanted = try Wanted(placed, type: type)
        } undo: { _, run, tx in
            guard run.input.terms != nil else { return }
            try run.world.changeBack(run.input.volumeID, in: tx) { ($0.host, $0.pool) = (nil, nil) }
        }
        Remote("clear", deadline: .seconds(600)) { state, run in
            guard run.input.terms == nil else { return }
            let wanted = try state.wanted.required("wanted", from: "place")
            try await run.world.hosts.remove(
                wanted.spec.id, on: wanted.host, fence: run.fence(wanted.generation - 1))
        }
        .needed { _, input in input.terms == nil }
        Remote("make", deadline: CreateVolume.copyDeadline) { state, run in
            let wanted = try state.wanted.required("wanted", from: "place")
            let content = try state.content.required("content", from: "place")
            try await run.fill(wanted, with: .backup(content))
        } undo: { state, run in
            let wanted = try state.wanted.required("wanted", from: "place")
            try await run.world.hosts.remove(wanted.spec.id, on: wanted.host, fence: run.fence(wanted.generation))
        }
        Local("finish") { _, run, tx in
            let backup = try run.world.backups.find(run.input.backupID, in: tx)
            let volume = try run.world.change(run.input.volumeID, in: tx) { volume in
                if volume.launchedAt == nil { volume.launchedAt = run.world.now }
                if let backup { volume.take(backup) }
                guard [.restoringBackup, .creating].contains(volume.status) else { return }
                (volume.status, volume.previousStatus) = (.available, nil)
            }
            try run.world.settleGroup(of: volume, in: tx)
            try run.endRestoring(in: tx)
        }
    }
}

extension Run where W == RestoreBackup {
    /// Lets the backup be used again. It has no effect if the backup is gone.
    fileprivate func endRestoring(in tx: Transaction) throws {
        guard let backup = try world.backups.find(input.backupID, in: tx), backup.status == .restoring else {
            return
        }
        try world.change(backup, in: tx) { $0.status = .available }
    }
}

extension Volume {
    /// Takes the description of the volume that was backed up, as the reference does: the name only if the volume was
    /// made for the backup, and what the other volume did not have stays as it is.
    fileprivate mutating func take(_ backup: VolumeBackup) {
        let origin = backup.origin
        if let former = origin.name, !former.isEmpty, name?.hasPrefix(BackupRestoring.newName) ?? true {
            (name, description) = (former, origin.description)
        }
        let source = "src_backup_id"
        let isOfOther = metadata[source].map { $0.string != backup.id.text } ?? false
        if !origin.metadata.isEmpty { metadata = origin.metadata }
        if !origin.imageMetadata.isEmpty { (imageMetadata, isBootable) = (origin.imageMetadata, true) }
        if backup.volumeID != id || isOfOther { metadata[source] = .string(backup.id.text) }
    }
}

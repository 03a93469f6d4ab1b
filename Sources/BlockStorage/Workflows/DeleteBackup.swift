import CloudCore
import Durable

//   point of no return
// 1 forget   (deleting)  the row is gone
// 2 release              the pieces are free, and the keeper removes them after the grace time

/// A workflow that deletes a backup. It calls the making of the backup off, if that still runs.
struct DeleteBackup: Workflow {
    struct Input: Codable, Sendable {
        var backupID: ID<VolumeBackup>
    }

    struct State: Codable, Sendable {
        /// The lists of pieces that the backup had: one, or none if it could not be made.
        var manifests: [ID<BackupManifest>]?
    }

    typealias Needs = VolumeWorld
    static let kind: WorkflowKind = "volume.backup.delete"
    static let version = 1

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        PointOfNoReturn()
        Local("forget") { state, run, tx in
            let backup = try run.world.backups.find(run.input.backupID, in: tx)
            state.manifests = backup?.manifestID.map { [$0] } ?? []
            if let backup { try run.world.backups.delete(backup.id, in: tx) }
        }
        Local("release") { state, run, tx in
            for id in try state.manifests.required("manifests", from: "forget") {
                try run.world.backupRules.release(id, at: run.world.now, in: tx)
            }
        }
    }
}

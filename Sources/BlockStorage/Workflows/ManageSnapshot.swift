import CloudCore
import Durable
import HostModel

//   undone   the snapshot is in error, the file is as before, and a message says why
// 1 intend   (creating)   the number of the change is raised
// 2 adopt    (creating)   the file is the snapshot; the undo gives it back under its name
// 3 finish   (available)  volumes can be made from it

/// A workflow that makes a snapshot of a file of the volume's pool. It takes its turn among those of the volume.
struct ManageSnapshot: VolumeWorkflow {
    struct Input: SnapshotInput {
        var snapshotID: ID<Kind.Snapshot>
        var volumeID: ID<Kind.Volume>
        /// The file's name.
        var file: String
    }

    typealias State = NewSnapshotState
    static let kind: WorkflowKind = "volume.snapshot.manage"

    static var steps: Steps<Self> {
        whenUndone()
        intend()
        Remote("adopt") { state, run in
            let (volume, generation) = try state.required()
            let begun = try await run.world.hosts.adopt(
                run.input.file, as: run.input.snapshotID, of: volume.spec.id, on: volume.host,
                fence: run.fence(generation))
            try await run.awaitWhole(begun, of: run.input.snapshotID, on: volume.host)
        } undo: { state, run in
            let (volume, generation) = try state.required()
            try await run.world.release(
                run.input.snapshotID, as: run.input.file, on: volume.host, fence: run.fence(generation))
        }
        finish()
    }
}

import CloudCore
import Durable
import HostModel

//   undone   the snapshot is in error, and a message says why
// 1 intend                the number of the change is raised
// 2 take     (creating)   the host has the snapshot; the undo removes it
// 3 finish   (available)  volumes can be made from it

/// A workflow that takes a snapshot. It takes its turn among those of the volume.
struct CreateSnapshot: VolumeWorkflow {
    typealias Input = PlainSnapshotInput
    typealias State = NewSnapshotState
    static let kind: WorkflowKind = "volume.snapshot.create"

    static var steps: Steps<Self> {
        whenUndone()
        intend()
        Remote("take", deadline: CreateVolume.copyDeadline) { state, run in
            let (volume, generation) = try state.required()
            let begun = try await run.world.hosts.snapshot(
                run.input.snapshotID, of: volume.spec.id, on: volume.host, fence: run.fence(generation))
            try await run.awaitWhole(begun, of: run.input.snapshotID, on: volume.host)
        } undo: { state, run in
            let (volume, generation) = try state.required()
            try await run.world.hosts.removeSnapshot(
                run.input.snapshotID, on: volume.host, fence: run.fence(generation))
        }
        finish()
    }
}

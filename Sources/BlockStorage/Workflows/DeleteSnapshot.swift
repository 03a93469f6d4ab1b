import CloudCore
import Durable
import HostModel

//   point of no return: the row is kept until the bytes are gone
// 1 intend   (deleting)  the number of the change is raised
// 2 remove   (deleting)  the host has removed the snapshot
// 3 forget               the row is gone

/// A workflow that deletes a snapshot. It takes its turn among those of the volume.
struct DeleteSnapshot: VolumeWorkflow {
    typealias Input = PlainSnapshotInput
    typealias State = FormerSnapshotState
    static let kind: WorkflowKind = "volume.snapshot.delete"

    static var steps: Steps<Self> {
        PointOfNoReturn()
        intend(.deleting)
        giveUp("remove") { run, host, fence in
            try await run.world.hosts.removeSnapshot(run.input.snapshotID, on: host, fence: fence)
        }
        forget()
    }
}

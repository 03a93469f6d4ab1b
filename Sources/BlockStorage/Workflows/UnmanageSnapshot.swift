import CloudCore
import Durable
import HostModel

//   point of no return: the row is kept until the host has given the bytes away
// 1 intend   (unmanaging)  the number of the change is raised
// 2 release  (unmanaging)  the bytes are in a file that is nobody's
// 3 forget                 the row is gone

/// A workflow that gives a snapshot up and leaves its bytes. It takes its turn among those of the volume.
struct UnmanageSnapshot: VolumeWorkflow {
    typealias Input = PlainSnapshotInput
    typealias State = FormerSnapshotState
    static let kind: WorkflowKind = "volume.snapshot.unmanage"

    static var steps: Steps<Self> {
        PointOfNoReturn()
        intend(.unmanaging)
        giveUp("release") { run, host, fence in
            try await run.world.release(run.input.snapshotID, as: nil, on: host, fence: fence)
        }
        forget()
    }
}

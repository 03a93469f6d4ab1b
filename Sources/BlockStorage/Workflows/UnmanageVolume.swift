import CloudCore
import Durable
import HostModel

//   point of no return: the row is kept until the host has given the bytes away
// 1 intend   (unmanaging)  the number of the change is raised
// 2 release  (unmanaging)  the bytes are in a file that is nobody's
// 3 forget                 the row is gone

/// A workflow that gives a volume up and leaves its bytes.
struct UnmanageVolume: VolumeWorkflow {
    struct Input: Codable, Sendable {
        var volumeID: ID<Kind.Volume>
    }

    struct State: WorkflowState {
        /// The volume to give away. It is also nil if the volume has no place, or if its row was gone before.
        var wanted: Wanted?
    }

    static let kind: WorkflowKind = "volume.unmanage"

    static var steps: Steps<Self> {
        PointOfNoReturn()
        Local("intend") { state, run, tx in
            guard let volume = try run.world.volumes.find(run.input.volumeID, in: tx) else { return }
            let changed = try run.world.change(volume.id, in: tx) { volume in
                volume.status = .unmanaging
                volume.generation += 1
            }
            if changed.host != nil { state.wanted = try Wanted(changed, type: nil) }
        }
        Remote("release", deadline: .seconds(600)) { state, run in
            guard let wanted = state.wanted else { return }
            try await run.world.release(wanted, as: nil, fence: run.fence(wanted.generation))
        }
        Local("forget") { state, run, tx in
            guard let volume = try run.world.volumes.find(run.input.volumeID, in: tx) else { return }
            // The volume has a place that the first step did not know: the host would keep it as a volume.
            if volume.host != nil { _ = try state.wanted.required("wanted", from: "intend") }
            try run.world.volumes.delete(volume.id, in: tx)
        }
    }
}

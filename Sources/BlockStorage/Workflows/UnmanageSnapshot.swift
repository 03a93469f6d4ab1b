import CloudCore
import Durable
import HostModel

//   point of no return: the row is kept until the host has given the bytes away
// 1 intend   (unmanaging)  the number of the change is raised
// 2 release  (unmanaging)  the bytes are in a file that is nobody's
// 3 forget                 the row is gone

/// A workflow that gives a snapshot up and leaves its bytes. It takes its turn among those of the volume.
struct UnmanageSnapshot: Workflow {
    struct Input: Codable, Sendable {
        var snapshotID: ID<Kind.Snapshot>
        var volumeID: ID<Kind.Volume>
    }

    struct State: Codable, Sendable {
        /// The host that has the snapshot. It is also nil if the row was gone before.
        var host: String?
        var generation: Int64?
    }

    typealias Needs = VolumeWorld
    static let kind: WorkflowKind = "volume.snapshot.unmanage"
    static let version = 1

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        PointOfNoReturn()
        Local("intend") { state, run, tx in
            guard try run.world.snapshots.find(run.input.snapshotID, in: tx) != nil else { return }
            state.host = try run.world.volumes.find(run.input.volumeID, in: tx)?.host
            try run.world.changeBack(run.input.snapshotID, in: tx) { snapshot in
                snapshot.status = .unmanaging
                snapshot.generation += 1
                state.generation = snapshot.generation
            }
        }
        Remote("release", deadline: .seconds(600)) { state, run in
            guard let host = state.host else { return }
            let fence = run.fence(try state.generation.required("generation", from: "intend"))
            try await run.world.release(run.input.snapshotID, as: nil, on: host, fence: fence)
        }
        Local("forget") { state, run, tx in
            guard let snapshot = try run.world.snapshots.find(run.input.snapshotID, in: tx) else { return }
            // The volume has a place that the first step did not know: the host would keep the snapshot.
            if try run.world.volumes.find(snapshot.volumeID, in: tx)?.host != nil {
                _ = try state.host.required("host", from: "intend")
            }
            try run.world.snapshots.delete(snapshot.id, in: tx)
        }
    }
}

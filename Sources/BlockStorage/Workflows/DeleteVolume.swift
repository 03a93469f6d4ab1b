import CloudCore
import Durable
import HostModel

//   point of no return: the rows are kept until the bytes are gone
// 1 intend   (deleting)  the numbers of the changes are raised
// 2 remove   (deleting)  the host has removed the snapshots and the volume
// 3 forget               the rows are gone

struct DeleteVolume: VolumeWorkflow {
    struct Input: Codable, Sendable {
        var volumeID: ID<Kind.Volume>
    }

    struct State: WorkflowState {
        /// The volume to remove. It is also nil if the volume has no place, or if its row was gone before.
        var wanted: Wanted?
        /// The snapshots that go with the volume; nil if its row was gone before.
        var snapshots: [Part]?
    }

    /// A snapshot that goes with the volume, and the number of the change.
    struct Part: Codable, Sendable {
        var id: ID<Kind.Snapshot>
        var generation: Int64
    }

    static let kind: WorkflowKind = "volume.delete"

    static var steps: Steps<Self> {
        PointOfNoReturn()
        Local("intend") { state, run, tx in
            guard let volume = try run.world.volumes.find(run.input.volumeID, in: tx) else { return }
            let changed = try run.world.change(volume.id, in: tx) { volume in
                volume.status = .deleting
                volume.generation += 1
            }
            var parts: [Part] = []
            for snapshot in try run.world.snapshots.list(of: volume.id, in: tx) {
                try run.world.changeBack(snapshot.id, in: tx) { snapshot in
                    snapshot.status = .deleting
                    snapshot.generation += 1
                }
                parts.append(Part(id: snapshot.id, generation: snapshot.generation + 1))
            }
            state.snapshots = parts
            if changed.host != nil { state.wanted = try Wanted(changed, type: nil) }
        }
        Remote("remove", deadline: .seconds(600)) { state, run in
            guard let wanted = state.wanted else { return }
            for snapshot in try state.snapshots.required("snapshots", from: "intend") {
                try await run.world.hosts.removeSnapshot(
                    snapshot.id, on: wanted.host, fence: run.fence(snapshot.generation))
            }
            try await run.world.hosts.remove(wanted.spec.id, on: wanted.host, fence: run.fence(wanted.generation))
        }
        Local("forget") { state, run, tx in
            guard let volume = try run.world.volumes.find(run.input.volumeID, in: tx) else { return }
            // The volume has a place that the first step did not know: the bytes would stay behind.
            if volume.host != nil { _ = try state.wanted.required("wanted", from: "intend") }
            for snapshot in try state.snapshots.required("snapshots", from: "intend") {
                try run.world.snapshots.delete(snapshot.id, in: tx)
            }
            try run.world.volumes.delete(volume.id, in: tx)
            try run.world.forgetGroup(of: volume, in: tx)
        }
    }
}

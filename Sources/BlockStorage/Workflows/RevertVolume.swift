import CloudCore
import Durable
import HostModel

//   undone   the volume is in error, because its bytes may be of both; the snapshot is as before
// 1 intend   (reverting)  the number of the change is raised
// 2 revert   (reverting)  the volume has the bytes of the snapshot
// 3 finish   (available)  both can be used again

struct RevertVolume: VolumeWorkflow {
    struct Input: Codable, Sendable {
        var volumeID: ID<Kind.Volume>
        var snapshotID: ID<Kind.Snapshot>
    }

    typealias State = WantedState
    static let kind: WorkflowKind = "volume.revert"

    static var steps: Steps<Self> {
        WhenUndone("accept") { _, run, tx in
            try run.world.changeBack(run.input.snapshotID, in: tx) { $0.status = .available }
            guard let volume = try run.world.undone(run.input.volumeID, in: tx) else { return }
            try run.world.change(volume.id, in: tx) { ($0.status, $0.previousStatus) = (.error, nil) }
        }
        Local("intend") { state, run, tx in
            let volume = try run.world.change(run.input.volumeID, in: tx) { $0.generation += 1 }
            state.wanted = try Wanted(volume, type: nil)
        }
        Remote("revert", deadline: CreateVolume.copyDeadline) { state, run in
            let wanted = try state.wanted.required("wanted", from: "intend")
            let begun = try await run.world.hosts.revert(
                wanted.spec.id, to: run.input.snapshotID, on: wanted.host, fence: run.fence(wanted.generation))
            try await run.awaitWhole(begun, of: wanted)
        }
        Local("finish") { state, run, tx in
            _ = try state.wanted.required("wanted", from: "intend")
            try run.world.changeBack(run.input.snapshotID, in: tx) { $0.status = .available }
            try run.world.change(run.input.volumeID, in: tx) { ($0.status, $0.previousStatus) = (.available, nil) }
        }
    }
}

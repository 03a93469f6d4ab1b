import CloudCore
import Durable
import HostModel

//   undone   the snapshot is in error, and a message says why
// 1 intend                the number of the change is raised
// 2 take     (creating)   the host has the snapshot; the undo removes it
// 3 finish   (available)  volumes can be made from it

/// A workflow that takes a snapshot. It takes its turn among those of the volume.
struct CreateSnapshot: Workflow {
    struct Input: Codable, Sendable {
        var snapshotID: ID<Kind.Snapshot>
        var volumeID: ID<Kind.Volume>
    }

    struct State: Codable, Sendable {
        /// The volume whose content is kept.
        var wanted: Wanted?
        /// The number of the change of the snapshot.
        var generation: Int64?
    }

    typealias Needs = VolumeWorld
    static let kind: WorkflowKind = "volume.snapshot.create"
    static let version = 1

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        WhenUndone("accept") { _, run, tx in
            guard let snapshot = try run.world.snapshots.find(run.input.snapshotID, in: tx) else { return }
            let subject = (VolumeMessage.Subject.snapshot, snapshot.id.text, snapshot.projectID)
            try run.world.tell(.createSnapshot, .noSnapshot, about: subject, run, in: tx)
            try run.world.changeBack(snapshot.id, in: tx) { $0.status = .error }
            try run.world.settleGroup(of: snapshot.id, in: tx)
        }
        Local("intend") { state, run, tx in
            let volume = try run.world.require(run.input.volumeID, in: tx)
            state.wanted = try Wanted(volume, type: nil)
            try run.world.changeBack(run.input.snapshotID, in: tx) { snapshot in
                snapshot.generation += 1
                state.generation = snapshot.generation
            }
        }
        Remote("take", deadline: CreateVolume.copyDeadline) { state, run in
            let wanted = try state.wanted.required("wanted", from: "intend")
            let fence = run.fence(try state.generation.required("generation", from: "intend"))
            let id = run.input.snapshotID
            let begun = try await run.world.hosts.snapshot(id, of: wanted.spec.id, on: wanted.host, fence: fence)
            try await run.world.awaitWhole(begun) {
                try await run.world.hosts.observe(id, on: wanted.host)
            } each: {
                try run.follow($0)
            }
        } undo: { state, run in
            let wanted = try state.wanted.required("wanted", from: "intend")
            let fence = run.fence(try state.generation.required("generation", from: "intend"))
            try await run.world.hosts.removeSnapshot(run.input.snapshotID, on: wanted.host, fence: fence)
        }
        Local("finish") { _, run, tx in
            try run.world.changeBack(run.input.snapshotID, in: tx) { $0.status = .available }
            try run.world.settleGroup(of: run.input.snapshotID, in: tx)
        }
    }
}

import CloudCore
import Durable
import HostModel

//   undone   the snapshot is in error, the file is as before, and a message says why
// 1 intend   (creating)   the number of the change is raised
// 2 adopt    (creating)   the file is the snapshot; the undo gives it back under its name
// 3 finish   (available)  volumes can be made from it

/// A workflow that makes a snapshot of a file of the volume's pool. It takes its turn among those of the volume.
struct ManageSnapshot: Workflow {
    struct Input: Codable, Sendable {
        var snapshotID: ID<Kind.Snapshot>
        var volumeID: ID<Kind.Volume>
        /// The file's name.
        var file: String
    }

    struct State: Codable, Sendable {
        var wanted: Wanted?
        /// The number of the change of the snapshot.
        var generation: Int64?
    }

    typealias Needs = VolumeWorld
    static let kind: WorkflowKind = "volume.snapshot.manage"
    static let version = 1

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        WhenUndone("accept") { _, run, tx in
            guard let snapshot = try run.world.snapshots.find(run.input.snapshotID, in: tx) else { return }
            let subject = (VolumeMessage.Subject.snapshot, snapshot.id.text, snapshot.projectID)
            try run.world.tell(.createSnapshot, .noSnapshot, about: subject, run, in: tx)
            try run.world.changeBack(snapshot.id, in: tx) { $0.status = .error }
        }
        Local("intend") { state, run, tx in
            state.wanted = try Wanted(try run.world.require(run.input.volumeID, in: tx), type: nil)
            try run.world.changeBack(run.input.snapshotID, in: tx) { snapshot in
                snapshot.generation += 1
                state.generation = snapshot.generation
            }
        }
        Remote("adopt") { state, run in
            let wanted = try state.wanted.required("wanted", from: "intend")
            let fence = run.fence(try state.generation.required("generation", from: "intend"))
            let id = run.input.snapshotID
            let begun = try await run.world.hosts.adopt(
                run.input.file, as: id, of: wanted.spec.id, on: wanted.host, fence: fence)
            try await run.world.awaitWhole(begun) {
                try await run.world.hosts.observe(id, on: wanted.host)
            } each: {
                try run.follow($0)
            }
        } undo: { state, run in
            let wanted = try state.wanted.required("wanted", from: "intend")
            let fence = run.fence(try state.generation.required("generation", from: "intend"))
            try await run.world.release(run.input.snapshotID, as: run.input.file, on: wanted.host, fence: fence)
        }
        Local("finish") { _, run, tx in
            try run.world.changeBack(run.input.snapshotID, in: tx) { $0.status = .available }
        }
    }
}

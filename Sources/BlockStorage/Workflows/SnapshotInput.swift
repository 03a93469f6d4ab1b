import CloudCore
import Durable
import HostModel

// The steps that the workflows of snapshots share. Each takes its turn among the workflows of the volume.

/// The input of a workflow of a snapshot.
protocol SnapshotInput: Codable, Sendable {
    var snapshotID: ID<Kind.Snapshot> { get }
    var volumeID: ID<Kind.Volume> { get }
}

/// The input of a workflow that needs no more than the snapshot and its volume.
struct PlainSnapshotInput: SnapshotInput {
    var snapshotID: ID<Kind.Snapshot>
    var volumeID: ID<Kind.Volume>
}

/// The state of a workflow that makes a snapshot.
struct NewSnapshotState: WorkflowState {
    /// The volume whose content is kept.
    var wanted: Wanted?
    /// The number of the change of the snapshot.
    var generation: Int64?

    /// Returns the volume, and the number of the change.
    func required() throws -> (volume: Wanted, generation: Int64) {
        (
            try wanted.required("wanted", from: "intend"),
            try generation.required("generation", from: "intend")
        )
    }
}

extension VolumeWorkflow where Input: SnapshotInput, State == NewSnapshotState {
    /// Returns the undo of the whole workflow: the snapshot is in error, and a message says why.
    static func whenUndone() -> WhenUndone<Self> {
        WhenUndone("accept") { _, run, tx in
            guard let snapshot = try run.world.snapshots.find(run.input.snapshotID, in: tx) else { return }
            let subject = (VolumeMessage.Subject.snapshot, snapshot.id.text, snapshot.projectID)
            try run.world.tell(.createSnapshot, .noSnapshot, about: subject, run, in: tx)
            try run.world.changeBack(snapshot.id, in: tx) { $0.status = .error }
            try run.world.settleGroup(of: snapshot.id, in: tx)
        }
    }

    /// Returns the step that raises the number of the change.
    static func intend() -> Local<Self> {
        Local("intend") { state, run, tx in
            state.wanted = try Wanted(try run.world.require(run.input.volumeID, in: tx), type: nil)
            try run.world.changeBack(run.input.snapshotID, in: tx) { snapshot in
                snapshot.generation += 1
                state.generation = snapshot.generation
            }
        }
    }

    /// Returns the step after which volumes can be made from the snapshot.
    static func finish() -> Local<Self> {
        Local("finish") { _, run, tx in
            try run.world.changeBack(run.input.snapshotID, in: tx) { $0.status = .available }
            try run.world.settleGroup(of: run.input.snapshotID, in: tx)
        }
    }
}

/// The state of a workflow that gives a snapshot up.
struct FormerSnapshotState: WorkflowState {
    /// The host that has the snapshot. It is also nil if the row was gone before.
    var host: String?
    var generation: Int64?
}

extension VolumeWorkflow where Input: SnapshotInput, State == FormerSnapshotState {
    /// Returns the step that raises the number of the change.
    static func intend(_ status: SnapshotStatus) -> Local<Self> {
        Local("intend") { state, run, tx in
            guard try run.world.snapshots.find(run.input.snapshotID, in: tx) != nil else { return }
            state.host = try run.world.volumes.find(run.input.volumeID, in: tx)?.host
            try run.world.changeBack(run.input.snapshotID, in: tx) { snapshot in
                snapshot.status = status
                snapshot.generation += 1
                state.generation = snapshot.generation
            }
        }
    }

    /// Returns the step by which the host gives the snapshot up.
    static func giveUp(
        _ name: String, _ body: @escaping @Sendable (Run<Self>, _ host: String, Fence) async throws -> Void
    ) -> Remote<Self> {
        Remote(name, deadline: .seconds(600)) { state, run in
            guard let host = state.host else { return }
            try await body(run, host, run.fence(try state.generation.required("generation", from: "intend")))
        }
    }

    /// Returns the step that removes the row.
    static func forget() -> Local<Self> {
        Local("forget") { state, run, tx in
            guard let snapshot = try run.world.snapshots.find(run.input.snapshotID, in: tx) else { return }
            // The volume has a place that the first step did not know: the host would keep the snapshot.
            if try run.world.volumes.find(snapshot.volumeID, in: tx)?.host != nil {
                _ = try state.host.required("host", from: "intend")
            }
            try run.world.snapshots.delete(snapshot.id, in: tx)
            try run.world.forgetGroup(of: snapshot, in: tx)
        }
    }
}

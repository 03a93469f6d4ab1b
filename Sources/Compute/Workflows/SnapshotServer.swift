import CloudCore
import Durable

// 1 reserve   (image_snapshot_pending)  a queued image; undone, it is gone
// 2 snapshot  (image_snapshot)          a copy of the root disk on the host; undone, it is gone
// 3 upload    (image_uploading)         the image has the copy's bytes
// 4 clean-up  (image_uploading)         the copy is gone

struct SnapshotServer: Workflow {
    struct Input: Codable, Sendable {
        var serverID: ID<Server>
        var image: NewImage
    }

    struct State: Codable, Sendable {
        var intent: Intent?
        var snapshot: MachineSnapshot?
    }

    typealias Needs = ServerWorld
    static let kind: WorkflowKind = "compute.server.snapshot"
    static let version = 1

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        Local("intend", shows: .snapshotPending) { state, run, tx in
            state.intent = try run.needs.intend(run.input.serverID, in: tx)
        }
        Remote("reserve", shows: .snapshotPending) { _, run in
            guard let principal = run.principal else { return }
            try await run.needs.needs.images.ensure(run.input.image, for: principal)
        } undo: { _, run in
            guard let principal = run.principal else { return }
            try await run.needs.needs.images.delete(run.input.image.id, for: principal)
        }
        Remote("snapshot", shows: .snapshot, deadline: .seconds(1800)) { state, run in
            guard let intent = state.intent else { return }
            state.snapshot = try await run.needs.needs.machines.snapshot(
                intent.server.id.text, as: run.input.image.id, on: try intent.host, fence: intent.fence(run.epoch))
        } undo: { state, run in
            guard let host = state.intent?.server.host else { return }
            try await run.needs.needs.machines.removeSnapshot(run.input.image.id, on: host)
        }
        Remote("upload", shows: .imageUploading, deadline: .seconds(3600)) { state, run in
            guard let principal = run.principal, let intent = state.intent, let snapshot = state.snapshot else { return }
            try await run.needs.needs.images.fill(run.input.image.id, with: snapshot, on: try intent.host, for: principal)
        }
        Remote("clean-up", shows: .imageUploading) { state, run in
            guard let host = state.intent?.server.host else { return }
            try await run.needs.needs.machines.removeSnapshot(run.input.image.id, on: host)
        }
    }
}

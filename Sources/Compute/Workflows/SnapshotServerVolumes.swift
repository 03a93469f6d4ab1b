import CloudCore
import Durable
import HostModel

// The request has begun the snapshots and queued the image, which has no bytes: it only names the snapshots. The
// machine does not notice anything.
//
//   undone     (image_snapshot_pending)  the image and the snapshots are deleted
// 1 note       (image_snapshot_pending)  the snapshots to wait for are noted
// 2 snapshots  (image_snapshot)          volumes can be made of the snapshots
// 3 publish    (image_uploading)         servers can be made of the image

struct SnapshotServerVolumes: ServerWorkflow {
    struct Input: Codable, ServerInput {
        var serverID: ID<Kind.Server>
        var image: NewImage
        /// The snapshots of the server's volumes.
        var snapshots: [ID<Kind.Snapshot>]
    }

    struct State: WorkflowState {
        /// The snapshots that are waited for; nil until the step `note` has run.
        var pending: [ID<Kind.Snapshot>]?
    }

    static let kind: WorkflowKind = "compute.server.snapshot-volumes"

    static var steps: Steps<Self> {
        WhenUndone("keep", shows: .snapshotPending) { _, run in
            let principal = try run.requirePrincipal()
            try await run.world.images.delete(run.input.image.id, for: principal)
            for id in run.input.snapshots { try await run.world.volumes.delete(id, for: principal) }
        }
        Local("note", shows: .snapshotPending) { state, run, tx in
            _ = try run.world.require(run.input.serverID, in: tx)
            state.pending = run.input.snapshots
        }
        Remote("snapshots", shows: .snapshot, retry: .whileCopying) { state, run in
            for id in try state.pending.required("pending", from: "note") {
                try await run.world.volumes.awaitWhole(id)
            }
        }
        Remote("publish", shows: .imageUploading) { state, run in
            _ = try state.pending.required("pending", from: "note")
            try await run.world.images.publish(run.input.image.id, for: try run.requirePrincipal())
        }
    }
}

extension Retry {
    /// The looks at volumes that are being filled: often at first, then every two seconds, for some three hours.
    static let whileCopying = Retry(attempts: 5400, first: .milliseconds(50), longest: .seconds(2))
}

import CloudCore
import Durable
import HostModel

/// The input of a workflow that makes an image of a server's root disk.
protocol CopyInput: ServerInput { var image: NewImage { get } }

protocol CopyState: IntentState {
    var intent: Intent? { get set }
    /// The copy on the host; nil until the step `snapshot` has run.
    var snapshot: DiskSnapshot? { get set }
}

extension ServerWorkflow where Input: CopyInput, State: CopyState {
    /// Returns the undo of the whole workflow: it deletes the image that was queued before the user was answered.
    static func keepImage(shows: ShownState) -> WhenUndone<Self> {
        WhenUndone("keep", shows: shows) { _, run in
            try await run.world.images.delete(run.input.image.id, for: try run.requirePrincipal())
        }
    }

    /// Returns the step that raises the generation of the machine.
    ///
    /// - Parameter checksState: whether the server must be in a state in which the action is allowed.
    static func intend(shows: ShownState, checksState: Bool = false) -> Local<Self> {
        Local("intend", shows: shows) { state, run, tx in
            let intent = try run.world.intend(run.input.serverID, from: checksState ? rule.states : nil, in: tx)
            // The disk is on the host. A server without a host has nothing to copy.
            _ = try intent.host
            state.intent = intent
        }
    }

    /// Returns the step that copies the root disk on the host. Its undo removes the copy.
    static func copyDisk(shows: ShownState) -> Remote<Self> {
        Remote("snapshot", shows: shows, deadline: .seconds(1800)) { state, run in
            state.snapshot = try await run.machine(try state.wanted()).snapshot(for: run.input.image.id)
        } undo: { state, run in
            try await run.machineToUndo(try state.wanted())?.removeSnapshot(for: run.input.image.id)
        }
    }

    /// Returns the step that fills the image with the copy's bytes.
    static func fillImage(shows: ShownState) -> Remote<Self> {
        Remote("upload", shows: shows, deadline: .seconds(3600)) { state, run in
            let snapshot = try state.snapshot.required("snapshot", from: "snapshot")
            try await run.world.images.fill(
                run.input.image.id, with: snapshot, on: try state.wanted().host, for: try run.requirePrincipal())
        }
    }

    /// Returns the step that removes the copy.
    static func removeCopy(shows: ShownState) -> Remote<Self> {
        Remote("clean-up", shows: shows) { state, run in
            try await run.machine(try state.wanted()).removeSnapshot(for: run.input.image.id)
        }
    }
}

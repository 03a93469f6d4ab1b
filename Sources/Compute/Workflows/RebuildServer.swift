import CloudCore
import Durable

// 1 intend   (rebuilding)        the row has the new image and attributes; the undo sets it to error
// 2 stop     (rebuilding)        the machine is off, if its host has it
// 3 rebuild  (rebuild_spawning)  the machine has the content of the new image
// 4 boot     (rebuild_spawning)  the machine runs, if it ran before
// 5 finish   (rebuild_spawning)  the row says active or stopped
//
// An undone rebuild leaves the server in error, because its disk may be lost.

struct RebuildServer: ServerWorkflow {
    struct Input: Codable, Sendable {
        /// The server with the attributes that it is to have.
        var server: Server
        var startsAfter: Bool
    }

    struct State: IntentState { var intent: Intent? }
    static let kind: WorkflowKind = "compute.server.rebuild"

    static var steps: Steps<Self> {
        Local("intend", shows: .rebuilding) { state, run, tx in
            let wanted = run.input.server
            state.intent = try run.world.intend(wanted.id, in: tx) { $0.take(fromRebuild: wanted) }
        } undo: { _, run, tx in
            try run.world.changeBack(run.input.server.id, in: tx) { $0.state = .error }
        }
        stopForGood("stop", shows: .rebuilding, graceSeconds: 0)
        Remote("rebuild", shows: .rebuildSpawning, deadline: .seconds(1800)) { state, run in
            let intent = try state.wanted()
            try await run.machine(intent).ensure(diskRevision: intent.server.generation)
        }
        boot(shows: .rebuildSpawning, on: { state, input in input.startsAfter ? try state.wanted().host : nil })
        Local("finish", shows: .rebuildSpawning) { _, run, tx in
            let starts = run.input.startsAfter
            try run.world.change(run.input.server.id, in: tx) { server in
                (server.state, server.power) = starts ? (.active, .running) : (.stopped, .off)
                server.launchedAt = run.world.now
            }
        }
    }
}

extension Server {
    /// Takes the values that a rebuild may change.
    mutating func take(fromRebuild wanted: Server) {
        (name, description, hostname) = (wanted.name, wanted.description, wanted.hostname)
        (image, metadata, userData) = (wanted.image, wanted.metadata, wanted.userData)
        (keyName, publicKey) = (wanted.keyName, wanted.publicKey)
        (accessIPv4, accessIPv6) = (wanted.accessIPv4, wanted.accessIPv6)
        (resizesDisk, certificates) = (wanted.resizesDisk, wanted.certificates)
    }
}

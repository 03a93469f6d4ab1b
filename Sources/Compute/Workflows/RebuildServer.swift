import CloudCore
import Durable

// 1 intend   (rebuilding)        another image and other attributes; undone, the server is in error, for its disk may be gone
// 2 stop     (rebuilding)        its machine is off
// 3 rebuild  (rebuild_spawning)  its machine has the new image's content
// 4 boot     (rebuild_spawning)  its machine runs, if it ran before
// 5 finish   (rebuild_spawning)  the row says active, or stopped

struct RebuildServer: Workflow {
    struct Input: Codable, Sendable {
        /// The server as it is to be.
        var server: Server
        var startsAfter: Bool
    }

    struct State: Codable, Sendable { var intent: Intent? }
    typealias Needs = ServerWorld
    static let kind: WorkflowKind = "compute.server.rebuild"
    static let version = 1

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        Local("intend", shows: .rebuilding) { state, run, tx in
            let wanted = run.input.server
            state.intent = try run.needs.intend(wanted.id, in: tx) { server in
                (server.name, server.description, server.hostname) = (wanted.name, wanted.description, wanted.hostname)
                (server.image, server.metadata, server.userData) = (wanted.image, wanted.metadata, wanted.userData)
                (server.keyName, server.publicKey) = (wanted.keyName, wanted.publicKey)
                (server.accessIPv4, server.accessIPv6) = (wanted.accessIPv4, wanted.accessIPv6)
                (server.resizesDisk, server.certificates) = (wanted.resizesDisk, wanted.certificates)
            }
        } undo: { _, run, tx in
            try run.needs.change(run.input.server.id, in: tx) { $0.state = .error }
        }
        Remote("stop", shows: .rebuilding, deadline: .seconds(300)) { state, run in
            guard let intent = state.intent else { return }
            try await run.needs.needs.machines.command(
                intent.server.id.text, .stop(graceSeconds: 0), on: try intent.host, fence: intent.fence(run.epoch))
        }
        Remote("rebuild", shows: .rebuildSpawning, deadline: .seconds(1800)) { state, run in
            guard let intent = state.intent else { return }
            try await run.needs.needs.machines.ensure(
                intent.order(diskRevision: intent.server.generation), on: try intent.host, fence: intent.fence(run.epoch))
        }
        Remote("boot", shows: .rebuildSpawning) { state, run in
            guard let intent = state.intent, run.input.startsAfter else { return }
            try await run.needs.needs.machines.command(
                intent.server.id.text, .start, on: try intent.host, fence: intent.fence(run.epoch))
        }
        Local("finish", shows: .rebuildSpawning) { _, run, tx in
            try run.needs.change(run.input.server.id, in: tx) { server in
                server.state = run.input.startsAfter ? .active : .stopped
                server.power = run.input.startsAfter ? .running : .off
                server.launchedAt = run.needs.world.now
            }
        }
    }
}

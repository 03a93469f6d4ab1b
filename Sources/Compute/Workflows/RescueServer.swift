import CloudCore
import Durable

// 1 intend  (rescuing)  the row says what it is to start from; undone, what it started from
// 2 stop    (rescuing)  its machine is off
// 3 change  (rescuing)  its machine has the image's disk before its own
// 4 boot    (rescuing)  its machine runs
// 5 finish  (rescuing)  the row says rescued
//
// The way back is the same without an image, and shows unrescuing.

/// Which way it goes.
protocol RescuePurpose: Sendable {
    static var kind: WorkflowKind { get }
    static var shows: ShownState { get }
    static var result: VMState { get }
}

enum RescueThere: RescuePurpose {
    static let kind: WorkflowKind = "compute.server.rescue"
    static let shows = ShownState.rescuing
    static let result = VMState.rescued
}

enum RescueBack: RescuePurpose {
    static let kind: WorkflowKind = "compute.server.unrescue"
    static let shows = ShownState.unrescuing
    static let result = VMState.active
}

typealias RescueServer = StartServerOtherwise<RescueThere>
typealias UnrescueServer = StartServerOtherwise<RescueBack>

struct StartServerOtherwise<Purpose: RescuePurpose>: Workflow {
    struct Input: Codable, Sendable {
        var serverID: ID<Server>
        /// What it is to start from; nil for its own disk.
        var image: Server.ImageReference?
    }

    struct State: Codable, Sendable {
        var intent: Intent?
        /// What it started from before.
        var former: Server.ImageReference?
        var wasRunning = false
    }

    typealias Needs = ServerWorld
    static var kind: WorkflowKind { Purpose.kind }
    static var version: Int { 1 }

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        Local("intend", shows: Purpose.shows) { state, run, tx in
            let server = try run.needs.require(run.input.serverID, in: tx)
            (state.former, state.wasRunning) = (server.rescueImage, server.power == .running)
            state.intent = try run.needs.intend(server.id, in: tx) { $0.rescueImage = run.input.image }
        } undo: { state, run, tx in
            try run.needs.change(run.input.serverID, in: tx) { $0.rescueImage = state.former }
        }
        Remote("stop", shows: Purpose.shows, deadline: .seconds(300)) { state, run in
            guard let intent = state.intent else { return }
            // What was rescued has nothing to save.
            try await run.needs.command(.stop(graceSeconds: state.former == nil ? 60 : 0), intent, run.epoch)
        } undo: { state, run in
            guard let intent = state.intent, state.wasRunning else { return }
            try await run.needs.goOn(.start, intent, run.epoch)
        }
        Remote("change", shows: Purpose.shows, deadline: .seconds(1800)) { state, run in
            guard let intent = state.intent else { return }
            try await run.needs.needs.machines.ensure(intent.order(), on: try intent.host, fence: intent.fence(run.epoch))
        } undo: { state, run in
            guard var intent = state.intent else { return }
            intent.server.rescueImage = state.former
            try await run.needs.command(.stop(graceSeconds: 0), intent, run.epoch)
            try await run.needs.needs.machines.ensure(intent.order(), on: try intent.host, fence: intent.fence(run.epoch))
        }
        Remote("boot", shows: Purpose.shows) { state, run in
            guard let intent = state.intent else { return }
            try await run.needs.command(.start, intent, run.epoch)
        }
        Local("finish", shows: Purpose.shows) { _, run, tx in
            try run.needs.change(run.input.serverID, in: tx) { server in
                (server.state, server.power) = (Purpose.result, .running)
                server.launchedAt = run.needs.world.now
            }
        }
    }
}

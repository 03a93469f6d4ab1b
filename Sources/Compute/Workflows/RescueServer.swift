import CloudCore
import Durable

// 1 intend  (rescuing)  the row names the image to start from; the undo restores the former value
// 2 stop    (rescuing)  the machine is off
// 3 change  (rescuing)  the machine boots from a disk of the image, before its own disks
// 4 boot    (rescuing)  the machine runs
// 5 finish  (rescuing)  the row says rescued
//
// The way back is the same workflow without an image. It shows unrescuing.

/// The direction of the workflow: into the rescue or out of it.
protocol RescuePurpose: Sendable {
    static var kind: WorkflowKind { get }
    static var shows: ShownState { get }
    static var result: VMState { get }
    /// Whether the server must have started from a rescue image before.
    static var comesFromImage: Bool { get }
}

enum RescueThere: RescuePurpose {
    static let kind: WorkflowKind = "compute.server.rescue"
    static let shows = ShownState.rescuing
    static let result = VMState.rescued
    static let comesFromImage = false
}

enum RescueBack: RescuePurpose {
    static let kind: WorkflowKind = "compute.server.unrescue"
    static let shows = ShownState.unrescuing
    static let result = VMState.active
    static let comesFromImage = true
}

typealias RescueServer = StartServerOtherwise<RescueThere>
typealias UnrescueServer = StartServerOtherwise<RescueBack>

extension StartServerOtherwise.Input: PlainServerInput {
    init(serverID: ID<Kind.Server>) { self.init(serverID: serverID, image: nil) }
}

struct StartServerOtherwise<Purpose: RescuePurpose>: ServerWorkflow {
    struct Input: Codable, Sendable {
        var serverID: ID<Kind.Server>
        /// The image to start from; nil for the server's own disk.
        var image: Server.ImageReference?
    }

    struct State: IntentState {
        var intent: Intent?
        /// The image that the server started from before; nil for its own disk.
        var former: Server.ImageReference?
        var wasRunning = false

        func requireFormer() throws -> Server.ImageReference? {
            Purpose.comesFromImage ? try former.required("former", from: "intend") : former
        }
    }

    static var kind: WorkflowKind { Purpose.kind }

    static var steps: Steps<Self> {
        Local("intend", shows: Purpose.shows) { state, run, tx in
            let server = try run.world.require(run.input.serverID, in: tx)
            (state.former, state.wasRunning) = (server.rescueImage, server.power == .running)
            state.intent = try run.world.intend(server.id, in: tx) { $0.rescueImage = run.input.image }
        } undo: { state, run, tx in
            let former = try state.requireFormer()
            try run.world.changeBack(run.input.serverID, in: tx) { $0.rescueImage = former }
        }
        // A rescue system has no data to save, so it is stopped at once.
        stop(shows: Purpose.shows, graceSeconds: { $0.former == nil ? 60 : 0 }, startsAgain: { state, _ in state.wasRunning })
        Remote("change", shows: Purpose.shows, deadline: .seconds(1800)) { state, run in
            try await run.machine(try state.wanted()).ensure()
        } undo: { state, run in
            var intent = try state.wanted()
            intent.server.rescueImage = try state.requireFormer()
            guard let machine = run.machineToUndo(intent) else { return }
            try await machine.stop(graceSeconds: 0)
            try await machine.ensure()
        }
        boot(shows: Purpose.shows)
        Local("finish", shows: Purpose.shows) { _, run, tx in
            try run.world.change(run.input.serverID, in: tx) { server in
                (server.state, server.power) = (Purpose.result, .running)
                server.launchedAt = run.world.now
            }
        }
    }
}

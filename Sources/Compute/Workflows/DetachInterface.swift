import CloudCore
import Durable

// 1 intend  the machine is wanted without the card
//   point of no return
// 2 detach  its machine has let go of it, or was waited for long enough
// 3 forget  the port is gone, or free

struct DetachInterface: Workflow {
    struct Input: Codable, Sendable {
        var serverID: ID<Kind.Server>
        var portID: ID<Kind.Port>
    }

    struct State: Codable, IntentState { var intent: Intent? }
    typealias Needs = ServerWorld
    static let kind: WorkflowKind = "compute.server.detach-interface"
    static let version = 1

    /// The driver's word for a device that the guest holds.
    private static let keptByGuest = "device_kept"

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        Local("intend") { state, run, tx in
            state.intent = try run.world.intend(run.input.serverID, from: rule.states, in: tx)
        }
        PointOfNoReturn()
        Remote("detach", deadline: .seconds(300)) { state, run in
            let intent = try state.wanted()
            do {
                try await run.machine(intent.without(run.input.portID)).ensure()
            } catch let error as CloudError where error.code == Self.keptByGuest {
                // The driver has waited for it. A guest without a system to hear it never lets go, and what waits its turn, a reboot
                // that would free the card among it, must not wait for ever. Its host takes the card away when it can.
                run.note("The guest does not let go of the card. It keeps a card without a network until it is powered off.")
            }
        }
        Local("forget") { _, run, tx in
            try run.world.networking.releasePort(run.input.portID, of: run.input.serverID, in: tx)
        }
    }
}

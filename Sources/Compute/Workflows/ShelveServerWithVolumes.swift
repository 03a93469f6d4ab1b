import CloudCore
import Durable

// A server whose root disk is a volume needs no image: the volume has everything. So it leaves its host at once.
//
// 1 intend      (shelving)             the machine's generation is raised
// 2 stop        (shelving)             the machine is off, if the server was active
//   point of no return: the guest has stopped
// 3 switch-off  (shelving_offloading)  the machine is off
// 4 remove      (shelving_offloading)  the host has removed the machine, which may use no volume any more
// 5 offload     (shelving_offloading)  the row says shelved_offloaded; share and binding are released

struct ShelveServerWithVolumes: ServerWorkflow {
    struct Input: Codable, PlainServerInput { var serverID: ID<Kind.Server> }
    struct State: IntentState { var intent: Intent? }
    static let kind: WorkflowKind = "compute.server.shelve-with-volumes"

    static var steps: Steps<Self> {
        Local("intend", shows: .shelving) { state, run, tx in
            let intent = try run.world.intend(run.input.serverID, from: rule.states, in: tx)
            _ = try intent.host
            state.intent = intent
        }
        stop(shows: .shelving, if: wasActive, startsAgain: wasActive)
        PointOfNoReturn()
        stopForGood("switch-off", shows: .shelvingOffloading, graceSeconds: 0)
        tearDown("remove", shows: .shelvingOffloading) { state, _ in [try state.wanted().host] }
        Local("offload", shows: .shelvingOffloading) { _, run, tx in try run.offload(run.input.serverID, in: tx) }
    }

    private static var wasActive: Condition { { state, _ in try state.wanted().server.state == .active } }
}

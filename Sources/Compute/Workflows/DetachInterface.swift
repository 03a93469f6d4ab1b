import CloudCore
import Durable

// 1 intend  the machine's generation is raised
//   point of no return
// 2 detach  the machine has no card for the port, or the guest did not release the card in time
// 3 forget  the port is deleted or free

struct DetachInterface: ServerWorkflow {
    struct Input: Codable, Sendable {
        var serverID: ID<Kind.Server>
        var portID: ID<Kind.Port>
    }

    struct State: IntentState { var intent: Intent? }
    static let kind: WorkflowKind = "compute.server.detach-interface"

    /// The error code of the driver for a device that the guest does not release.
    private static let keptByGuest = "device_kept"

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
                // The driver has waited for the guest. A guest without an operating system never releases a card, and
                // the workflows that wait must not wait for ever; a reboot, which would free the card, may be one of
                // them. The host removes the card when it can.
                run.note("The guest does not let go of the card. It keeps a card without a network until it is powered off.")
            }
        }
        Local("forget") { _, run, tx in
            try run.world.networking.releasePort(run.input.portID, of: run.input.serverID, in: tx)
        }
    }
}

import CloudCore
import Durable
import HostModel
import SQL

// 1 port    the server has the port, bound to its host; the undo deletes or frees the port
// 2 wire    the host has the port and its rules
// 3 attach  the machine has the card

struct AttachInterface: ServerWorkflow {
    struct Input: Codable, ServerInput {
        var serverID: ID<Kind.Server>
        var network: NetworkPlan
        /// Whether the workflow takes the ports. Nil in rows of release 0.1, where the request had taken them before.
        var takesPorts: Bool?
    }

    struct State: IntentState {
        var intent: Intent?

        static let intentStep = "port"
    }

    static let kind: WorkflowKind = "compute.server.attach-interface"

    static var steps: Steps<Self> {
        Local("port") { state, run, tx in
            let server = try run.world.require(run.input.serverID, in: tx)
            if run.input.takesPorts == true { try refuseTaken(run.input.network, by: server, run.world.networking, in: tx) }
            _ = try run.world.networking.ensurePorts(run.input.network, server: server.id, host: try server.requireHost(), in: tx)
            state.intent = try run.world.intend(server.id, from: rule.states, in: tx)
        } undo: { _, run, tx in
            for port in run.input.network.ports {
                try run.world.networking.releasePort(port.id, of: run.input.serverID, in: tx)
            }
        }
        wire { try $0.wanted().host }
        Remote("attach", deadline: .seconds(300)) { state, run in
            try await run.machine(try state.wanted()).ensure()
        } undo: { state, run in
            var intent = try state.wanted()
            let new = Set(run.input.network.ports.map(\.id))
            intent.ports.removeAll { new.contains($0.id) }
            try await run.machineToUndo(intent)?.ensure()
        }
    }

    /// Refuses a port that the server has already. A workflow that ran while this one waited may have attached it.
    private static func refuseTaken(
        _ plan: NetworkPlan, by server: Server, _ networking: any NetworkingNeed, in tx: Transaction
    ) throws {
        let present = Set(try networking.ports(of: [server.id], in: tx)[server.id]?.map(\.id) ?? [])
        for port in plan.ports where port.isGiven && present.contains(port.id) {
            throw CloudError(.conflict, "Port \(port.id) is still in use.", code: "PortInUse")
        }
    }
}

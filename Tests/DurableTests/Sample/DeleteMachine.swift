import CloudCore
import Durable

// It only goes forward, and removes whatever it finds.
// 1 withdraw       (deleting)   the name
// 2 until-drained  (deleting)   the host says that nobody uses the name, or nobody says anything for a minute
// 3 remove         (deleting)   machine and disk
// 4 forget                      the rows

struct DeleteMachine: Workflow {
    struct Input: Codable, Sendable {
        var machineID: ID<Machine>
        var diskID: String
        var name: String
    }

    struct State: WorkflowState {}

    typealias Needs = MachineNeeds
    static let kind: WorkflowKind = "sample.machine.delete"

    static var steps: Steps<Self> {
        PointOfNoReturn()
        Remote("withdraw", shows: "deleting") { _, run in
            try run.needs.host.withdraw(run.input.name, run.input.machineID.text, epoch: run.epoch)
        }
        Wait("until-drained", signal: "drained", timeout: .seconds(60), onTimeout: .proceed)
        Remote("remove") { _, run in
            let machine = run.input.machineID.text
            try run.needs.host.removeMachine(machine, epoch: run.epoch)
            try run.needs.host.removeDisk(run.input.diskID, of: machine, epoch: run.epoch)
        }
        Local("forget") { _, run, tx in
            try run.needs.machines.release(run.input.machineID, in: tx)
            try run.needs.machines.delete(run.input.machineID, in: tx)
        }
    }
}

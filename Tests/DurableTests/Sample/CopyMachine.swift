import CloudCore
import Durable
import SQL
import TestSupport

// The name of the copy is published before the workflow is started.
//
//   undone  (copying)  the name is gone
// 1 mark    (copying)  the row says that the machine is copied
//   undone  (copying)  the row says what it said before
// 2 copy    (copying)  the copy on the host; undone, it is gone
// 3 finish             the row says that there is a copy

struct CopyMachine: Workflow {
    struct Input: Codable, Sendable {
        var machineID: ID<Machine>
        var name: String
    }

    struct State: WorkflowState { var copyID: String? }
    typealias Needs = MachineNeeds
    static let kind: WorkflowKind = "sample.machine.copy"

    static var steps: Steps<Self> {
        WhenUndone("keep", shows: "copying") { _, run in
            try run.needs.host.withdraw(run.input.name, run.input.machineID.text, epoch: run.epoch)
        }
        Local("mark") { state, run, tx in
            state.copyID = run.uuid(for: "copy")
            try run.needs.machines.setStatus(run.input.machineID, "copying", in: tx)
        }
        WhenUndone("restore") { _, run, tx in
            try run.needs.machines.setStatus(run.input.machineID, "building", in: tx)
        }
        Remote("copy") { state, run in
            let copy = try state.copyID.required("copyID", from: "mark")
            try run.needs.host.ensureDisk(copy, for: run.input.machineID.text, epoch: run.epoch)
        } undo: { state, run in
            let copy = try state.copyID.required("copyID", from: "mark")
            try run.needs.host.removeDisk(copy, of: run.input.machineID.text, epoch: run.epoch)
        }
        Local("finish", shows: nil) { _, run, tx in try run.needs.machines.setStatus(run.input.machineID, "copied", in: tx) }
    }
}

/// A machine with a published name for its copy, and a request for the copy.
struct CopyMachineStage: WorkflowStage {
    static let fixture = WorkflowFixture(CopyMachine.self, schemas: [MachineStore.schema]) { _, _ in CopyMachineStage() }

    let machineID = ID<Machine>("machine-1")
    let host = FakeHost()

    func definitions() -> [WorkflowDefinition] { [WorkflowDefinition(CopyMachine.self, needs: MachineNeeds(host: host))] }

    func start(_ workflows: Workflows, in tx: Transaction) throws -> WorkflowID {
        try MachineStore().insert(machineID, in: tx)
        try host.publish("copy", machineID.text, epoch: 0)
        return try workflows.start(CopyMachine.self, .init(machineID: machineID, name: "copy"), on: .machine(machineID), as: nil, in: tx)
    }

    func outcome(_ tx: Transaction) throws -> String { (try MachineStore().machines(in: tx) + host.contents).joined(separator: "\n") }

    func leftovers(_ tx: Transaction) throws -> [String] {
        try MachineStore().machines(in: tx).filter { !$0.contains("is building") } + host.contents
    }
}

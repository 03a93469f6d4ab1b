import CloudCore
import Durable
import SQL
import TestSupport

/// A host without machines, and a request for one.
struct CreateMachineStage: WorkflowStage {
    static let fixture = WorkflowFixture(CreateMachine.self, schemas: [MachineStore.schema]) { _, _ in CreateMachineStage() }

    let machineID = ID<Machine>("machine-1")
    let host = FakeHost()

    func definitions() -> [WorkflowDefinition] { [WorkflowDefinition(CreateMachine.self, needs: MachineNeeds(host: host))] }

    func start(_ workflows: Workflows, in tx: Transaction) throws -> WorkflowID {
        try MachineStore().insert(machineID, in: tx)
        let input = CreateMachine.Input(machineID: machineID, size: 4, name: "www")
        return try workflows.start(CreateMachine.self, input, on: .machine(machineID), as: nil, in: tx)
    }

    func signals(for step: String) -> [StagedSignal] { step == "until-running" ? [running(generation: 1)] : [] }
    func staleSignals(for step: String) -> [StagedSignal] { step == "until-running" ? [running(generation: 0)] : [] }

    private func running(generation: Int) -> StagedSignal {
        let report = CreateMachine.Running(generation: generation, address: "10.0.0.\(generation)")
        return StagedSignal("running", payload: report, to: .machine(machineID))
    }

    func outcome(_ tx: Transaction) throws -> String {
        (try MachineStore().machines(in: tx) + MachineStore().claims(in: tx) + host.contents).joined(separator: "\n")
    }

    func leftovers(_ tx: Transaction) throws -> [String] {
        // The row stays, for its user to see; nothing else does.
        try MachineStore().machines(in: tx).filter { !$0.hasSuffix("at no address") } + MachineStore().claims(in: tx)
            + host.contents
    }
}

/// A machine that runs, and a request to delete it.
struct DeleteMachineStage: WorkflowStage {
    static let fixture = WorkflowFixture(DeleteMachine.self, schemas: [MachineStore.schema]) { database, _ in
        let stage = DeleteMachineStage()
        try await stage.prepare(database)
        return stage
    }

    let machineID = ID<Machine>("machine-1")
    let host = FakeHost()

    private func prepare(_ database: Database) async throws {
        try host.ensureDisk("disk-1", for: machineID.text, epoch: 0)
        try host.ensureMachine(machineID.text, disk: "disk-1", epoch: 0)
        try host.publish("www", machineID.text, epoch: 0)
        try await database.write { tx in
            try MachineStore().insert(machineID, in: tx)
            try MachineStore().claim(machineID, size: 4, in: tx)
        }
    }

    func definitions() -> [WorkflowDefinition] { [WorkflowDefinition(DeleteMachine.self, needs: MachineNeeds(host: host))] }

    func start(_ workflows: Workflows, in tx: Transaction) throws -> WorkflowID {
        let input = DeleteMachine.Input(machineID: machineID, diskID: "disk-1", name: "www")
        return try workflows.start(DeleteMachine.self, input, on: .machine(machineID), as: nil, in: tx)
    }

    func signals(for step: String) -> [StagedSignal] {
        step == "until-drained" ? [StagedSignal("drained", to: .machine(machineID))] : []
    }

    func outcome(_ tx: Transaction) throws -> String { try leftovers(tx).joined(separator: "\n") }

    func leftovers(_ tx: Transaction) throws -> [String] {
        try MachineStore().machines(in: tx) + MachineStore().claims(in: tx) + host.contents
    }
}

import CloudCore
import Durable

// 1 claim          (scheduling)   the machine's share of the host, in rows
// 2 ensure-disk    (scheduling)   its disk on the host
// 3 boot           (spawning)     the machine on the host
// 4 until-running  (spawning)     the host says that it runs, and under which address
//   point of no return: the machine is the user's
// 5 publish        (networking)   its name
// 6 settle         (networking)   the name's time to spread
// 7 finish                        the row says active

struct CreateMachine: Workflow {
    struct Input: Codable, Sendable {
        var machineID: ID<Machine>
        var size: Int
        var name: String
    }

    struct State: WorkflowState {
        var diskID: String?
        var generation = 1
        var address: String?
    }

    /// The host's report.
    struct Running: StoredValue {
        static let storedName = "sample.running"

        var generation: Int
        var address: String
    }

    typealias Needs = MachineNeeds
    static let kind: WorkflowKind = "sample.machine.create"

    static var steps: Steps<Self> {
        Local("claim", shows: "scheduling") { _, run, tx in
            try run.needs.machines.claim(run.input.machineID, size: run.input.size, in: tx)
        } undo: { _, run, tx in
            try run.needs.machines.release(run.input.machineID, in: tx)
            try run.needs.machines.setStatus(run.input.machineID, "error", in: tx)
        }
        Remote("ensure-disk", retry: .transient(3)) { state, run in
            let disk = run.uuid(for: "disk")
            run.progress(done: 1, of: 2)
            try run.needs.host.ensureDisk(disk, for: run.input.machineID.text, epoch: run.epoch)
            state.diskID = disk
            run.note("The disk is \(disk).")
        } undo: { _, run in
            let disk = run.uuid(for: "disk")
            try run.needs.host.removeDisk(disk, of: run.input.machineID.text, epoch: run.epoch)
        }
        Remote("boot", shows: "spawning") { state, run in
            let machine = run.input.machineID.text
            try run.checkCancelled()
            try run.needs.host.ensureMachine(machine, disk: state.diskID ?? "", epoch: run.epoch)
        } undo: { _, run in
            try run.needs.host.removeMachine(run.input.machineID.text, epoch: run.epoch)
        }
        Wait("until-running", signal: "running", timeout: .seconds(600)) { state, signal in
            let running: Running = try signal.decode()
            guard running.generation >= state.generation else { return false }
            state.address = running.address
            return true
        }
        PointOfNoReturn()
        Remote("publish", shows: "networking") { _, run in
            try run.needs.host.publish(run.input.name, run.input.machineID.text, epoch: run.epoch)
        }
        Wait("settle", lasting: .seconds(5))
        Local("finish") { state, run, tx in
            try run.needs.machines.setStatus(run.input.machineID, "active", address: state.address, in: tx)
        }
    }
}

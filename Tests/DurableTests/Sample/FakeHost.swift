import CloudCore
import Synchronization

/// A host outside of the control plane: it keeps what it was told even if the control plane dies. It refuses callers
/// with an epoch older than one that it has seen.
final class FakeHost: Sendable {
    private struct State {
        var epochs: [String: Int64] = [:]
        var disks: Set<String> = []
        var machines: [String: String] = [:]
        var names: [String: String] = [:]
        var calls: [String: Int] = [:]
    }

    private let state = Mutex(State())

    private func change(_ call: String, _ machine: String, _ epoch: Int64, _ body: (inout sending State) -> Void) throws {
        try state.withLock { state in
            state.calls[call, default: 0] += 1
            guard epoch >= state.epochs[machine, default: 0] else {
                throw CloudError.conflict("The caller has been overtaken.")
            }
            state.epochs[machine] = epoch
            body(&state)
        }
    }

    func ensureDisk(_ disk: String, for machine: String, epoch: Int64) throws {
        try change("ensureDisk", machine, epoch) { $0.disks.insert(disk) }
    }

    func removeDisk(_ disk: String, of machine: String, epoch: Int64) throws {
        try change("removeDisk", machine, epoch) { $0.disks.remove(disk) }
    }

    func ensureMachine(_ machine: String, disk: String, epoch: Int64) throws {
        try change("ensureMachine", machine, epoch) { $0.machines[machine] = disk }
    }

    func removeMachine(_ machine: String, epoch: Int64) throws {
        try change("removeMachine", machine, epoch) { $0.machines[machine] = nil }
    }

    func publish(_ name: String, _ machine: String, epoch: Int64) throws {
        try change("publish", machine, epoch) { $0.names[name] = machine }
    }

    func withdraw(_ name: String, _ machine: String, epoch: Int64) throws {
        try change("withdraw", machine, epoch) { $0.names[name] = nil }
    }

    func calls(_ name: String) -> Int { state.withLock { $0.calls[name] ?? 0 } }

    /// One line for each disk, machine and name.
    var contents: [String] {
        state.withLock { state in
            state.disks.map { "disk \($0)" }.sorted() + state.machines.map { "machine \($0) on \($1)" }.sorted()
                + state.names.map { "name \($0) of \($1)" }.sorted()
        }
    }
}

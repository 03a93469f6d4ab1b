import AgentCore
import HostModel
import Synchronization

/// The reports that wait to be recorded. Only the last inventory of a host counts, and
/// the fleet has it.
final class PendingReports: Sendable {
    private struct State {
        var hosts: Set<String> = []
        var machines: [String: [ObservedMachine]] = [:]
    }

    private let state = Mutex(State())
    /// A stream with an element if reports wait.
    let bell: AsyncStream<Void>
    private let ring: AsyncStream<Void>.Continuation

    init() { (bell, ring) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    func add(_ report: AgentReport, of host: String) {
        state.withLock { state in
            switch report {
            case .inventory: state.hosts.insert(host)
            case .machine(_, let machine): state.machines[host, default: []].append(machine)
            case .gone, .event, .problem: break
            }
        }
        ring.yield()
    }

    /// Removes and returns some hosts with new inventories, and all machines that were reported by themselves.
    func next(_ most: Int) -> (hosts: [String], machines: [String: [ObservedMachine]]) {
        let (hosts, machines, isMore) = state.withLock { state in
            let hosts = Array(state.hosts.prefix(most))
            state.hosts.subtract(hosts)
            defer { state.machines = [:] }
            return (hosts, state.machines, !state.hosts.isEmpty)
        }
        if isMore { ring.yield() }
        return (hosts, machines)
    }
}

import CloudCore
import Drivers
import HostModel

/// The wanted state of a machine, as a host stores it on its own disk to work without the control plane.
struct DesiredMachine: StoredValue {
    static let storedName = "agent.desired-machine"

    var spec: MachineSpec
    /// The wanted power state; nil if none was requested yet, so that the machine stays off.
    var power: WantedPower?
    /// Whether the machine has once reached `power`. From then on its guest decides: a machine that was shut down from
    /// within stays off, and is reported so.
    var isSettled = false
    var isRemoving = false
    /// The last reboot that was begun; nil in records of older releases.
    var reboot: Reboot?
    /// The requests that were carried out, newest last.
    var done: [String] = []

    init(spec: MachineSpec) { self.spec = spec }

    struct Reboot: Codable, Sendable {
        var request: String
        /// The number of starts of the machine before the reboot.
        var boots: Int64
    }

    /// The most requests that are remembered. It exceeds the number of requests that can be in progress for a machine.
    private static let mostDone = 32

    mutating func note(_ request: String) {
        done.removeAll { $0 == request }
        done.append(request)
        if done.count > Self.mostDone { done.removeFirst(done.count - Self.mostDone) }
    }
}

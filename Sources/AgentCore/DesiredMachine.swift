import CloudCore
import Drivers
import HostModel

/// What is wanted of a machine, as a host keeps it on its own disk: it goes on without the control plane.
struct DesiredMachine: StoredValue {
    static let storedName = "agent.desired-machine"

    var spec: MachineSpec
    /// Nil: nobody has said yet, so it stays off.
    var power: WantedPower?
    /// Whether `power` came true once. From then on what the machine does is its guest's affair: one that was shut down from within
    /// stays off, and is reported so.
    var isSettled = false
    var isRemoving = false
    /// The last one that was begun. Of records that are older there is none.
    var reboot: Reboot?
    /// The requests that were carried out, newest last.
    var done: [String] = []

    init(spec: MachineSpec) { self.spec = spec }

    struct Reboot: Codable, Sendable {
        var request: String
        /// How often the machine had been started before.
        var boots: Int64
    }

    /// More than one workflow can have under way for a machine.
    private static let mostDone = 32

    mutating func note(_ request: String) {
        done.removeAll { $0 == request }
        done.append(request)
        if done.count > Self.mostDone { done.removeFirst(done.count - Self.mostDone) }
    }
}

package import CloudCore
import Drivers
package import HostModel

/// A change that the control plane requests from a host. Within a process it is passed as a value; between processes
/// gRPC is to carry it.
package struct AgentRequest: StoredValue {
    package static let storedName = "agent.request"

    /// The id, which is the same for every try of one wish. A request that was carried out is not carried out again.
    package var id: String
    package var machine: MachineID
    package var fence: Fence
    package var verb: Verb

    package init(id: String, machine: MachineID, fence: Fence, _ verb: Verb) {
        self.id = id
        self.machine = machine
        self.fence = fence
        self.verb = verb
    }

    package enum Verb: Sendable, Codable {
        /// Makes the machine and brings it to the power state; nil leaves the power as it is. A running machine gets
        /// and loses network cards and volumes at once.
        case ensure(MachineSpec, power: WantedPower?)
        case remove
        case power(WantedPower)
        /// Restarts the machine. A hard reboot also starts a machine that does not run.
        case reboot(RebootKind)
        case resize(MachineSpec)
        /// Packs the data that another host needs to go on with the machine.
        case pack(isLive: Bool)
        /// Makes the machine of another host here.
        case unpack(MachineLuggage, MachineSpec)
        /// Copies the root disk; the snapshot's id is a UUID.
        case snapshot(String)
        case setPassword(SentSecret, user: String)
        case attachNIC(NIC)
        case detachNIC(String)
        case attachDisk(Disk)
        case detachDisk(String)
    }
}

/// A secret on its way to a host. This is the one place where a secret is encoded, and it is deliberate.
package struct SentSecret: Sendable, Codable {
    package var secret: Secret

    package init(_ secret: Secret) { self.secret = secret }

    package init(from decoder: any Decoder) throws { secret = Secret(try decoder.singleValueContainer().decode(String.self)) }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(secret.reveal())
    }
}

/// A question to a host, or a request to forget something. It changes no machine's state, so it has no fence.
package enum AgentQuestion: StoredValue {
    package static let storedName = "agent.question"

    case inventory
    /// The specification that this host was last asked to make.
    case wanted(MachineID)
    /// Removes the copy of a disk.
    case forgetSnapshot(String)
    case observe(MachineID)
    case console(MachineID, mostBytes: Int)
    case display(MachineID)
    case diagnostics(MachineID)
}

/// The reply of a host.
package enum AgentReply: StoredValue {
    package static let storedName = "agent.reply"

    case machine(ObservedMachine)
    case wanted(MachineSpec)
    /// The machine does not exist.
    case gone
    case snapshot(DiskSnapshot)
    case luggage(MachineLuggage)
    case done
    case inventory(HostInventory)
    case console(ConsoleOutput)
    case display(DisplayEndpoint)
    case diagnostics(MachineDiagnostics)

    package var machine: ObservedMachine? { if case .machine(let machine) = self { machine } else { nil } }
}

/// A report that a host sends without being asked.
package enum AgentReport: StoredValue {
    package static let storedName = "agent.report"

    case inventory(HostInventory)
    /// The machine as it is now.
    case machine(HostID, ObservedMachine)
    case gone(HostID, MachineID)
    case event(HostID, MachineEvent)
    /// A failure to bring the machine to its wanted state; the host tries again.
    case problem(HostID, MachineID, AgentProblem)
}

package import CloudCore
import Drivers
package import HostModel

/// What the control plane asks of a host. In the same process it is handed over as it is; between processes gRPC carries it.
package struct AgentRequest: StoredValue {
    package static let storedName = "agent.request"

    /// The same for every try of one wish: what has been done under it is not done again.
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
        /// The machine is there, and does what is wanted; nil leaves what it does as it is. A running machine gets and loses network
        /// cards and volumes at once.
        case ensure(MachineSpec, power: WantedPower?)
        case remove
        case power(WantedPower)
        /// A hard one starts also a machine that does not run.
        case reboot(RebootKind)
        case resize(MachineSpec)
        /// What another host needs to go on with the machine.
        case pack(isLive: Bool)
        /// The machine of another host is here now.
        case unpack(MachineLuggage, MachineSpec)
        /// The snapshot's id is a UUID.
        case snapshot(String)
        case setPassword(SentSecret, user: String)
        case attachNIC(NIC)
        case detachNIC(String)
        case attachDisk(Disk)
        case detachDisk(String)
    }
}

/// A secret on its way to a host: the one place where it is encoded, and that on purpose.
package struct SentSecret: Sendable, Codable {
    package var secret: Secret

    package init(_ secret: Secret) { self.secret = secret }

    package init(from decoder: any Decoder) throws { secret = Secret(try decoder.singleValueContainer().decode(String.self)) }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(secret.reveal())
    }
}

/// What the control plane asks a host to tell, or to forget. It concerns no machine's state and has no fence.
package enum AgentQuestion: StoredValue {
    package static let storedName = "agent.question"

    case inventory
    /// What this host was last asked to make of the machine.
    case wanted(MachineID)
    /// The copy of a disk is not there any longer.
    case forgetSnapshot(String)
    case observe(MachineID)
    case console(MachineID, mostBytes: Int)
    case display(MachineID)
    case diagnostics(MachineID)
}

/// What a host answers.
package enum AgentReply: StoredValue {
    package static let storedName = "agent.reply"

    case machine(ObservedMachine)
    case wanted(MachineSpec)
    /// The machine is not there.
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

/// What a host says by itself.
package enum AgentReport: StoredValue {
    package static let storedName = "agent.report"

    case inventory(HostInventory)
    /// The machine as it is now.
    case machine(HostID, ObservedMachine)
    case gone(HostID, MachineID)
    case event(HostID, MachineEvent)
    /// What is wanted of the machine could not be done; the host tries again.
    case problem(HostID, MachineID, AgentProblem)
}

/// What of an error can leave the host.
package struct AgentProblem: Sendable, Hashable, Codable {
    package var kind: CloudError.Kind
    package var message: String
    package var detail: String?
    package var code: String?
    package var isTransient: Bool

    package init(_ error: CloudError) {
        kind = error.kind
        message = error.message
        // The chain of causes as text: the causes themselves stay here.
        detail = error.cause.map { "\(error.detail ?? "") <- \($0)" } ?? error.detail
        code = error.code
        isTransient = error.isTransient
    }

    package var error: CloudError {
        var error = CloudError(kind, message, detail: detail, code: code)
        error.isTransient = isTransient
        return error
    }
}

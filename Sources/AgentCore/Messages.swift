package import CloudCore
package import Drivers

/// A host's id is a plain word (`PathPart.isPlain`) or a UUID.
package typealias HostID = ID<HostInventory>

/// What the control plane asks of a host. In the same process it is handed over as it is; between processes gRPC carries it.
package struct AgentRequest: Sendable {
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

    package enum Verb: Sendable {
        /// The machine is there, and does what is wanted; nil leaves what it does as it is.
        case ensure(MachineSpec, power: DesiredPower?)
        case remove
        case power(DesiredPower)
        case reboot(RebootKind)
        case resize(MachineSpec)
        /// The snapshot's id is a UUID.
        case snapshot(String)
        case removeSnapshot(String)
        case setPassword(Secret, user: String)
        case attachNIC(NIC)
        case detachNIC(String)
        case attachDisk(Disk)
        case detachDisk(String)
    }
}

/// What the control plane asks a host to tell. It changes nothing and has no fence.
package enum AgentQuestion: Sendable {
    case inventory
    case observe(MachineID)
    case console(MachineID, mostBytes: Int)
    case display(MachineID)
    case diagnostics(MachineID)
}

/// What a host answers.
package enum AgentReply: Sendable {
    case machine(ObservedMachine)
    /// The machine is not there.
    case gone
    case snapshot(DiskSnapshot)
    case done
    case inventory(HostInventory)
    case console(ConsoleOutput)
    case display(DisplayEndpoint)
    case diagnostics(MachineDiagnostics)

    package var machine: ObservedMachine? { if case .machine(let machine) = self { machine } else { nil } }
}

/// What a machine is to do.
package enum DesiredPower: Hashable, Sendable, Codable {
    case running
    case off(graceSeconds: Int)
    case paused
    case suspended
}

/// What a host says by itself.
package enum AgentReport: Sendable {
    case inventory(HostInventory)
    /// The machine as it is now.
    case machine(HostID, ObservedMachine)
    case gone(HostID, MachineID)
    case event(HostID, MachineEvent)
    /// What is wanted of the machine could not be done; the host tries again.
    case problem(HostID, MachineID, CloudError)
}

/// All that a host knows of itself.
package struct HostInventory: Sendable, Hashable {
    package var host: HostID
    package var driver: String
    package var capabilities: HostCapabilities
    package var resources: HostResources
    package var machines: [ObservedMachine]
    /// Machines that the driver has and nobody has asked this agent for: its state was lost. The control plane claims or removes
    /// them; a host never removes a machine by itself.
    package var unclaimed: [MachineID]
    package var abilities: Set<Ability>

    /// What the driver can do beyond the least.
    package enum Ability: String, Sendable, Hashable, Codable, CaseIterable {
        case pausing, suspending, snapshotting, resizing, passwordSetting, interfaceAttaching, volumeAttaching
    }
}

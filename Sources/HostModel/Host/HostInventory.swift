package import CloudCore

/// A host's id is a plain word (`PathPart.isPlain`) or a UUID.
package typealias HostID = ID<HostInventory>

/// All that a host knows of itself.
package struct HostInventory: StoredValue, Hashable {
    package static let storedName = "agent.inventory"

    package var host: HostID
    package var driver: String
    package var capabilities: HostCapabilities
    package var resources: HostResources
    package var machines: [ObservedMachine] = []
    /// Machines that the driver has and nobody has asked this agent for: its state was lost. The control plane claims
    /// or removes them. A host never removes a machine by itself.
    package var unclaimed: [MachineID] = []
    /// Machines that do not yet do what is wanted: what they do now is nothing that their guests have chosen.
    package var unsettled: Set<MachineID> = []
    package var abilities: Set<Ability> = []

    package init(host: HostID, driver: String, capabilities: HostCapabilities, resources: HostResources) {
        self.host = host
        self.driver = driver
        self.capabilities = capabilities
        self.resources = resources
    }

    /// What the driver can do beyond the least.
    package enum Ability: String, Sendable, Hashable, Codable, CaseIterable {
        case pausing, suspending, snapshotting, resizing, moving, liveMoving
        case passwordSetting, interfaceAttaching, volumeAttaching
    }
}

package import CloudCore

/// The id of a host: a plain word (`PathPart.isPlain`) or a UUID.
package typealias HostID = ID<HostInventory>

/// Everything that a host knows about itself.
package struct HostInventory: StoredValue, Hashable {
    package static let storedName = "agent.inventory"

    package var host: HostID
    package var driver: String
    package var capabilities: HostCapabilities
    package var resources: HostResources
    package var machines: [ObservedMachine] = []
    /// The machines that the driver has and that this agent was never asked for, because its state was lost. The
    /// control plane claims or removes them. A host never removes a machine by itself.
    package var unclaimed: [MachineID] = []
    /// The machines that are not yet in their wanted state. Their present state was not chosen by their guests.
    package var unsettled: Set<MachineID> = []
    package var abilities: Set<Ability> = []
    /// The pools of volumes.
    @Defaulted<Default.EmptyList<VolumePool>> package var pools: [VolumePool] = []

    package init(host: HostID, driver: String, capabilities: HostCapabilities, resources: HostResources) {
        self.host = host
        self.driver = driver
        self.capabilities = capabilities
        self.resources = resources
    }

    /// The abilities of a driver beyond those that every driver has.
    package enum Ability: String, Sendable, Hashable, Codable, CaseIterable {
        case pausing, suspending, snapshotting, resizing, moving, liveMoving
        case passwordSetting, interfaceAttaching, volumeAttaching
    }
}

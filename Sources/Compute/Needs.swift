package import CloudCore
package import HTTPTypes

/// What Compute requires of others. ControlPlane joins it to them.
package struct ComputeNeeds: Sendable {
    package var identity: any IdentityNeed
    package var hosts: any HostsNeed
    package var machines: any MachinesNeed
    package var placement: any PlacementNeed
    package var images: any ImagesNeed
    package var networking: any NetworkingNeed
    package var others: any OtherAPIsNeed
    /// What lies on the config drives of guests.
    package var configDrives = ConfigDrives.bare

    package init(
        identity: any IdentityNeed, hosts: any HostsNeed, machines: any MachinesNeed, placement: any PlacementNeed,
        images: any ImagesNeed, networking: any NetworkingNeed, others: any OtherAPIsNeed
    ) {
        self.identity = identity
        self.hosts = hosts
        self.machines = machines
        self.placement = placement
        self.images = images
        self.networking = networking
        self.others = others
    }
}

/// What Compute asks of Identity.
package protocol IdentityNeed: Sendable {
    /// - Throws: `CloudError.badRequest` when there is no such project.
    func requireProject(_ id: ID<Kind.Project>) async throws
}

/// The hosts that machines run on, as their agents report them.
package protocol HostsNeed: Sendable {
    /// All that have ever reported and were not taken out, in the order of their names.
    func reports() async throws -> [HostReport]
}

/// What an agent says of its host.
package struct HostReport: Sendable, Hashable {
    /// The name by which operators know it.
    package var name: String
    /// The id of its resource provider and its hypervisor: a UUID.
    package var id: ID<Kind.Provider>
    package var isUp: Bool
    package var lastSeen: Timestamp
    package var hypervisorType: String
    package var hypervisorVersion: Int
    package var address: String
    /// What is known of its processors, as `{"arch": "x86_64", …}`.
    package var processors: JSON
    package var vcpus: Int
    package var memoryMiB: Int
    package var diskGiB: Int
    package var bootedAt: Timestamp?
    /// Whether machines can come from another host that can give them, and leave for one.
    package var movesMachines: Bool
    /// The same while they run.
    package var movesRunningMachines: Bool

    package init(
        name: String, id: ID<Kind.Provider>, isUp: Bool, lastSeen: Timestamp, hypervisorType: String = "QEMU", hypervisorVersion: Int = 0,
        address: String = "127.0.0.1", processors: JSON = [:], vcpus: Int, memoryMiB: Int, diskGiB: Int, bootedAt: Timestamp? = nil,
        movesMachines: Bool = false, movesRunningMachines: Bool = false
    ) {
        self.name = name
        self.id = id
        self.isUp = isUp
        self.lastSeen = lastSeen
        self.hypervisorType = hypervisorType
        self.hypervisorVersion = hypervisorVersion
        self.address = address
        self.processors = processors
        self.vcpus = vcpus
        self.memoryMiB = memoryMiB
        self.diskGiB = diskGiB
        self.bootedAt = bootedAt
        self.movesMachines = movesMachines
        self.movesRunningMachines = movesRunningMachines
    }
}

/// The cloud's other APIs, called in the name of who called Compute: its oldest resources have long been theirs.
package protocol OtherAPIsNeed: Sendable {
    /// - Parameters:
    ///   - path: below the cloud's URL, with its query.
    ///   - token: the caller's.
    /// - Returns: the body; null where there is none.
    /// - Throws: `CloudError` of the kind that the other API's status stands for.
    func send(_ method: HTTPRequest.Method, _ path: String, _ body: JSON?, token: String) async throws -> JSON
}

package import CloudCore
package import HTTPTypes

/// The parts of other services that Compute needs. ControlPlane connects them.
package struct ComputeNeeds: Sendable {
    package var identity: any IdentityNeed
    package var hosts: any HostsNeed
    package var machines: any MachinesNeed
    package var placement: any PlacementNeed
    package var images: any ImagesNeed
    package var networking: any NetworkingNeed
    package var volumes: any VolumesNeed
    package var others: any OtherAPIsNeed
    /// The files on guests' config drives.
    package var configDrives = ConfigDrives.bare

    package init(
        identity: any IdentityNeed, hosts: any HostsNeed, machines: any MachinesNeed, placement: any PlacementNeed,
        images: any ImagesNeed, networking: any NetworkingNeed, volumes: any VolumesNeed, others: any OtherAPIsNeed
    ) {
        self.identity = identity
        self.hosts = hosts
        self.machines = machines
        self.placement = placement
        self.images = images
        self.networking = networking
        self.volumes = volumes
        self.others = others
    }
}

/// The calls of Identity that Compute needs.
package protocol IdentityNeed: Sendable {
    /// Checks that the project exists.
    ///
    /// - Throws: `CloudError.badRequest` if it does not.
    func requireProject(_ id: ID<Kind.Project>) async throws
}

/// The hosts that machines run on, as their agents report them.
package protocol HostsNeed: Sendable {
    /// Returns the last reports of all hosts that ever reported and were not removed, in the order of their names.
    func reports() async throws -> [HostReport]
    /// Returns the last report of one host; nil for a host that never reported.
    func report(of host: String) async throws -> HostReport?
    /// Asks the hosts whose reports are old, unless their reports come by themselves.
    func refresh() async
    /// The position of the last report that said something new. It rises, and begins with 0 in each process.
    var position: Int { get }
    /// Returns the reports of the hosts that said something new after a position, and the position up to which this
    /// holds. Values that change all the time, such as the time of a report, are nothing new.
    func news(since position: Int) -> (reports: [HostReport], position: Int)
    /// Returns whether the host has reported lately.
    func isUp(_ host: String) -> Bool
}

/// The report of an agent on its host.
package struct HostReport: Sendable, Hashable {
    /// The name by which operators know the host.
    package var name: String
    /// The id of the host's resource provider and of its hypervisor: a UUID.
    package var id: ID<Kind.Provider>
    package var isUp: Bool
    package var lastSeen: Timestamp
    package var hypervisorType: String
    package var hypervisorVersion: Int
    package var address: String
    /// The facts about the host's processors, such as `{"arch": "x86_64", …}`.
    package var processors: JSON
    package var vcpus: Int
    package var memoryMiB: Int
    package var diskGiB: Int
    package var bootedAt: Timestamp?
    /// Whether the host can exchange machines with other hosts that can do so.
    package var movesMachines: Bool
    /// Whether the host can do the same with running machines.
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

/// The cloud's other APIs, called in the name of Compute's caller. They have taken over the oldest resources of
/// Compute.
package protocol OtherAPIsNeed: Sendable {
    /// Sends a request to another API of the cloud.
    ///
    /// - Parameters:
    ///   - path: the path and the query below the cloud's URL.
    ///   - token: the caller's token.
    /// - Returns: the body; null if there is none.
    /// - Throws: a `CloudError` of the kind that the other API's status stands for.
    func send(_ method: HTTPRequest.Method, _ path: String, _ body: JSON?, token: String) async throws -> JSON
}

import CloudCore

/// A host as the scheduler sees it: one consistent state of its rows and the last report of its agent.
struct HostState: Sendable {
    var name: String
    /// The id of its resource provider.
    var id: ID<Kind.Provider>
    var zone: String
    var isUp = true
    var isDisabled = false
    var disabledReason: String?
    var hypervisorType = "QEMU"
    var architecture = "x86_64"
    var vcpus = 0
    var memoryMiB = 0
    var diskGiB = 0
    /// Whether it can take what comes from another host.
    var isAble = true
    var usage = ComputeHost.Usage()
    /// Metadata of the aggregates that it is in: a name may have several values.
    var aggregateMetadata: [String: Set<String>] = [:]
    /// Only known where the wish is about others.
    var serverIDs: Set<String> = []
    /// How many of the wanted group's servers it has.
    var groupMembers = 0
    /// Servers that are being built or moved on it.
    var busyServers = 0
    /// Servers whose last build failed there.
    var failedBuilds = 0
}

/// What is to be placed.
struct PlacementWish: Sendable {
    var serverID: String
    var extraSpecs: [String: String] = [:]
    var imageProperties: [String: String] = [:]
    var zone: String?
    /// Only this host.
    var host: String?
    /// Hosts that may still have a former machine of it.
    var unswept: Set<String> = []
    var sameHost: [String] = []
    var differentHost: [String] = []
    var group: ServerGroup?
    /// Whether any host has one of the group's servers: an affine group's first server is free to go anywhere.
    var groupHasHosts = false
    var move: Move?
    /// Whether the host that it is on can give it away.
    var isSourceAble = true

    /// Of something that is somewhere already.
    struct Move: Sendable {
        var source: String
        var isLive = false
        /// Whether the same host will do.
        var mayStay = false
        /// Whether what it has goes with it. Otherwise it is made anew.
        var isHandedOver = true

        func suits(_ moves: Bool, _ movesRunning: Bool) -> Bool { !isHandedOver || (isLive ? movesRunning : moves) }
    }

    /// Whether it matters which servers a host has.
    var isAboutOthers: Bool { group != nil || !sameHost.isEmpty || !differentHost.isEmpty }
}

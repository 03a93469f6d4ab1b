import CloudCore

/// A host as the filters and weighers see it: its rows and the last report of its agent, in one consistent state.
struct HostState: Sendable, Equatable {
    var name: String
    /// The id of the host's resource provider.
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
    /// Whether the host can take a machine of another host.
    var isAble = true
    var usage = ComputeHost.Usage()
    /// The metadata of the host's aggregates. A name has several values if its aggregates differ.
    var aggregateMetadata: [String: Set<String>] = [:]
    /// The servers on the host that the wish names.
    var serverIDs: Set<String> = []
    /// The number of servers on the host that are in the wanted group.
    var groupMembers = 0
    /// The number of other servers on the host that are being built.
    var busyServers = 0
    /// The number of other servers on the host that are in state `error`.
    var failedBuilds = 0
}

/// The server that is to be placed, and what a host must have for it.
struct PlacementWish: Sendable {
    var serverID: String
    var extraSpecs: [String: String] = [:]
    var imageProperties: [String: String] = [:]
    var zone: String?
    /// The only host that will do; nil for any.
    var host: String?
    /// The hosts that may still have a former machine of the server.
    var unswept: Set<String> = []
    var sameHost: [String] = []
    var differentHost: [String] = []
    var group: ServerGroup?
    /// Whether any host has a server of the group. The first server of an affine group may go to any host.
    var groupHasHosts = false
    var move: Move?
    /// Whether the source host can give the server's machine to another host.
    var isSourceAble = true

    /// The move of a server that is on a host already.
    struct Move: Sendable {
        var source: String
        var isLive = false
        /// Whether the server may stay on its host.
        var mayStay = false
        /// Whether the source host hands the machine over. Otherwise the machine is made anew.
        var isHandedOver = true

        func suits(_ moves: Bool, _ movesRunning: Bool) -> Bool { !isHandedOver || (isLive ? movesRunning : moves) }
    }
}

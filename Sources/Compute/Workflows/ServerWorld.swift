import CloudCore
import Durable
import SQL

/// What servers' workflows reach: the rows, and the needs.
struct ServerWorld: Sendable {
    let needs: ComputeNeeds
    /// For times that rows show. No step decides by it.
    let world: World
    let servers = ServerStore()

    var placing: Placing { Placing(needs: needs) }

    func require(_ id: ID<Server>, in tx: Transaction) throws -> Server {
        guard let server = try servers.find(id, in: tx) else { throw CloudError.notFound("Instance \(id) could not be found.") }
        return server
    }

    /// Changes the row, if it is still there.
    func change(_ id: ID<Server>, in tx: Transaction, _ body: (inout Server) throws -> Void) throws {
        guard var server = try servers.find(id, in: tx) else { return }
        try body(&server)
        server.updatedAt = world.now
        try servers.update(server, in: tx)
    }

    /// Writes down that something else is wanted of the machine now, before anybody is told.
    ///
    /// - Parameter states: the states in which the action is taken; nil for every state. The action may have waited its turn,
    ///   and another than was expected may have come of what went before.
    /// - Returns: the machine as it is wanted.
    /// - Throws: a conflict when the server is in none of the states.
    func intend(
        _ id: ID<Server>, from states: Set<VMState>? = nil, in tx: Transaction, _ body: (inout Server) throws -> Void = { _ in }
    ) throws -> Intent {
        var server = try require(id, in: tx)
        if let states, !states.contains(server.state) {
            throw CloudError.conflict("When its turn came, instance \(id) was in vm_state \(server.state.rawValue).")
        }
        try body(&server)
        server.generation += 1
        try servers.update(server, in: tx)
        return Intent(server: server, ports: try needs.networking.ports(of: [id.text], in: tx)[id.text] ?? [])
    }
}

// MARK: What workflows share

extension ServerWorld {
    /// Writes down that a server goes from one size or host to another.
    func begin(
        _ kind: ServerMigration.Kind, _ id: String, of server: Server, to flavor: Flavor, status: String, in tx: Transaction
    ) throws {
        // An administrator may have set the state of one that waits for its confirmation.
        guard server.former == nil, server.otherHost == nil else {
            throw CloudError.conflict("Instance \(server.id) has not come to the end of its last migration.")
        }
        try MigrationStore().insert(
            ServerMigration(
                number: try NumberStore().next("migration", in: tx), id: id, serverID: server.id, projectID: server.projectID,
                userID: server.userID, kind: kind, status: status, source: server.host, destination: nil,
                oldFlavor: server.flavor.number, newFlavor: flavor.number, createdAt: world.now, updatedAt: world.now), in: tx)
    }

    /// - Parameter host: nil for the server's own.
    func command(_ command: MachineCommand, _ intent: Intent, on host: String? = nil, _ epoch: Int64) async throws {
        try await needs.machines.command(
            intent.server.id.text, command, on: try host ?? intent.host, fence: intent.fence(epoch))
    }

    /// Stops a machine. One that its host does not have any more is as good as stopped: what must succeed in the end must not
    /// fail at it for ever.
    func stop(_ intent: Intent, graceSeconds: Int, _ epoch: Int64) async throws {
        do {
            try await command(.stop(graceSeconds: graceSeconds), intent, epoch)
        } catch let error as CloudError where error.kind == .notFound {
            return
        }
    }

    /// Of an undo: the guest does again what it did, on the host where it was.
    func goOn(_ command: MachineCommand, _ intent: Intent, _ epoch: Int64) async throws {
        do {
            try await needs.networking.awaitWiring(of: intent.server.id.text, on: try intent.host)
            try await self.command(command, intent, epoch)
        } catch let error as CloudError where !error.isTransient {
            // One that cannot run any more must not keep the rest from being undone. It is shown stopped once its host is asked.
            return
        }
    }
}

extension Server {
    /// Its empty disks: those that its user described, else one as large as the flavor says.
    fileprivate var ephemerals: [EmptyDisk] {
        if let described = disks?.ephemeral { return described.map { EmptyDisk(sizeGiB: $0.sizeGiB ?? 0, bus: $0.bus) } }
        return flavor.ephemeralGiB > 0 ? [EmptyDisk(sizeGiB: flavor.ephemeralGiB)] : []
    }

    func requireHost() throws -> String {
        guard let host else { throw CloudError.conflict("Instance \(id) has no host.") }
        return host
    }
}

/// What is wanted of a machine, as a workflow has written it down.
struct Intent: StoredValue {
    static let storedName = "compute.intent"

    var server: Server
    var ports: [ServerPort]

    var host: String {
        get throws { try server.requireHost() }
    }

    func fence(_ epoch: Int64) -> MachineFence { MachineFence(epoch: epoch, generation: server.generation) }

    func order(diskRevision: Int64 = 0, without port: String? = nil) -> MachineOrder {
        MachineOrder(
            id: server.id.text, name: server.name, vcpus: server.flavor.vcpus, memoryMiB: server.flavor.ramMiB,
            rootGiB: server.flavor.diskGiB, rootBus: server.disks?.rootBus, ephemerals: server.ephemerals,
            swapMiB: server.disks?.swapMiB(server.flavor) ?? server.flavor.swapMiB, swapBus: server.disks?.swap?.bus, imageID: server.image?.id, imageProperties: server.image?.properties ?? [:], extraSpecs: server.flavor.extraSpecs,
            ports: ports.filter { $0.id != port }, metadata: server.metadata, hostname: server.hostname, userData: server.userData,
            publicKey: server.publicKey, hasConfigDrive: server.hasConfigDrive, diskRevision: diskRevision,
            rescueImageID: server.rescueImage?.id)
    }
}

extension ShownState {
    static let scheduling: ShownState = "scheduling"
    static let networking: ShownState = "networking"
    static let spawning: ShownState = "spawning"
    static let deleting: ShownState = "deleting"
    static let poweringOn: ShownState = "powering-on"
    static let poweringOff: ShownState = "powering-off"
    static let rebooting: ShownState = "rebooting"
    static let rebootingHard: ShownState = "rebooting_hard"
    static let pausing: ShownState = "pausing"
    static let unpausing: ShownState = "unpausing"
    static let suspending: ShownState = "suspending"
    static let resuming: ShownState = "resuming"
    static let migrating: ShownState = "migrating"
    static let rescuing: ShownState = "rescuing"
    static let unrescuing: ShownState = "unrescuing"
    static let shelving: ShownState = "shelving"
    static let shelvingPending: ShownState = "shelving_image_pending_upload"
    static let shelvingUploading: ShownState = "shelving_image_uploading"
    static let shelvingOffloading: ShownState = "shelving_offloading"
    static let unshelving: ShownState = "unshelving"
    static let rebuilding: ShownState = "rebuilding"
    static let rebuildSpawning: ShownState = "rebuild_spawning"
    static let resizePreparing: ShownState = "resize_prep"
    static let resizeMigrating: ShownState = "resize_migrating"
    static let resizeFinishing: ShownState = "resize_finish"
    static let resizeReverting: ShownState = "resize_reverting"
    static let snapshotPending: ShownState = "image_snapshot_pending"
    static let backup: ShownState = "image_backup"
    static let snapshot: ShownState = "image_snapshot"
    static let imageUploading: ShownState = "image_uploading"
}

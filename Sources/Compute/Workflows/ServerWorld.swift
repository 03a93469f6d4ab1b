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
    /// - Returns: the machine as it is wanted.
    func intend(
        _ id: ID<Server>, in tx: Transaction, _ body: (inout Server) throws -> Void = { _ in }
    ) throws -> Intent {
        var server = try require(id, in: tx)
        try body(&server)
        server.generation += 1
        try servers.update(server, in: tx)
        return Intent(server: server, ports: try needs.networking.ports(of: [id.text], in: tx)[id.text] ?? [])
    }
}

/// What is wanted of a machine, as a workflow has written it down.
struct Intent: Sendable, Codable {
    var server: Server
    var ports: [ServerPort]

    var host: String {
        get throws {
            guard let host = server.host else { throw CloudError.conflict("Instance \(server.id) has no host.") }
            return host
        }
    }

    func fence(_ epoch: Int64) -> MachineFence { MachineFence(epoch: epoch, generation: server.generation) }

    func order(diskRevision: Int64 = 0, without port: String? = nil) -> MachineOrder {
        MachineOrder(
            id: server.id.text, name: server.name, vcpus: server.flavor.vcpus, memoryMiB: server.flavor.ramMiB,
            rootGiB: server.flavor.diskGiB, ephemeralGiB: server.flavor.ephemeralGiB, swapMiB: server.flavor.swapMiB,
            imageID: server.image?.id, imageProperties: server.image?.properties ?? [:], extraSpecs: server.flavor.extraSpecs,
            ports: ports.filter { $0.id != port }, metadata: server.metadata, hostname: server.hostname, userData: server.userData,
            publicKey: server.publicKey, hasConfigDrive: server.hasConfigDrive, diskRevision: diskRevision)
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

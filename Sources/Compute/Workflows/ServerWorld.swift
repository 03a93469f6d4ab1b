import CloudCore
import Durable
import SQL

/// The world of servers' workflows: the rows of Compute, and the other services.
struct ServerWorld: Sendable {
    let servers = ServerStore()
    let serverVolumes = ServerVolumeStore()
    let migrations = MigrationStore()
    let placing: Placing
    private let needs: ComputeNeeds
    private let clock: World

    init(placing: Placing, world: World) {
        self.placing = placing
        needs = placing.needs
        clock = world
    }

    var machines: any MachinesNeed { needs.machines }
    var placement: any PlacementNeed { needs.placement }
    var networking: any NetworkingNeed { needs.networking }
    var volumes: any VolumesNeed { needs.volumes }
    var images: any ImagesNeed { needs.images }
    var configDrives: ConfigDrives { needs.configDrives }
    /// The time that is stored in rows. No step makes a decision by it.
    var now: Timestamp { clock.now }
}

/// A workflow of servers.
protocol ServerWorkflow: Workflow where Needs == ServerWorld {}

extension Run where W.Needs == ServerWorld {
    var world: ServerWorld { needs }

    /// Returns the principal that asked for the workflow.
    ///
    /// - Throws: an internal error if the cloud itself started it.
    func requirePrincipal() throws -> Principal { try principal.required("principal", from: "start") }

    /// Returns the server's machine on the server's own host.
    func machine(_ intent: Intent) throws -> ServerMachine { machine(intent, on: try intent.host) }

    /// Returns the server's machine on the server's own host, for an undo. Returns nil if the server has no host: then
    /// no step has changed anything on a host, and there is nothing to undo.
    func machineToUndo(_ intent: Intent) -> ServerMachine? { intent.server.host.map { machine(intent, on: $0) } }

    /// Returns the server's machine on one of its hosts.
    func machine(_ intent: Intent, on host: String) -> ServerMachine {
        ServerMachine(intent: intent, host: host, epoch: epoch, world: world)
    }
}

// MARK: The row

extension ServerWorld {
    func require(_ id: ID<Kind.Server>, in tx: Transaction) throws -> Server {
        guard let server = try servers.find(id, in: tx) else { throw CloudError.notFound("Instance \(id) could not be found.") }
        return server
    }

    /// Changes a server's row.
    ///
    /// - Throws: `notFound` if there is no row.
    func change(_ id: ID<Kind.Server>, in tx: Transaction, _ body: (inout Server) throws -> Void) throws {
        var server = try require(id, in: tx)
        try body(&server)
        server.updatedAt = now
        try servers.update(server, in: tx)
    }

    /// Changes a server's row back, for an undo. It does nothing if there is no row.
    func changeBack(_ id: ID<Kind.Server>, in tx: Transaction, _ body: (inout Server) throws -> Void) throws {
        if try servers.find(id, in: tx) != nil { try change(id, in: tx, body) }
    }

    /// Notes a new intent for the server's machine and raises its generation. A step does this before it calls a host.
    ///
    /// - Parameter states: the states in which the action is allowed; nil for every state. The action may have waited
    ///   for its turn, and the action before it may have ended in another way than expected.
    /// - Returns: the machine that is wanted from now on.
    /// - Throws: a conflict if the server is in none of the states.
    func intend(
        _ id: ID<Kind.Server>, from states: Set<VMState>? = nil, in tx: Transaction, _ body: (inout Server) throws -> Void = { _ in }
    ) throws -> Intent {
        var server = try require(id, in: tx)
        if let states, !states.contains(server.state) {
            throw CloudError.conflict("When its turn came, instance \(id) was in vm_state \(server.state.rawValue).")
        }
        try body(&server)
        server.generation += 1
        try servers.update(server, in: tx)
        return Intent(
            server: server, ports: try networking.ports(of: [id], in: tx)[id] ?? [],
            volumes: try serverVolumes.list(of: id, in: tx))
    }

    /// Sets the status of the server's latest migration.
    ///
    /// - Parameter present: a status that is not replaced.
    func setMigration(
        _ status: String, of id: ID<Kind.Server>, unless present: String = "", in tx: Transaction
    ) throws {
        try migrations.setStatus(status, ofServer: id, unless: present, at: now, in: tx)
    }
}

// MARK: The volumes

extension ServerWorld {
    /// Gives back all volumes of a server and removes their rows.
    ///
    /// - Returns: the volumes.
    @discardableResult
    func releaseVolumes(of id: ID<Kind.Server>, in tx: Transaction) throws -> [ServerVolume] {
        let all = try serverVolumes.list(of: id, in: tx)
        for volume in all { try release(volume, in: tx) }
        return all
    }

    /// Gives back a volume of a server and removes its row.
    func release(_ volume: ServerVolume, in tx: Transaction) throws {
        try volumes.release(volume.attachmentID, in: tx)
        try serverVolumes.remove(volume.id, in: tx)
    }
}

extension Run where W.Needs == ServerWorld {
    /// Gives a server new attachments of its volumes, which its machine does not use any more.
    func renewVolumes(of id: ID<Kind.Server>, in tx: Transaction) throws {
        for volume in try world.serverVolumes.list(of: id, in: tx) {
            let new: ID<Kind.Attachment> = self.id(for: "after-\(volume.attachmentID)")
            try world.volumes.renew(volume.attachmentID, as: new, in: tx)
            try world.serverVolumes.setAttachment(new, of: volume, in: tx)
        }
    }

    /// Notes that a server uses its volumes from now on.
    func completeVolumes(of intent: Intent, in tx: Transaction) throws {
        for volume in intent.volumes { try world.volumes.complete(volume.attachmentID, in: tx) }
    }
}

// MARK: The image of a shelved server

extension ServerWorld {
    /// Deletes the image that a server was shelved in. No user asked for that image.
    ///
    /// - Parameter server: the server; nil if its row was gone before the workflow began.
    func forgetShelvedImage(of server: Server?, for principal: @autoclosure () throws -> Principal) async throws {
        guard let image = server?.shelvedImage else { return }
        let caller = try principal()
        do {
            try await images.delete(image, for: caller)
        } catch let error as CloudError where !error.isTransient {
            // An image that its owner has protected or uses elsewhere stays. That does not affect the server.
            return
        }
    }
}

import CloudCore
import Durable
import SQL

/// The world of servers' workflows: Compute's rows, and the other services.
struct ServerWorld: Sendable {
    let servers = ServerStore()
    let migrations = MigrationStore()
    private let needs: ComputeNeeds
    private let clock: World

    init(needs: ComputeNeeds, world: World) {
        self.needs = needs
        clock = world
    }

    var machines: any MachinesNeed { needs.machines }
    var placement: any PlacementNeed { needs.placement }
    var networking: any NetworkingNeed { needs.networking }
    var images: any ImagesNeed { needs.images }
    var configDrives: ConfigDrives { needs.configDrives }
    var placing: Placing { Placing(needs: needs) }
    /// The time that rows show. No step decides by it.
    var now: Timestamp { clock.now }
}

extension Run where W.Needs == ServerWorld {
    var world: ServerWorld { needs }

    /// Returns who asked for the workflow.
    ///
    /// - Throws: an internal error when the cloud itself started it.
    func requirePrincipal() throws -> Principal { try principal.required("principal", from: "start") }

    /// Returns the server's machine on the server's own host.
    func machine(_ intent: Intent) throws -> ServerMachine { machine(intent, on: try intent.host) }

    /// Returns the server's machine on its own host, for an undo. Nil when the server has no host: then no step has told a host
    /// anything, and there is nothing to undo.
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

    /// Changes the row.
    ///
    /// - Throws: `notFound` when there is none.
    func change(_ id: ID<Kind.Server>, in tx: Transaction, _ body: (inout Server) throws -> Void) throws {
        var server = try require(id, in: tx)
        try body(&server)
        server.updatedAt = now
        try servers.update(server, in: tx)
    }

    /// Changes the row back, for an undo. Where the row is gone there is nothing to change back.
    func changeBack(_ id: ID<Kind.Server>, in tx: Transaction, _ body: (inout Server) throws -> Void) throws {
        if try servers.find(id, in: tx) != nil { try change(id, in: tx, body) }
    }

    /// Notes that something else is wanted of the machine now, before its host is told.
    ///
    /// - Parameter states: the states in which the action is taken; nil for every state. The action may have waited its turn,
    ///   and the action before it may have come to another end than was expected.
    /// - Returns: the machine as it is wanted.
    /// - Throws: a conflict when the server is in none of the states.
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
        return Intent(server: server, ports: try networking.ports(of: [id], in: tx)[id] ?? [])
    }

    /// Sets the status of the server's last migration.
    ///
    /// - Parameter present: a migration with this status keeps it.
    func setMigration(
        _ status: String, of id: ID<Kind.Server>, unless present: String = "", in tx: Transaction
    ) throws {
        try migrations.setStatus(status, ofServer: id, unless: present, at: now, in: tx)
    }
}

// MARK: The image of a shelved server

extension ServerWorld {
    /// Deletes the image that a server was shelved in: nobody else has asked for it.
    ///
    /// - Parameter server: nil when its row was gone before the workflow began.
    func forgetShelvedImage(of server: Server?, for principal: @autoclosure () throws -> Principal) async throws {
        guard let image = server?.shelvedImage else { return }
        let caller = try principal()
        do {
            try await images.delete(image, for: caller)
        } catch let error as CloudError where !error.isTransient {
            // An image that its owner has protected or uses elsewhere stays. The server is no worse for it.
            return
        }
    }
}

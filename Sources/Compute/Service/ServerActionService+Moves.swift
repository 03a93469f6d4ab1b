import Access
import CloudCore
import Durable
import SQL

/// Resizes, migrations and evacuations.
extension ServerActionService {
    /// Resizes a server.
    ///
    /// - Parameter resizesDisk: the new `OS-DCF:diskConfig`; nil leaves it as it is.
    func resize(_ id: ID<Kind.Server>, to flavorID: String, resizesDisk: Bool?, by caller: Caller) async throws {
        let migration = context.world.random.uuid()
        try await service.start(ResizeServer.self, on: id, by: caller) { server, tx in
            let flavor: Flavor
            do {
                flavor = try FlavorService.require(ID(flavorID), by: caller, in: tx)
            } catch let error as CloudError where error.kind == .notFound {
                throw CloudError.badRequest("Unable to locate requested flavor.")
            }
            if flavor.id == server.flavor.id { throw CloudError.badRequest("When resizing, instances must change flavor!") }
            if server.rootVolume != nil {
                let least = server.imageProperties["min_ram"].flatMap { Int($0) } ?? server.image?.minMemoryMiB ?? 0
                guard flavor.ramMiB >= least else {
                    throw CloudError.badRequest("Flavor's memory is too small for requested image.")
                }
            } else if flavor.diskGiB < server.flavor.diskGiB {
                throw CloudError.badRequest("Resize to flavor \(flavor.id) is not possible: its disk is smaller than the server's.")
            }
            try server.disks?.requireRoom(in: flavor)
            try refuseOverQuota(server, flavor, by: caller, in: tx)
            if let resizesDisk {
                server.resizesDisk = resizesDisk
                try service.servers.update(server, in: tx)
            }
            return .init(serverID: server.id, flavor: flavor, migrationID: migration)
        }
    }

    private func refuseOverQuota(_ server: Server, _ flavor: Flavor, by caller: Caller, in tx: Transaction) throws {
        let quotas = QuotaStore()
        let limits = try quotas.limits(project: server.projectID, user: nil, in: tx)
        let usage = try quotas.usage(project: server.projectID, user: nil, in: tx)
        let more: [(QuotaResource, Int)] = [(.cores, flavor.vcpus - server.flavor.vcpus), (.ram, flavor.ramMiB - server.flavor.ramMiB)]
        for (resource, amount) in more where amount > 0 {
            let (most, used) = (limits[resource] ?? -1, usage[resource] ?? 0)
            if most >= 0, used + amount > most {
                throw CloudError(
                    .quotaExceeded,
                    "Quota exceeded for \(resource.rawValue): Requested \(amount), but already used \(used) of \(most) \(resource.rawValue)")
            }
        }
    }

    /// Moves a server to another host. Its guest is stopped on the way.
    ///
    /// - Parameter host: the destination; nil to let the scheduler choose.
    func migrate(_ id: ID<Kind.Server>, to host: String?, by caller: Caller) async throws {
        let policy: Action? = host == nil ? nil : .migrateToHost
        let hosts = try await context.hosts.overview()
        let migration = context.world.random.uuid()
        try await service.start(MigrateServer.self, on: id, asking: policy, by: caller) { server, _ in
            if let host {
                if host == server.host { throw CloudError.badRequest("Cannot migrate to the host where the server exists.") }
                try Self.requireKnown(host, in: hosts)
            }
            guard let present = server.host, hosts.isUp(present) else {
                throw CloudError.conflict("The host of instance \(id) is not available now.")
            }
            return .init(serverID: id, flavor: server.flavor, migrationID: migration, host: host)
        }
    }

    /// Moves a running or paused server to another host. The guest stands still on the way and then continues.
    func migrateLive(_ id: ID<Kind.Server>, to host: String?, by caller: Caller) async throws {
        let policy: Action? = host == nil ? nil : .liveMigrateToHost
        let hosts = try await context.hosts.overview()
        let migration = context.world.random.uuid()
        try await service.start(MoveRunningServer.self, on: id, asking: policy, by: caller) { server, _ in
            if let host {
                try Self.requireKnown(host, in: hosts)
                if host == server.host { throw CloudError.badRequest("Unable to migrate instance (\(id)) to current host (\(host)).") }
            }
            return .init(serverID: id, migrationID: migration, host: host)
        }
    }

    /// Rebuilds a server on another host after its own host was lost.
    ///
    /// - Parameter starts: whether the server runs afterwards; nil for the state that it was in.
    func evacuate(_ id: ID<Kind.Server>, to host: String?, starts: Bool?, by caller: Caller) async throws {
        let hosts = try await context.hosts.overview()
        let migration = context.world.random.uuid()
        try await service.start(EvacuateServer.self, on: id, by: caller) { server, _ in
            if let host {
                guard hosts.isKnown(host) else { throw CloudError.notFound("Compute host \(host) not found.") }
                if host == server.host { throw CloudError.badRequest("The target host can't be the same one.") }
            }
            let present = try server.requireHost()
            if hosts.isUp(present) { throw CloudError.badRequest("Compute service of \(present) is still in use.") }
            return .init(serverID: id, migrationID: migration, host: host, startsAfter: starts ?? (server.state != .stopped))
        }
    }

    private static func requireKnown(_ host: String, in hosts: HostOverview) throws {
        guard hosts.isKnown(host) else { throw CloudError.badRequest("Compute host \(host) could not be found.") }
    }

    // MARK: Live migrations that go on

    private static let underWay: Set<String> = ["queued", "preparing", "running", "post-migrating"]

    func migrations(of id: ID<Kind.Server>, by caller: Caller) async throws -> [ServerMigration] {
        try await context.read { tx in
            _ = try service.require(id, .listServerMigrations, by: caller, in: tx)
            return try MigrationStore().list(.init(serverID: id.text, kind: ServerMigration.Kind.live.rawValue), in: tx)
                .filter { Self.underWay.contains($0.status) }
        }
    }

    func migration(_ number: String, of id: ID<Kind.Server>, by caller: Caller) async throws -> ServerMigration {
        try await context.read { tx in
            _ = try service.require(id, .showServerMigration, by: caller, in: tx)
            guard let found = try find(number, of: id, in: tx) else {
                throw CloudError.notFound("In-progress live migration \(number) is not found for server \(id).")
            }
            guard found.kind == .live else { throw CloudError.notFound("Migration \(number) for server \(id) is not live-migration.") }
            guard Self.underWay.contains(found.status) else {
                throw CloudError.notFound("Live migration \(number) for server \(id) is not in progress.")
            }
            return found
        }
    }

    private func find(_ number: String, of id: ID<Kind.Server>, in tx: Transaction) throws -> ServerMigration? {
        try MigrationStore().list(.init(serverID: id.text), in: tx).first { String($0.number) == number }
    }

    /// Accepts a request to complete a live migration sooner. It changes nothing, because the guest is paused during
    /// the whole move.
    ///
    /// - Throws: an error if the migration is not running.
    func complete(_ number: String, of id: ID<Kind.Server>, by caller: Caller) async throws {
        try await context.read { tx in
            try requireMigrating(id, .forceCompleteMigration, "force_complete", by: caller, in: tx)
            guard let found = try find(number, of: id, in: tx) else { throw Self.noMigration(number, id, .badRequest) }
            guard found.status == "running" else { throw Self.unsuited(found, "force complete") }
        }
    }

    /// Cancels a live migration. If the guest runs on the destination already, the migration completes.
    func abort(_ number: String, of id: ID<Kind.Server>, by caller: Caller) async throws {
        // Since 2.65 a migration can be cancelled before it runs, too.
        let from: Set<String> = caller.minor >= 65 ? ["running", "queued", "preparing"] : ["running"]
        try await context.write { tx in
            let activity = try requireMigrating(id, .abortMigration, "abort live migration", by: caller, in: tx)
            guard let found = try find(number, of: id, in: tx) else { throw Self.noMigration(number, id, .notFound) }
            guard from.contains(found.status) else { throw Self.unsuited(found, "abort live migration") }
            try MigrationStore().setStatus("cancelled", ofServer: id, at: context.world.now, in: tx)
            try service.workflows.requestCancel(activity, in: tx)
        }
    }

    @discardableResult
    private func requireMigrating(
        _ id: ID<Kind.Server>, _ action: Action, _ word: String, by caller: Caller, in tx: Transaction
    ) throws -> WorkflowID {
        let server = try service.require(id, action, by: caller, in: tx)
        try service.refuseLocked(server, by: caller)
        guard let activity = try service.workflows.activity(on: server.resource, in: tx), activity.kind == MoveRunningServer.kind else {
            throw CloudError.conflict("Cannot '\(word)' instance \(id) while it is in task_state None")
        }
        return activity.workflowID
    }

    private static func noMigration(_ number: String, _ id: ID<Kind.Server>, _ kind: CloudError.Kind) -> CloudError {
        CloudError(kind, "Migration \(number.prefix(255)) not found for instance \(id)")
    }

    private static func unsuited(_ migration: ServerMigration, _ word: String) -> CloudError {
        .badRequest(
            "Migration \(migration.number) state of instance \(migration.serverID) is \(migration.status). Cannot \(word) while the migration is in this state.")
    }
}

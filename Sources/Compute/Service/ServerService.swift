import Access
import CloudCore
import Durable
import HostModel
import SQL

/// Servers: all reads, the changes of rows, and the starts of workflows.
struct ServerService: Sendable {
    let context: ComputeContext
    let workflows: Workflows
    let hosts: HostService
    let servers = ServerStore()

    init(context: ComputeContext, workflows: Workflows, hosts: HostService) {
        self.context = context
        self.workflows = workflows
        self.hosts = hosts
    }

    static func missing(_ id: some CustomStringConvertible) -> CloudError { .notFound("Instance \(id) could not be found.") }

    /// Returns the server if the caller may do the action on it.
    ///
    /// - Throws: `notFound` also for a server of another project, unless the caller is an administrator; `forbidden` if
    ///   the policy does not allow the action.
    func require(_ id: ID<Kind.Server>, _ action: Action, by caller: Caller, in tx: Transaction) throws -> Server {
        try requireStored(id, action, by: caller, in: tx).server()
    }

    private func requireStored(
        _ id: ID<Kind.Server>, _ action: Action, by caller: Caller, in tx: Transaction
    ) throws -> StoredServer {
        guard let server = try servers.findStored(id, in: tx) else { throw Self.missing(id) }
        guard server.projectID == caller.projectID || caller.isAdministrator else { throw Self.missing(id) }
        try caller.require(action, projectID: server.projectID)
        return server
    }

    /// Returns the server if the action may run now or wait for its turn.
    ///
    /// - Parameters:
    ///   - rule: the rule of the action. Its states are compared with the state that the server will have at that turn.
    ///   - work: the workflow that the action starts; nil for an action that is done at once.
    /// - Throws: a conflict that names the lock, the state or the task that prevents the action.
    func require(
        _ id: ID<Kind.Server>, _ rule: ServerRule, for work: WorkflowKind?, by caller: Caller, in tx: Transaction
    ) throws -> Server {
        let line = try workflows.line(on: Server.resource(id), in: tx)
        let server = Self.honest(try require(id, rule.policy, by: caller, in: tx), isBusy: line != nil)
        if rule.heedsLock { try refuseLocked(server, by: caller) }
        try ServerTurn(server: server, line: line).admit(work, rule)
        return server
    }

    /// Returns the server with the state `error` if it is `building` and no workflow works on it. Its workflow then
    /// ended before its first step.
    private static func honest(_ server: Server, isBusy: Bool) -> Server {
        var server = server
        server.state = honest(server.state, isBusy: isBusy)
        return server
    }

    private static func honest(_ state: VMState, isBusy: Bool) -> VMState {
        state == .building && !isBusy ? .error : state
    }

    /// Returns the status that a server shows with these unfinished workflows.
    static func status(_ state: VMState, _ line: ResourceLine?) -> String {
        ServerStatus.text(honest(state, isBusy: line != nil), task: line?.shows?.text)
    }

    func refuseLocked(_ server: Server, by caller: Caller) throws {
        if server.lock != nil, !caller.isAdministrator { throw CloudError.conflict("Instance \(server.id) is locked") }
    }

    // MARK: Views

    func get(_ id: ID<Kind.Server>, _ action: Action = .showServer, by caller: Caller) async throws -> ServerView {
        let view = try await context.read { tx in
            let server = try requireStored(id, action, by: caller, in: tx)
            return try views([server], in: tx)[0]
        }
        return try await withHosts([view], for: caller)[0]
    }

    /// Returns the unfinished workflows of each server that has some, by the server's id.
    func lines(of ids: [ID<Kind.Server>], in tx: Transaction) throws -> [String: ResourceLine] {
        try workflows.lines(of: Server.resourceKind, ids.map(\.text), in: tx)
    }

    func views(_ list: [StoredServer], in tx: Transaction) throws -> [ServerView] {
        let ids = list.map(\.id)
        let lines = try lines(of: ids, in: tx)
        let ports = try context.needs.networking.ports(of: ids, in: tx)
        let groups = try context.needs.networking.securityGroups(of: ids, in: tx)
        let volumes = try ServerVolumeStore().list(of: ids, in: tx)
        let zones = try zonesByHost(Set(list.compactMap(\.host)), in: tx)
        return try list.map { stored in
            let line = lines[stored.id.text]
            var stored = stored
            stored.state = Self.honest(stored.state, isBusy: line != nil)
            var view = ServerView(stored)
            view.task = line?.shows?.text
            view.progress = line?.active.progress
            view.ports = ports[stored.id] ?? []
            view.volumes = volumes[stored.id] ?? []
            view.securityGroups = (groups[stored.id] ?? []).map(\.name)
            view.zone = stored.host.map { zones[$0] ?? Aggregate.usualZone }
            if stored.state == .error || stored.state == .deleted { view.fault = try fault(of: stored, in: tx) }
            return view
        }
    }

    /// Returns why a server is in error: the fault that an operator set, or the failure of its last failed workflow.
    private func fault(of server: StoredServer, in tx: Transaction) throws -> Server.Fault? {
        if let fault = try server.server().fault { return fault }
        for row in try workflows.actions(on: Server.resource(server.id), limit: 5, in: tx) {
            guard let failure = row.failure, row.status == .unwound, !failure.isCancellation else { continue }
            return Server.Fault(
                code: 500, message: failure.message, details: failure.detail, at: row.finishedAt ?? row.updatedAt)
        }
        return nil
    }

    /// Returns the zones of those hosts that an aggregate puts into one.
    func zonesByHost(_ hosts: Set<String>, in tx: Transaction) throws -> [String: String] {
        var zones: [String: String] = [:]
        for aggregate in try AggregateStore().list(of: hosts.sorted(), in: tx) {
            guard let zone = aggregate.zone else { continue }
            for host in aggregate.hosts where zones[host] == nil { zones[host] = zone }
        }
        return zones
    }

    private static let hostStatusSince = 16

    /// Adds whether hosts are up, if the caller may see that. Only then the hosts are looked up.
    private func withHosts(_ views: [ServerView], for caller: Caller) async throws -> [ServerView] {
        guard caller.minor >= Self.hostStatusSince,
            Set(views.filter { $0.stored.host != nil }.map(\.stored.projectID)).contains(where: {
                caller.may(.showHostStatus, projectID: $0)
            })
        else { return views }
        let known = try await context.hosts.overview()
        return views.map { view in
            var view = view
            if let host = view.stored.host, known.isKnown(host) {
                view.hostIsUp = known.isUp(host)
                view.hostIsDisabled = known.isDisabled(host)
            }
            return view
        }
    }

    // MARK: Lists

    func list(_ query: ServerQuery, _ page: Page, by caller: Caller) async throws -> [ServerView] {
        let found = try await context.readLong { tx in try ServerLister(service: self, query: query).views(page, in: tx)
        }
        return try await withHosts(found, for: caller)
    }

    /// Returns the same servers, with only the values that a list without details shows.
    func listBriefly(_ query: ServerQuery, _ page: Page, by caller: Caller) async throws -> [ServerBrief] {
        try await context.database.read(query.isShort ? .short : .long) { tx in
            try ServerLister(service: self, query: query).briefs(page, in: tx)
        }
    }

    // MARK: Rows

    func update(_ id: ID<Kind.Server>, _ change: ServerChange, by caller: Caller) async throws -> ServerView {
        let now = context.world.now
        try await context.write { tx in
            var server = try require(id, .updateServer, by: caller, in: tx)
            change.apply(to: &server)
            var zone = server.pinnedZone
            change.pinnedZone.apply(to: &zone)
            try pin(&server, to: zone, in: tx)
            server.updatedAt = now
            try servers.update(server, in: tx)
        }
        return try await get(id, .updateServer, by: caller)
    }

    /// Pins a server to a zone, or removes the pin. A server that is not pinned can be pinned only to the zone that it
    /// is in.
    private func pin(_ server: inout Server, to zone: String?, in tx: Transaction) throws {
        guard zone != server.pinnedZone else { return }
        if let zone {
            let present = try server.host.map { try zonesByHost([$0], in: tx)[$0] ?? Aggregate.usualZone }
            guard server.pinnedZone == nil, zone == present else {
                throw CloudError.conflict(
                    "The server is in availability zone '\(present ?? "none")' and pinned to '\(server.pinnedZone ?? "none")': it cannot be pinned to '\(zone)'.")
            }
        }
        server.pinnedZone = zone
    }

    /// Changes a server's row.
    ///
    /// - Parameters:
    ///   - word: the action's name in error messages; nil to ignore the lock and the state.
    ///   - states: the states in which the action is allowed; they count only with a `word`.
    func change(
        _ id: ID<Kind.Server>, _ action: Action, by caller: Caller, word: String? = nil, states: Set<VMState> = [],
        _ body: @escaping @Sendable (inout Server, Transaction) throws -> Void
    ) async throws -> Server {
        let now = context.world.now
        return try await context.write { tx in
            var server = try require(id, action, by: caller, in: tx)
            if let word {
                try refuseLocked(server, by: caller)
                guard states.contains(server.state) else {
                    throw CloudError.conflict("Cannot '\(word)' instance \(id) while it is in vm_state \(server.state.rawValue)")
                }
            }
            try body(&server, tx)
            server.updatedAt = now
            try servers.update(server, in: tx)
            return server
        }
    }

    /// Changes the metadata of a server within the project's quota.
    ///
    /// - Parameter word: the action's name in error messages.
    func changeMetadata(
        _ id: ID<Kind.Server>, _ action: Action, _ word: String, by caller: Caller,
        _ body: @escaping @Sendable (inout [String: String]) throws -> Void
    ) async throws -> Server {
        try await change(id, action, by: caller, word: word, states: [.active, .paused, .suspended, .stopped]) { server, tx in
            try body(&server.metadata)
            try QuotaService.requireMetadata(server.metadata.count, of: server.projectID, in: tx)
        }
    }

    // MARK: Workflows

    /// Starts the workflow of an action if the action's rule allows it. If a workflow works on the server, the new one
    /// may wait for its turn; see `ServerTurn`.
    ///
    /// - Parameter policy: a policy that replaces the rule's.
    @discardableResult
    func start<W: Workflow>(
        _ workflow: W.Type, on id: ID<Kind.Server>, asking policy: Action? = nil, by caller: Caller,
        _ input: @escaping @Sendable (inout Server, Transaction) throws -> W.Input
    ) async throws -> WorkflowID where W.Needs == ServerWorld {
        let rule = try policy.map { try W.rule.asking($0) } ?? W.rule
        return try await context.write { tx in
            var server = try require(id, rule, for: W.kind, by: caller, in: tx)
            let input = try input(&server, tx)
            return try workflows.start(
                workflow, input, on: server.resource, as: caller.principal,
                options: .init(requestID: caller.requestID, whenBusy: .wait(most: ServerTurn.mostWaiting)), in: tx)
        }
    }

    /// Starts the workflow of an action like `start`.
    ///
    /// - Returns: the workflow's input.
    func starting<W: Workflow>(
        _ workflow: W.Type, on id: ID<Kind.Server>, by caller: Caller,
        _ input: @escaping @Sendable (inout Server, Transaction) throws -> W.Input
    ) async throws -> W.Input where W.Needs == ServerWorld {
        let rule = try W.rule
        return try await context.write { tx in
            var server = try require(id, rule, for: W.kind, by: caller, in: tx)
            let input = try input(&server, tx)
            try workflows.start(
                workflow, input, on: server.resource, as: caller.principal,
                options: .init(requestID: caller.requestID, whenBusy: .wait(most: ServerTurn.mostWaiting)), in: tx)
            return input
        }
    }

    /// Waits for the end of a workflow.
    ///
    /// - Throws: the error that the workflow failed with.
    func awaitEnd(of id: WorkflowID, within patience: Duration) async throws {
        try await workflows.awaitEnd(of: id, within: patience, in: context.database, by: context.sleeper)
    }

    func delete(_ id: ID<Kind.Server>, _ action: Action = .deleteServer, by caller: Caller) async throws {
        try await context.write { tx in
            let server = try require(id, action, by: caller, in: tx)
            try refuseLocked(server, by: caller)
            try workflows.start(
                DeleteServer.self, .init(serverID: id), on: server.resource, as: caller.principal,
                options: .init(requestID: caller.requestID, whenBusy: .supersede), in: tx)
        }
    }
}

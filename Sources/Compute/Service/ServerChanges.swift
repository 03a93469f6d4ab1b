import Access
import CloudCore
import Durable
import HostModel
import SQL

/// What is done to a server besides its power.
struct ServerChanges: Sendable {
    let service: ServerService
    var context: ComputeContext { service.context }

    init(service: ServerService) { self.service = service }

    // MARK: Locks and states

    func lock(_ id: ID<Kind.Server>, reason: String?, by caller: Caller) async throws {
        _ = try await service.change(id, .lockServer, by: caller) { server, _ in
            let holder: Server.Lock.Holder = server.userID == caller.userID && server.projectID == caller.projectID ? .owner : .admin
            server.lock = .init(holder: holder, reason: reason)
        }
    }

    func unlock(_ id: ID<Kind.Server>, by caller: Caller) async throws {
        _ = try await service.change(id, .unlockServer, by: caller) { server, _ in
            if server.lock?.holder == .admin { try caller.require(.unlockOverride, projectID: server.projectID) }
            server.lock = nil
        }
    }

    /// An operator's word for what a server is, where what is known of it is wrong.
    func reset(_ id: ID<Kind.Server>, to state: VMState, by caller: Caller) async throws {
        let now = context.world.now
        _ = try await service.change(id, .resetState, by: caller) { server, _ in
            server.state = state
            server.fault =
                state == .error ? .init(code: 500, message: "The state was set to error by an administrator.", details: nil, at: now) : nil
        }
    }

    // MARK: Contents

    func rebuild(
        _ id: ID<Kind.Server>, from imageID: String, _ change: ServerChange, by caller: Caller
    ) async throws -> ServerView {
        let present = try await service.get(id, .rebuildServer, by: caller).server
        let image = try await ServerCreation(service: service).image(ID(imageID), present.flavor, by: caller)
        let from: Set<VMState> = [.active, .stopped, .error]
        let placing = Placing(needs: context.needs)
        let hosts = try await placing.hosts()
        try await service.start(RebuildServer.self, on: id, .rebuildServer, "rebuild", states: from, by: caller) { server, tx in
            if let metadata = change.metadata { try QuotaService.requireMetadata(metadata.count, of: caller.projectID, in: tx) }
            if server.host == nil { throw CloudError.conflict("Cannot 'rebuild' instance \(id): it was never on a host.") }
            if image != server.image { try placing.requireFit(server, image, hosts, in: tx) }
            var wanted = server
            wanted.image = image
            change.apply(to: &wanted)
            try setKey(change.keyName, of: &wanted, by: caller, in: tx)
            return .init(server: wanted, startsAfter: server.state != .stopped)
        }
        var view = try await service.get(id, .rebuildServer, by: caller)
        view.server.image = image
        change.apply(to: &view.server)
        change.keyName.apply(to: &view.server.keyName)
        return view
    }

    private func setKey(_ change: Update<String>, of server: inout Server, by caller: Caller, in tx: Transaction) throws {
        change.apply(to: &server.keyName)
        switch change {
        case .keep: break
        case .clear: server.publicKey = nil
        case .set(let name):
            guard let key = try KeyPairStore().find(name, of: caller.userID, in: tx) else {
                throw CloudError.badRequest("Invalid key_name provided.")
            }
            server.publicKey = key.publicKey
        }
    }

    /// - Returns: the image's id.
    func snapshot(_ id: ID<Kind.Server>, as name: String, _ metadata: [String: String], by caller: Caller) async throws -> String {
        let image = try await newImage(
            id, name, ["image_type": "snapshot"], metadata, .createImage, "createImage", for: SnapshotServer.kind, Server.copied, by: caller)
        return try await filling(image, by: caller) {
            try await service.start(SnapshotServer.self, on: id, .createImage, "createImage", states: Server.copied, ignoringLock: true, by: caller) { server, _ in
                .init(serverID: server.id, image: image)
            }
        }
    }

    /// A snapshot that takes the place of the oldest of its kind.
    ///
    /// - Parameter keeping: how many of the kind there may be afterwards.
    /// - Returns: the image's id.
    func backup(
        _ id: ID<Kind.Server>, as name: String, kind: String, keeping: Int, _ metadata: [String: String], by caller: Caller
    ) async throws -> String {
        let words = ["image_type": "backup", "backup_type": kind]
        let image = try await newImage(
            id, name, words, metadata, .createBackup, "createBackup", for: BackupServer.kind, Server.copied, by: caller)
        return try await filling(image, by: caller) {
            try await service.start(BackupServer.self, on: id, .createBackup, "createBackup", states: Server.copied, ignoringLock: true, by: caller) { server, _ in
                .init(serverID: server.id, image: image, rotation: .init(kind: kind, most: keeping))
            }
        }
    }

    /// Takes the image away again when nothing is going to fill it.
    ///
    /// - Returns: its id.
    func filling(_ image: NewImage, by caller: Caller, _ start: () async throws -> Void) async throws -> String {
        do {
            try await start()
            return image.id.text
        } catch {
            try await context.needs.images.delete(image.id, for: caller.principal)
            throw error
        }
    }

    /// Reserves the image: it is there when the answer is, for clients wait for it at once.
    func newImage(
        _ id: ID<Kind.Server>, _ name: String, _ words: [String: String], _ metadata: [String: String], _ action: Action, _ word: String,
        for work: WorkflowKind, _ from: Set<VMState>, ignoringLock: Bool = true, by caller: Caller
    ) async throws -> NewImage {
        let server = try await context.read { tx in
            let server = try service.require(id, action, word, for: work, states: from, ignoringLock: ignoringLock, by: caller, in: tx)
            try QuotaService.requireImageMetadata(metadata.count, of: caller.projectID, in: tx)
            return server
        }
        var properties = server.image?.properties ?? [:]
        properties["base_image_ref"] = server.image?.id.text
        properties["instance_uuid"] = id.text
        properties["user_id"] = caller.userID
        properties.merge(words) { _, new in new }
        properties.merge(metadata) { _, new in new }
        // By this word the older ones are found that must go.
        properties["backup_type"] = words["backup_type"] ?? properties["backup_type"]
        let image = NewImage(id: ID(context.world.random.uuid()), name: name, minDiskGiB: server.flavor.diskGiB, properties: properties)
        try await context.needs.images.ensure(image, for: caller.principal)
        return image
    }

    // MARK: The guest

    /// A server on a host, in one of the states.
    private func present(
        _ id: ID<Kind.Server>, _ action: Action, _ word: String, states: Set<VMState>? = nil, by caller: Caller
    ) async throws -> (server: Server, host: String) {
        let server = try await context.read { tx in
            guard let states else { return try service.require(id, action, by: caller, in: tx) }
            return try service.require(id, action, word, for: nil, states: states, by: caller, in: tx)
        }
        guard let host = server.host else { throw CloudError.conflict("Instance \(id) is not ready") }
        return (server, host)
    }

    func setPassword(_ password: Secret, of id: ID<Kind.Server>, by caller: Caller) async throws {
        let (server, host) = try await present(id, .changePassword, "changePassword", states: [.active], by: caller)
        try await context.needs.machines.setPassword(
            password, of: id, on: host, fence: Fence(epoch: .max, generation: server.generation))
    }

    func consoleOutput(_ id: ID<Kind.Server>, lines: Int?, by caller: Caller) async throws -> String {
        let (_, host) = try await present(id, .consoleOutput, "os-getConsoleOutput", by: caller)
        return try await context.needs.machines.consoleOutput(id, on: host, lines: lines)
    }

    func diagnostics(_ id: ID<Kind.Server>, isUniform: Bool, by caller: Caller) async throws -> JSONObject {
        let (server, host) = try await present(id, .serverDiagnostics, "diagnostics", by: caller)
        // A guest that does not run has no figures.
        guard server.power == .running else {
            throw CloudError.conflict("Cannot 'get_diagnostics' instance \(id) while it is in power state \(server.power)")
        }
        return try await context.needs.machines.diagnostics(id, on: host, isUniform: isUniform)
    }

    // MARK: Networks

    func setSecurityGroup(_ name: String, on id: ID<Kind.Server>, isAdded: Bool, by caller: Caller) async throws {
        _ = try await service.get(id, isAdded ? .addSecurityGroup : .removeSecurityGroup, by: caller)
        if isAdded {
            try await context.needs.networking.addSecurityGroup(name, to: id, for: caller.principal)
        } else {
            try await context.needs.networking.removeSecurityGroup(name, from: id, for: caller.principal)
        }
    }

    /// The longest that a client waits for its interface. The reference waits as long for its host.
    private static let attachPatience = Duration.seconds(60)

    /// Attaches an interface and waits until the guest has it.
    ///
    /// - Returns: its port.
    /// - Throws: what kept the workflow from its end; `unavailable` when it took too long, and it is called off.
    func attach(_ item: NetworkWish.Item, to id: ID<Kind.Server>, by caller: Caller) async throws -> ServerPort {
        try await NetworkRefusal.whileAttaching { try await attached(item, to: id, by: caller) }
    }

    private func attached(_ item: NetworkWish.Item, to id: ID<Kind.Server>, by caller: Caller) async throws -> ServerPort {
        _ = try await service.get(id, .attachInterface, by: caller)
        let isAny = item.network == nil && item.port == nil
        var item = item
        item.holder = id
        let plan = try await context.needs.networking.plan(
            isAny ? .automatic : .listed([item]), groups: [], for: caller.principal)
        guard let wanted = plan.ports.first else {
            throw CloudError.badRequest("No network is there that an interface could be attached to.")
        }
        let work = try await service.start(
            AttachInterface.self, on: id, .attachInterface, "attach_interface", states: Server.attachable, by: caller
        ) { _, _ in .init(serverID: id, network: plan, takesPorts: true) }
        try await service.awaitEnd(of: work, within: Self.attachPatience)
        let ports = try await context.read { [needs = context.needs] tx in try needs.networking.ports(of: [id], in: tx)[id] ?? [] }
        guard let port = ports.first(where: { $0.id == wanted.id }) else {
            throw CloudError.conflict("Port \(wanted.id) was detached from instance \(id) as soon as it was there.")
        }
        return port
    }

    func detach(_ port: ID<Kind.Port>, from id: ID<Kind.Server>, by caller: Caller) async throws {
        try await service.start(
            DetachInterface.self, on: id, .detachInterface, "detach_interface", states: Server.attachable, by: caller
        ) { server, tx in
            let ports = try context.needs.networking.ports(of: [id], in: tx)[id] ?? []
            guard ports.contains(where: { $0.id == port }) else { throw CloudError.notFound("Port \(port) could not be found.") }
            return .init(serverID: server.id, portID: port)
        }
    }
}

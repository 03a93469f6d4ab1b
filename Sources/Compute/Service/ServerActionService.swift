import Access
import CloudCore
import Durable
import HostModel
import SQL

/// The actions on servers that need more than the start of their workflow. The table of actions (`ServerAction`) has
/// their policies and states.
struct ServerActionService: Sendable {
    let service: ServerService
    var context: ComputeContext { service.context }

    // MARK: Locks and states

    func lock(_ id: ID<Kind.Server>, _ policy: Action, reason: String?, by caller: Caller) async throws {
        _ = try await service.change(id, policy, by: caller) { server, _ in
            let isOwn = server.userID == caller.userID && server.projectID == caller.projectID
            server.lock = .init(holder: isOwn ? .owner : .admin, reason: reason)
        }
    }

    func unlock(_ id: ID<Kind.Server>, _ policy: Action, by caller: Caller) async throws {
        _ = try await service.change(id, policy, by: caller) { server, _ in
            if server.lock?.holder == .admin { try caller.require(.unlockOverride, projectID: server.projectID) }
            server.lock = nil
        }
    }

    /// Sets the state of a server as an operator says, for a row that is wrong.
    func reset(_ id: ID<Kind.Server>, _ policy: Action, to state: VMState, by caller: Caller) async throws {
        let message = "The state was set to error by an administrator."
        let fault = Server.Fault(code: 500, message: message, details: nil, at: context.world.now)
        _ = try await service.change(id, policy, by: caller) { server, _ in
            server.state = state
            server.fault = state == .error ? fault : nil
        }
    }

    // MARK: Contents

    func rebuild(_ id: ID<Kind.Server>, from imageID: String, _ change: ServerChange, by caller: Caller) async throws -> ServerView {
        let policy = try RebuildServer.rule.policy
        let present = try await service.get(id, policy, by: caller).server
        if present.rootVolume != nil {
            return try await rebuildVolumeBacked(present, from: ID(imageID), change, by: caller)
        }
        let image = try await ServerCreation(service: service).image(ID(imageID), present.flavor, by: caller)
        let placing = context.placing
        var report: HostReport?
        if let host = present.host { report = try await context.needs.hosts.report(of: host) }
        try await service.start(RebuildServer.self, on: id, by: caller) { [report] server, tx in
            if let metadata = change.metadata { try QuotaService.requireMetadata(metadata.count, of: caller.projectID, in: tx) }
            if server.host == nil { throw CloudError.conflict("Cannot 'rebuild' instance \(id): it was never on a host.") }
            if image != server.image { try placing.requireFit(server, image, report, in: tx) }
            var wanted = server
            wanted.image = image
            change.apply(to: &wanted)
            try setKey(change.keyName, of: &wanted, by: caller, in: tx)
            return .init(server: wanted, startsAfter: server.state != .stopped)
        }
        var view = try await service.get(id, policy, by: caller)
        try view.change { server in
            server.image = image
            change.apply(to: &server)
            change.keyName.apply(to: &server.keyName)
        }
        return view
    }

    func setKey(_ change: Update<String>, of server: inout Server, by caller: Caller, in tx: Transaction) throws {
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

    /// Starts a snapshot of a server.
    ///
    /// - Returns: the id of the image.
    func snapshot(_ id: ID<Kind.Server>, as name: String, _ metadata: [String: String], by caller: Caller) async throws -> String {
        let present = try await service.get(id, try SnapshotServer.rule.policy, by: caller).server
        if present.rootVolume != nil { return try await snapshotVolumes(of: id, as: name, metadata, by: caller) }
        let image = try await newImage(
            id, name, ["image_type": "snapshot"], metadata, for: SnapshotServer.self, by: caller)
        return try await filling(image, by: caller) {
            try await service.start(SnapshotServer.self, on: id, by: caller) { server, _ in
                .init(serverID: server.id, image: image)
            }
        }
    }

    /// Starts a snapshot that replaces the oldest backup of its kind.
    ///
    /// - Parameter keeping: the number of backups of this kind that are kept.
    /// - Returns: the id of the image.
    func backup(
        _ id: ID<Kind.Server>, as name: String, kind: String, keeping: Int, _ metadata: [String: String], by caller: Caller
    ) async throws -> String {
        let present = try await service.get(id, try BackupServer.rule.policy, by: caller).server
        guard present.rootVolume == nil else {
            throw CloudError.badRequest("Backup is not supported for volume-backed instances.")
        }
        let words = ["image_type": "backup", "backup_type": kind]
        let image = try await newImage(id, name, words, metadata, for: BackupServer.self, by: caller)
        return try await filling(image, by: caller) {
            try await service.start(BackupServer.self, on: id, by: caller) { server, _ in
                .init(serverID: server.id, image: image, rotation: .init(kind: kind, most: keeping))
            }
        }
    }

    /// Runs `start`. If it fails, the reserved image is deleted, because nothing is going to fill it.
    ///
    /// - Returns: the id of the image.
    func filling(_ image: NewImage, by caller: Caller, _ start: () async throws -> Void) async throws -> String {
        do {
            try await start()
            return image.id.text
        } catch {
            try await context.needs.images.delete(image.id, for: caller.principal)
            throw error
        }
    }

    /// Creates the queued image that a snapshot fills. It exists before the caller is answered, because clients wait
    /// for it from then on.
    ///
    /// - Parameters:
    ///   - words: the properties of the image that clients cannot set.
    ///   - workflow: the workflow that fills the image.
    func newImage<W: Workflow>(
        _ id: ID<Kind.Server>, _ name: String, _ words: [String: String], _ metadata: [String: String], for workflow: W.Type,
        by caller: Caller
    ) async throws -> NewImage where W.Needs == ServerWorld {
        let rule = try W.rule
        let server = try await context.read { tx in
            let server = try service.require(id, rule, for: W.kind, by: caller, in: tx)
            try QuotaService.requireImageMetadata(metadata.count, of: caller.projectID, in: tx)
            return server
        }
        var properties = server.imageProperties
        properties["base_image_ref"] = server.image?.id.text
        properties["instance_uuid"] = id.text
        properties["user_id"] = caller.userID
        properties.merge(words) { _, new in new }
        properties.merge(metadata) { _, new in new }
        // A backup's rotation finds the older images by this property.
        properties["backup_type"] = words["backup_type"] ?? properties["backup_type"]
        let image = NewImage(id: ID(context.world.random.uuid()), name: name, minDiskGiB: server.flavor.diskGiB, properties: properties)
        try await context.needs.images.ensure(image, for: caller.principal)
        return image
    }

    // MARK: The guest

    private static func host(of server: Server) throws -> String {
        guard let host = server.host else { throw CloudError.conflict("Instance \(server.id) is not ready") }
        return host
    }

    func setPassword(_ password: Secret, of id: ID<Kind.Server>, _ rule: ServerRule, by caller: Caller) async throws {
        let server = try await service.check(id, rule, by: caller)
        try await context.needs.machines.setPassword(
            password, of: id, on: Self.host(of: server),
            fence: Fence(epoch: .max, generation: server.generation))
    }

    func consoleOutput(_ id: ID<Kind.Server>, _ policy: Action, lines: Int?, by caller: Caller) async throws -> String {
        let host = try Self.host(of: try await service.check(id, policy, by: caller))
        return try await context.needs.machines.consoleOutput(id, on: host, lines: lines)
    }

    func diagnostics(_ id: ID<Kind.Server>, isUniform: Bool, by caller: Caller) async throws -> JSONObject {
        let server = try await service.check(id, .serverDiagnostics, by: caller)
        let host = try Self.host(of: server)
        // A guest that does not run has no figures.
        guard server.power == .running else {
            throw CloudError.conflict("Cannot 'get_diagnostics' instance \(id) while it is in power state \(server.power)")
        }
        return try await context.needs.machines.diagnostics(id, on: host, isUniform: isUniform)
    }

    // MARK: Networks

    func addSecurityGroup(_ name: String, to id: ID<Kind.Server>, _ policy: Action, by caller: Caller) async throws {
        _ = try await service.get(id, policy, by: caller)
        try await context.needs.networking.addSecurityGroup(name, to: id, for: caller.principal)
    }

    func removeSecurityGroup(_ name: String, from id: ID<Kind.Server>, _ policy: Action, by caller: Caller) async throws {
        _ = try await service.get(id, policy, by: caller)
        try await context.needs.networking.removeSecurityGroup(name, from: id, for: caller.principal)
    }

    /// The longest time that a client waits for its interface. The reference waits as long for its host.
    private static let attachPatience = Duration.seconds(60)

    /// Attaches an interface and waits until the guest has it.
    ///
    /// - Returns: the port of the interface.
    /// - Throws: the error that the workflow failed with; `unavailable` if it took too long and was cancelled.
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
        let work = try await service.start(AttachInterface.self, on: id, by: caller) { _, _ in
            .init(serverID: id, network: plan, takesPorts: true)
        }
        try await service.awaitEnd(of: work, within: Self.attachPatience)
        let ports = try await context.read { [needs = context.needs] tx in try needs.networking.ports(of: [id], in: tx)[id] ?? [] }
        guard let port = ports.first(where: { $0.id == wanted.id }) else {
            throw CloudError.conflict("Port \(wanted.id) was detached from instance \(id) as soon as it was there.")
        }
        return port
    }

    func detach(_ port: ID<Kind.Port>, from id: ID<Kind.Server>, by caller: Caller) async throws {
        try await service.start(DetachInterface.self, on: id, by: caller) { server, tx in
            let ports = try context.needs.networking.ports(of: [id], in: tx)[id] ?? []
            guard ports.contains(where: { $0.id == port }) else { throw CloudError.notFound("Port \(port) could not be found.") }
            return .init(serverID: server.id, portID: port)
        }
    }
}

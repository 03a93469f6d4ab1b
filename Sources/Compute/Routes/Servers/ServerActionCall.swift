import Access
import CloudCore
import Durable
import HTTPKit
import HTTPTypes

/// A request for an action on a server, with the calls of the service and the answers to the client.
struct ServerActionCall: Sendable {
    /// The conditions of an action that is done at once.
    let rule: ServerRule
    let id: ID<Kind.Server>
    let call: ComputeCall
    let actions: ServerActionService

    var servers: ServerService { actions.service }
    var caller: Caller { call.caller }
    var policy: Action { rule.policy }

    /// Starts a workflow whose only input is the server.
    func start<W: Workflow>(_ workflow: W.Type) async throws where W.Needs == ServerWorld, W.Input: PlainServerInput {
        try await servers.start(workflow, on: id, by: caller) { server, _ in W.Input(serverID: server.id) }
    }

    /// Returns the server for an action that is allowed in every state.
    func view() async throws -> ServerView { try await servers.get(id, policy, by: caller) }
}

// MARK: Contents

extension ServerActionCall {
    func rebuild(_ rebuild: ServerBodies.Rebuild) async throws -> Reply {
        let view = try await actions.rebuild(id, from: rebuild.imageID, rebuild.change, by: caller)
        let isWhole = call.minor >= 75
        let parts = ServerWire.Parts(
            all: isWhole, keyName: isWhole || call.minor >= 54, userData: true, groups: call.minor >= 71,
            adminPassword: password(rebuild.password))
        var reply = try ServerRoutes.answer(view, call, parts, .accepted)
        reply.headers[.location] = "\(Links(call).home)/servers/\(id)"
        return reply
    }

    func createImage(_ copy: ServerActionBodies.Copy) async throws -> Reply {
        made(try await actions.snapshot(id, as: copy.name, copy.metadata, by: caller))
    }

    func createBackup(_ copy: ServerActionBodies.Copy) async throws -> Reply {
        let image = try await actions.backup(
            id, as: copy.name, kind: copy.kind, keeping: copy.rotation, copy.metadata, by: caller)
        // If no backup is kept, the new one is deleted at once, so the answer does not name it.
        return copy.rotation == 0 && call.minor < 45 ? .accepted : made(image)
    }

    private func made(_ image: String) -> Reply {
        if call.minor >= 45 { return .json(.accepted) { $0.member("image_id", image) } }
        let root = Links(call).base.replacing(/\/compute$/, with: "/image")
        return Reply(.accepted, headers: [.location: "\(root)/images/\(image)"])
    }

    // MARK: Other places

    func rescue(_ rescue: ServerActionBodies.Rescue) async throws -> Reply {
        try await actions.rescue(id, from: rescue.imageID, by: caller)
        return answer(password: rescue.password)
    }

    func migrateLive(_ move: ServerActionBodies.Move) async throws {
        try refuseForceWithoutHost(move)
        try await actions.migrateLive(id, to: move.host, by: caller)
    }

    func evacuate(_ move: ServerActionBodies.Move) async throws -> Reply {
        try refuseForceWithoutHost(move)
        if move.isOnSharedStorage {
            throw CloudError.badRequest("Disks are on their hosts: there is no shared storage.")
        }
        // Since 2.95, an evacuated server stays stopped until its owner starts it.
        try await actions.evacuate(id, to: move.host, starts: call.minor >= 95 ? false : nil, by: caller)
        return call.minor <= ServerActionBodies.lastWithStorage ? answer(password: move.password) : .ok
    }

    private func refuseForceWithoutHost(_ move: ServerActionBodies.Move) throws {
        if move.isForced, move.host == nil { throw CloudError.badRequest("Can't force to a non-provided destination") }
    }

    private func answer(password given: String?) -> Reply { .json { $0.member("adminPass", password(given)) } }

    private func password(_ given: String?) -> String { given ?? ServerRoutes.password(servers.context.world) }

    // MARK: The guest

    func consoleOutput(_ console: ServerActionBodies.Console) async throws -> Reply {
        let lines = console.length == -1 ? nil : console.length
        let text = try await actions.consoleOutput(id, policy, lines: lines, by: caller)
        return .json { $0.member("output", text) }
    }

    // MARK: What no server comes to

    /// Refuses to restore a server. An existing server was not deleted, and a deleted one cannot be restored.
    func restore() async throws {
        _ = try await view()
        throw CloudError.conflict("Cannot 'restore' instance \(id) while it is in vm_state active")
    }

    func refuseCrashDump() async throws {
        try await servers.check(id, rule, by: caller)
        throw CloudError(.notImplemented, "This cloud cannot make guests dump their memory yet.")
    }
}

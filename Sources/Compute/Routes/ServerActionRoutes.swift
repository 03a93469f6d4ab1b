import Access
import CloudCore
import HTTPKit
import HTTPTypes

/// `POST /servers/{server_id}/action`: the body's one member says what to do.
struct ServerActionRoutes: Sendable {
    let endpoint: Endpoint
    let servers: ServerService
    let changes: ServerChanges

    var all: [Route] {
        [endpoint.route(.post, ServerRoutes.path + "/action", nil) { call in try await act(call) }]
    }

    private func act(_ call: ComputeCall) async throws -> Reply {
        let body = JSON.object(try await call.call.body.json())
        guard let members = body.object, members.count == 1, let name = members.keys.first else {
            throw CloudError.badRequest("Malformed request body: it must have one member, the action.")
        }
        let id: ID<Kind.Server> = call.call.id("server_id")
        if let verb = Self.verbs[name] {
            try Self.nothing(name, body, call)
            try await verb(servers, id, call.caller)
            return .accepted
        }
        switch name {
        case "reboot":
            if try call.read(ServerBodies.reboot, body) {
                try await servers.command(HardRebootVerb.self, id, .rebootServer, by: call.caller)
            } else {
                try await servers.command(SoftRebootVerb.self, id, .rebootServer, by: call.caller)
            }
        case "lock": try await lock(id, body, call)
        case "unlock": try await changes.unlock(id, by: call.caller)
        case "resize":
            let resize = try call.read(ServerBodies.resize, body)
            try await changes.resize(id, to: resize.flavorID, resizesDisk: resize.resizesDisk, by: call.caller)
        case "confirmResize":
            try await changes.confirm(id, by: call.caller)
            return .noContent
        case "revertResize": try await changes.revert(id, by: call.caller)
        case "rebuild": return try await rebuild(id, body, call)
        case "createImage": return try await createImage(id, body, call)
        case "createBackup": return try await createBackup(id, body, call)
        case let name where ServerAddressActions.names.contains(name) && call.minor <= OtherAPIs.lastForAddresses:
            try await ServerAddressActions(servers: servers).act(name, id, body, call)
        case "changePassword": try await password(id, body, call)
        case "os-getConsoleOutput": return try await console(id, body, call)
        case "addSecurityGroup", "removeSecurityGroup":
            let group = try call.read(ServerBodies.group.inside(name), body)
            try await changes.setSecurityGroup(group, on: id, isAdded: name == "addSecurityGroup", by: call.caller)
        case "os-resetState":
            try await changes.reset(id, to: try call.read(ServerBodies.state, body), by: call.caller)
        case "forceDelete": try await servers.delete(id, .forceDeleteServer, by: call.caller)
        case "restore":
            _ = try await servers.get(id, .restoreServer, by: call.caller)
            throw CloudError.conflict("Cannot 'restore' instance \(id) while it is in vm_state active")
        case let name where ServerMoveActions.names.contains(name):
            return try await ServerMoveActions(changes: changes).act(name, id, body, call)
        case "trigger_crash_dump": try await refuseCrashDump(name, id, call)
        case "resetNetwork", "injectNetworkInfo": _ = try await servers.get(id, .injectNetworkInfo, by: call.caller)
        default: throw CloudError.badRequest("There is no such action: \(name.prefix(255))")
        }
        return .accepted
    }

    /// Actions without arguments.
    private static let verbs: [String: @Sendable (ServerService, ID<Kind.Server>, Caller) async throws -> Void] = [
        "os-start": { try await $0.command(StartVerb.self, $1, .startServer, by: $2) },
        "os-stop": { try await $0.command(StopVerb.self, $1, .stopServer, by: $2) },
        "pause": { try await $0.command(PauseVerb.self, $1, .pauseServer, by: $2) },
        "unpause": { try await $0.command(UnpauseVerb.self, $1, .unpauseServer, by: $2) },
        "suspend": { try await $0.command(SuspendVerb.self, $1, .suspendServer, by: $2) },
        "resume": { try await $0.command(ResumeVerb.self, $1, .resumeServer, by: $2) },
    ]

    private func refuseCrashDump(_ name: String, _ id: ID<Kind.Server>, _ call: ComputeCall) async throws {
        let from: Set<VMState> = [.active, .paused, .rescued, .error]
        try await servers.check(id, .crashDump, name, states: from, by: call.caller)
        throw CloudError(.notImplemented, "This cloud cannot make guests dump their memory yet.")
    }

    private static func nothing(_ name: String, _ body: JSON, _ call: ComputeCall) throws {
        // Any value was let through; only an object with members says something that is not heard.
        if let members = body[name]?.object, !members.isEmpty {
            throw Dialect.wrong(name, body[name] ?? .null, "\(body[name]?.quoted ?? "") is not of type 'null'")
        }
    }

    private func lock(_ id: ID<Kind.Server>, _ body: JSON, _ call: ComputeCall) async throws {
        let reason = call.minor >= 73 ? try call.read(ServerBodies.lock, body)?.reason : nil
        try await changes.lock(id, reason: reason, by: call.caller)
    }

    private func rebuild(_ id: ID<Kind.Server>, _ body: JSON, _ call: ComputeCall) async throws -> Reply {
        let rebuild = try call.read(ServerBodies.rebuild, body)
        let view = try await changes.rebuild(id, from: rebuild.imageID, rebuild.change, by: call.caller)
        let isWhole = call.minor >= 75
        let parts = ServerWire.Parts(
            all: isWhole, keyName: isWhole || call.minor >= 54, userData: true, groups: call.minor >= 71,
            adminPassword: rebuild.password ?? ServerRoutes.password(servers.context.world))
        var reply = ServerRoutes.answer(view, call, parts, .accepted)
        reply.headers[.location] = "\(Links(call).home)/servers/\(id)"
        return reply
    }

    private func createImage(_ id: ID<Kind.Server>, _ body: JSON, _ call: ComputeCall) async throws -> Reply {
        let copy = try call.read(ServerBodies.createImage, body)
        let image = try await changes.snapshot(id, as: copy.name, copy.metadata, by: call.caller)
        return Self.made(image, call)
    }

    private func createBackup(_ id: ID<Kind.Server>, _ body: JSON, _ call: ComputeCall) async throws -> Reply {
        let copy = try call.read(ServerBodies.createBackup, body)
        let image = try await changes.backup(
            id, as: copy.name, kind: copy.kind, keeping: copy.rotation, copy.metadata, by: call.caller)
        // If none are kept, the new one is gone at once.
        return copy.rotation == 0 && call.minor < 45 ? .accepted : Self.made(image, call)
    }

    private static func made(_ image: String, _ call: ComputeCall) -> Reply {
        if call.minor >= 45 { return .json(.accepted) { $0.member("image_id", image) } }
        let root = Links(call).base.replacing(/\/compute$/, with: "/image")
        return Reply(.accepted, headers: [.location: "\(root)/images/\(image)"])
    }

    private func password(_ id: ID<Kind.Server>, _ body: JSON, _ call: ComputeCall) async throws {
        try await changes.setPassword(try call.read(ServerBodies.password, body), of: id, by: call.caller)
    }

    private func console(_ id: ID<Kind.Server>, _ body: JSON, _ call: ComputeCall) async throws -> Reply {
        let length = try call.read(ServerBodies.console, body).length
        let text = try await changes.consoleOutput(id, lines: length == -1 ? nil : length, by: call.caller)
        return .json { $0.member("output", text) }
    }
}

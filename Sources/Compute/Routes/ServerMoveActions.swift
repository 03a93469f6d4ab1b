import CloudCore
import HTTPKit

/// Actions that take a server to another host, off its host, or away from its own disk.
struct ServerMoveActions: Sendable {
    let changes: ServerChanges

    static let names: Set<String> = [
        "migrate", "os-migrateLive", "evacuate", "rescue", "unrescue", "shelve", "shelveOffload", "unshelve",
    ]

    func act(_ name: String, _ id: ID<Server>, _ body: JSON, _ call: ComputeCall) async throws -> Reply {
        let given = body[name] ?? .null
        switch name {
        case "migrate":
            if call.minor >= Self.hostsSince { try Self.optional(name, [("host", .null(or: .hostName))]).check(body) }
            try await changes.migrate(id, to: call.minor >= Self.hostsSince ? Self.text(given["host"]) : nil, by: call.caller)
        case "os-migrateLive":
            try Self.live(call.minor).check(body)
            let host = Self.text(given["host"])
            if given["force"]?.truth == true, host == nil { throw CloudError.badRequest("Can't force to a non-provided destination") }
            try await changes.migrateLive(id, to: host, by: call.caller)
        case "rescue":
            try Self.optional(name, [("adminPass", ServerShapes.password), ("rescue_image_ref", .uuid)]).check(body)
            try await changes.rescue(id, from: given["rescue_image_ref"]?.string, by: call.caller)
            let password = given["adminPass"]?.string ?? ServerRoutes.password(changes.context.world)
            return .json { $0.member("adminPass", password) }
        case "unrescue": try await changes.unrescue(id, by: call.caller)
        case "shelve": try await changes.shelve(id, by: call.caller)
        case "shelveOffload": try await changes.offload(id, by: call.caller)
        case "unshelve":
            try Self.unshelve(call.minor)?.check(body)
            let zone: String?? = call.minor >= Self.zonesSince ? given["availability_zone"].map { $0.string } : nil
            try await changes.unshelve(
                id, zone: zone, host: call.minor >= Self.unshelvesToHostsSince ? given["host"]?.string : nil, by: call.caller)
        default: return try await evacuate(id, body, call)
        }
        return .accepted
    }

    private func evacuate(_ id: ID<Server>, _ body: JSON, _ call: ComputeCall) async throws -> Reply {
        var members: [(String, BodyShape)] = [("host", .hostName), ("adminPass", ServerShapes.password)]
        let asksForStorage = call.minor < 14
        if asksForStorage { members.append(("onSharedStorage", .boolean)) }
        if (29...67).contains(call.minor) { members.append(("force", .boolean)) }
        try BodyShape.envelope("evacuate", members, required: asksForStorage ? ["onSharedStorage"] : []).check(body)
        let given = body["evacuate"] ?? [:]
        if given["force"]?.truth == true, given["host"] == nil { throw CloudError.badRequest("Can't force to a non-provided destination") }
        if given["onSharedStorage"]?.truth == true {
            throw CloudError.badRequest("Disks are on their hosts: there is no shared storage.")
        }
        // Since 2.95 what was evacuated waits for its owner.
        try await changes.evacuate(id, to: given["host"]?.string, starts: call.minor >= 95 ? false : nil, by: call.caller)
        guard asksForStorage else { return .ok }
        let password = given["adminPass"]?.string ?? ServerRoutes.password(changes.context.world)
        return .json { $0.member("adminPass", password) }
    }

    private static let hostsSince = 56
    private static let zonesSince = 77
    private static let unshelvesToHostsSince = 91

    /// The scheduler chooses where nobody has.
    private static func text(_ host: JSON?) -> String? { host?.string.flatMap { $0.isEmpty ? nil : $0 } }

    /// An action whose value may be null.
    private static func optional(_ name: String, _ members: [(String, BodyShape)], required: [String] = []) -> BodyShape {
        .object([(name, .null(or: .object(members, required: required)))], required: [name])
    }

    private static func live(_ minor: Int) -> BodyShape {
        let host: (String, BodyShape) = ("host", .null(or: .hostName))
        guard minor >= 25 else {
            return .envelope(
                "os-migrateLive", [host, ("block_migration", .boolean), ("disk_over_commit", .boolean)],
                required: ["block_migration", "disk_over_commit", "host"])
        }
        var members = [host, ("block_migration", .either([.boolean, .word(of: ["auto"])]))]
        if (30...67).contains(minor) { members.append(("force", .boolean)) }
        return .envelope("os-migrateLive", members, required: ["block_migration", "host"])
    }

    private static func unshelve(_ minor: Int) -> BodyShape? {
        switch minor {
        case unshelvesToHostsSince...: optional("unshelve", [("availability_zone", .null(or: .text())), ("host", .text())])
        case zonesSince...: optional("unshelve", [("availability_zone", .name)], required: ["availability_zone"])
        default: nil
        }
    }
}

import CloudCore
import HTTPKit

/// Actions that take a server to another host, off its host, or away from its own disk.
struct ServerMoveActions: Sendable {
    let changes: ServerChanges

    static let names: Set<String> = [
        "migrate", "os-migrateLive", "evacuate", "rescue", "unrescue", "shelve", "shelveOffload", "unshelve",
    ]

    func act(_ name: String, _ id: ID<Kind.Server>, _ body: JSON, _ call: ComputeCall) async throws -> Reply {
        switch name {
        case "migrate": try await changes.migrate(id, to: try Self.migration(body, call), by: call.caller)
        case "os-migrateLive":
            let move = try call.read(Self.live, body)
            if move.isForced, move.host == nil { throw CloudError.badRequest("Can't force to a non-provided destination") }
            try await changes.migrateLive(id, to: move.host, by: call.caller)
        case "rescue":
            let rescue = try call.read(Self.rescue, body) ?? Rescue()
            try await changes.rescue(id, from: rescue.imageID, by: call.caller)
            let password = rescue.password ?? ServerRoutes.password(changes.context.world)
            return .json { $0.member("adminPass", password) }
        case "unrescue": try await changes.unrescue(id, by: call.caller)
        case "shelve": try await changes.shelve(id, by: call.caller)
        case "shelveOffload": try await changes.offload(id, by: call.caller)
        case "unshelve":
            let place = call.minor >= Self.zonesSince ? try call.read(Self.unshelve, body) ?? Place() : Place()
            try await changes.unshelve(id, zone: place.zone, host: place.host, by: call.caller)
        default: return try await evacuate(id, body, call)
        }
        return .accepted
    }

    private func evacuate(_ id: ID<Kind.Server>, _ body: JSON, _ call: ComputeCall) async throws -> Reply {
        let given = try call.read(Self.evacuation, body)
        if given.isForced, given.host == nil { throw CloudError.badRequest("Can't force to a non-provided destination") }
        if given.isOnSharedStorage { throw CloudError.badRequest("Disks are on their hosts: there is no shared storage.") }
        // Since 2.95 a server stays stopped after its evacuation until its owner starts it.
        try await changes.evacuate(id, to: given.host, starts: call.minor >= 95 ? false : nil, by: call.caller)
        guard call.minor <= Self.lastWithStorage else { return .ok }
        let password = given.password ?? ServerRoutes.password(changes.context.world)
        return .json { $0.member("adminPass", password) }
    }

    // MARK: Bodies

    private struct Move: Sendable {
        /// Nil leaves the choice to the scheduler.
        var host: String?
        var isForced = false
    }
    private struct Rescue: Sendable {
        var password: String?
        var imageID: String?
    }
    private struct Place: Sendable {
        var zone = Update<String>.keep
        var host: String?
    }
    private struct Evacuation: Sendable {
        var host: String?
        var password: String?
        var isForced = false
        var isOnSharedStorage = false
    }

    private static let hostsSince = 56
    private static let zonesSince = 77
    private static let unshelvesToHostsSince = 91
    private static let lastWithStorage = 13

    private static let host = Form<String?>.nullable(.hostName).mapped { $0.flatMap { $0.isEmpty ? nil : $0 } }
    private static let force = FormMember<Move>.optional("force", \.isForced, .truth, since: 30, until: 67)
    private static let migration = Form<Move?>.nullable(.object(Move(), [.optional("host", \.host, host)])).inside("migrate")
    private static let live = Form.object(
        Move(),
        [
            .required("host", \.host, host), .ignored("block_migration", .truth, required: true, until: 24),
            .ignored("block_migration", .either([.truth, .oneOf(["auto"])]), required: true, since: 25),
            .ignored("disk_over_commit", .truth, required: true, until: 24), force,
        ]
    ).inside("os-migrateLive")
    private static let rescue = Form<Rescue?>.nullable(
        .object(Rescue(), [.optional("adminPass", \.password, .string()), .optional("rescue_image_ref", \.imageID, .uuid)])
    ).inside("rescue")
    private static let evacuation = Form.object(
        Evacuation(),
        [
            .optional("host", \.host, .hostName), .optional("adminPass", \.password, .string()),
            .required("onSharedStorage", \.isOnSharedStorage, .truth, until: lastWithStorage),
            .optional("force", \.isForced, .truth, since: 29, until: 67),
        ]
    ).inside("evacuate")

    private static func migration(_ body: JSON, _ call: ComputeCall) throws -> String? {
        call.minor >= hostsSince ? try call.read(migration, body)?.host : nil
    }

    private static let unshelve = Form<Place?>.nullable(
        .object(
            Place(),
            [
                .required("availability_zone", \.zone, Form.plainName.mapped { .set($0) }, until: unshelvesToHostsSince - 1),
                .update("availability_zone", \.zone, .string(), since: unshelvesToHostsSince),
                .optional("host", \.host, .string(), since: unshelvesToHostsSince),
            ])
    ).inside("unshelve")
}

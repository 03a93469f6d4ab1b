import CloudCore
import HTTPKit
import HTTPTypes
import HostModel

/// The routes of `/servers` and `/servers/{server_id}`.
struct ServerRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let servers: ServerService

    static let path = "/servers/{server_id}"
    private static let groupsSince = 71
    private static let allPartsSince = 75

    var all: [Route] {
        [
            maker.route(.get, "/servers", .listServers, query: ServerListWire.shape) { call in try await list(call, detailed: false) },
            maker.route(.get, "/servers/detail", .detailServers, query: ServerListWire.shape) { call in try await list(call, detailed: true) },
            maker.route(.post, "/servers", .createServer) { call in try await create(call) },
            maker.route(.get, Self.path, nil) { call in
                let view = try await servers.get(call.call.id("server_id"), by: call.caller)
                var reply = try Self.answer(view, call, .init(groups: call.minor >= Self.groupsSince))
                if let progress = view.progress { reply.headers[.progress] = String(progress) }
                return reply
            },
            maker.route(.put, Self.path, nil) { call in try await update(call) },
            maker.route(.delete, Self.path, nil) { call in
                try await servers.delete(call.call.id("server_id"), by: call.caller)
                return .noContent
            },
        ]
    }

    private func list(_ call: ComputeCall, detailed: Bool) async throws -> Reply {
        guard let query = try ServerListWire.query(call, detailed: detailed) else {
            return .json { $0.array("servers", of: [] as [String]) { $0.string($1) } }
        }
        guard detailed else {
            let found = try await servers.listBriefly(query, try call.page(), by: call.caller)
            return try await .page(of: found.count) {
                .json { json in
                    let wire = ServerWire(call)
                    json.array("servers", of: found) { json, brief in json.object { wire.write(brief, &$0) } }
                    wire.links.next(
                        &json, "servers_links", "servers", call, count: found.count, last: found.last?.id.text)
                }
            }
        }
        let found = try await servers.list(query, try call.page(), by: call.caller)
        return try await .page(of: found.count) {
            try .json { json in
                var wire = ServerWire(call)
                try json.array("servers", of: found) { json, view in
                    try json.object { try wire.write(view, .init(), &$0) }
                }
                wire.links.next(
                    &json, "servers_links", "servers/detail", call, count: found.count, last: found.last?.stored.id.text
                )
            }
        }
    }

    static func answer(
        _ view: ServerView, _ call: ComputeCall, _ parts: ServerWire.Parts, _ status: HTTPResponse.Status = .ok
    ) throws -> Reply {
        var wire = ServerWire(call)
        return try .json(status) { json in try json.object("server") { try wire.write(view, parts, &$0) } }
    }

    // MARK: Create

    private func create(_ call: ComputeCall) async throws -> Reply {
        let body = try await call.read(ServerBodies.create)
        let given = body.server
        let made = try await ServerCreation(service: servers).create(try wish(body, call), by: call.caller)
        guard let first = made.first else { throw CloudError.internalError("no server was made and none was refused") }
        if given.answersWithReservation { return .json(.accepted) { $0.member("reservation_id", first.reservationID) } }
        let links = Links(call)
        let password = given.password ?? Self.password(servers.context.world)
        return .json(.accepted, headers: [.location: "\(links.home)/servers/\(first.id)"]) { json in
            json.object("server") { json in
                json.member("id", first.id)
                links.write(&json, "servers", first.id.text)
                json.member("OS-DCF:diskConfig", first.resizesDisk ? "AUTO" : "MANUAL")
                json.member("security_groups", given.givenGroups ?? [["name": "default"]])
                json.member("adminPass", password)
            }
        }
    }

    /// Returns a password of twelve letters and digits. Characters that look alike are left out.
    static func password(_ world: World) -> String {
        let letters = Array("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789")
        return String(world.random.bytes(12).map { letters[Int($0) % letters.count] })
    }

    private func wish(_ body: ServerBodies.Create, _ call: ComputeCall) throws -> ServerCreation.Wish {
        let given = body.server
        var wish = given.wish
        if call.minor < 19 { wish.description = wish.name }
        wish.most = given.most ?? wish.least
        (wish.disks, wish.volumes) = try devices(given, call)
        wish.knowsMultiattach = call.minor >= VolumeAttachmentRoutes.multiattachSince
        if wish.certificates != nil { try call.caller.require(.createWithCertificates) }
        try place(&wish, given, call)
        wish.network = try network(given, call)
        wish.securityGroups = (given.givenGroups?.array ?? []).compactMap { $0["name"]?.string }
        wish.hints = body.hints ?? body.olderHints ?? .init()
        return wish
    }

    private func devices(_ given: NewServer, _ call: ComputeCall) throws -> (LocalDisks?, [VolumeWish]) {
        let devices = try BlockDevices(older: given.olderDevices, newer: given.devices, image: given.wish.imageID)
        if !given.olderDevices.isEmpty || !given.devices.isEmpty { try call.caller.require(.createWithVolume) }
        return (devices.disks == LocalDisks() ? nil : devices.disks, devices.volumes)
    }

    private func place(_ wish: inout ServerCreation.Wish, _ given: NewServer, _ call: ComputeCall) throws {
        let parts = (given.place ?? "").split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        if let zone = parts.first, !zone.isEmpty { wish.zone = zone.trimmed }
        let host = parts.dropFirst().first { !$0.isEmpty }
        if host != nil { try call.caller.require(.createOnHost) }
        if parts.count > 3 { throw CloudError.badRequest("Unable to parse the availability zone.") }
        let wanted = given.host ?? given.node
        if wanted != nil {
            try call.caller.require(.createAtDestination)
            if host != nil {
                throw CloudError.badRequest("Using the zone:host:node form of availability zone with host or hypervisor_hostname is not possible.")
            }
        }
        wish.host = host ?? wanted
    }

    private func network(_ given: NewServer, _ call: ComputeCall) throws -> NetworkWish {
        switch given.networks {
        case nil: return .automatic
        case .nothing: return .nothing
        case .listed(let networks) where networks.isEmpty: return .automatic
        case .automatic:
            try call.caller.require(.createWithNetwork)
            return .automatic
        case .listed(let networks):
            try call.caller.require(.createWithNetwork)
            return .listed(try networks.map(Self.item))
        }
    }

    private static func item(_ wanted: NewServer.Network) throws -> NetworkWish.Item {
        if wanted.port == nil {
            guard let network = wanted.network else { throw CloudError.badRequest("Missing network uuid or port") }
            guard UUIDText.normal(network) != nil else {
                throw CloudError.badRequest("Bad networks format: network uuid is not in proper format (\(network.prefix(255)))")
            }
        } else if wanted.address != nil {
            throw CloudError.badRequest("Specified Fixed IP with port is not supported.")
        }
        return NetworkWish.Item(
            network: wanted.port == nil ? wanted.network.map { ID($0) } : nil, port: wanted.port.map { ID($0) },
            address: wanted.address, tag: wanted.tag)
    }

    // MARK: Update

    private func update(_ call: ComputeCall) async throws -> Reply {
        let change = try await call.read(ServerBodies.update)
        let view = try await servers.update(call.call.id("server_id"), change, by: call.caller)
        let parts = ServerWire.Parts(
            all: call.minor >= Self.allPartsSince, keyName: false, userData: false, groups: call.minor >= Self.groupsSince)
        return try Self.answer(view, call, parts)
    }
}

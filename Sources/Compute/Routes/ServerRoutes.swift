import CloudCore
import HTTPKit
import HTTPTypes

/// `/servers` and `/servers/{server_id}`
struct ServerRoutes: Sendable {
    let endpoint: Endpoint
    let servers: ServerService

    static let path = "/servers/{server_id}"
    private static let groupsSince = 71
    private static let allPartsSince = 75

    var all: [Route] {
        [
            endpoint.route(.get, "/servers", .listServers, query: ServerListWire.shape) { call in try await list(call, detailed: false) },
            endpoint.route(.get, "/servers/detail", .detailServers, query: ServerListWire.shape) { call in try await list(call, detailed: true) },
            endpoint.route(.post, "/servers", .createServer) { call in try await create(call) },
            endpoint.route(.get, Self.path, nil) { call in
                let view = try await servers.get(call.call.id("server_id"), by: call.caller)
                var reply = Self.answer(view, call, .init(groups: call.minor >= Self.groupsSince))
                if let progress = view.progress { reply.headers[.progress] = String(progress) }
                return reply
            },
            endpoint.route(.put, Self.path, nil) { call in try await update(call) },
            endpoint.route(.delete, Self.path, nil) { call in
                try await servers.delete(call.call.id("server_id"), by: call.caller)
                return .noContent
            },
        ]
    }

    private func list(_ call: ComputeCall, detailed: Bool) async throws -> Reply {
        guard let query = try ServerListWire.query(call, detailed: detailed) else {
            return .json { $0.array("servers", of: [] as [String]) { $0.string($1) } }
        }
        let wire = ServerWire(call)
        guard detailed else {
            let found = try await servers.listBriefly(query, try call.page(), by: call.caller)
            return .json { json in
                json.array("servers", of: found) { json, brief in json.object { wire.write(brief, &$0) } }
                wire.links.next(&json, "servers_links", "servers", call, count: found.count, last: found.last?.id.text)
            }
        }
        let found = try await servers.list(query, try call.page(), by: call.caller)
        return .json { json in
            json.array("servers", of: found) { json, view in json.object { wire.write(view, .init(), &$0) } }
            wire.links.next(&json, "servers_links", "servers/detail", call, count: found.count, last: found.last?.server.id.text)
        }
    }

    static func answer(_ view: ServerView, _ call: ComputeCall, _ parts: ServerWire.Parts, _ status: HTTPResponse.Status = .ok) -> Reply {
        .json(status) { json in json.object("server") { ServerWire(call).write(view, parts, &$0) } }
    }

    // MARK: Create

    private func create(_ call: ComputeCall) async throws -> Reply {
        let body = try await call.body(ServerShapes.create(call.minor))
        let given = body["server"] ?? [:]
        let wish = try wish(given, hints: body["os:scheduler_hints"] ?? body["OS-SCH-HNT:scheduler_hints"], call)
        let made = try await ServerCreation(service: servers).create(wish, by: call.caller)
        guard let first = made.first else { throw CloudError.internalError("no server was made and none was refused") }
        if given["return_reservation_id"]?.truth == true {
            return .json(.accepted) { $0.member("reservation_id", first.reservationID) }
        }
        let links = Links(call)
        let groups = given["security_groups"] ?? [["name": "default"]]
        let password = given["adminPass"]?.string ?? Self.password(servers.context.world)
        return .json(.accepted, headers: [.location: "\(links.home)/servers/\(first.id)"]) { json in
            json.object("server") { json in
                json.member("id", first.id)
                links.write(&json, "servers", first.id.text)
                json.member("OS-DCF:diskConfig", first.resizesDisk ? "AUTO" : "MANUAL")
                json.member("security_groups", groups)
                json.member("adminPass", password)
            }
        }
    }

    /// Twelve letters and digits that are not taken for one another.
    static func password(_ world: World) -> String {
        let letters = Array("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789")
        return String(world.random.bytes(12).map { letters[Int($0) % letters.count] })
    }

    private func wish(_ given: JSON, hints: JSON?, _ call: ComputeCall) throws -> ServerCreation.Wish {
        var wish = ServerCreation.Wish()
        wish.name = given["name"]?.string?.trimmed ?? ""
        wish.description = given["description"]?.string ?? (call.minor < 19 ? wish.name : nil)
        wish.hostname = given["hostname"]?.string
        wish.flavorID = ServerShapes.flavorID(given["flavorRef"])
        wish.imageID = given["imageRef"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        wish.disks = try disks(given, call)
        wish.keyName = given["key_name"]?.string
        wish.metadata = TextMap.read(given["metadata"]?.object ?? [:])
        wish.userData = given["user_data"]?.string
        wish.hasConfigDrive = given["config_drive"]?.truth ?? false
        wish.accessIPv4 = ServerShapes.address(given["accessIPv4"])
        wish.accessIPv6 = ServerShapes.address(given["accessIPv6"])
        wish.resizesDisk = given["OS-DCF:diskConfig"]?.string == "AUTO"
        wish.certificates = given["trusted_image_certificates"]?.array?.compactMap(\.string)
        if wish.certificates != nil { try call.caller.require(.createWithCertificates) }
        wish.tags = (given["tags"]?.array?.compactMap(\.string) ?? []).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
        wish.least = given["min_count"]?.whole ?? 1
        wish.most = given["max_count"]?.whole ?? wish.least
        try place(&wish, given, call)
        wish.network = try network(given, call)
        wish.hints = Self.hints(hints)
        return wish
    }

    private func disks(_ given: JSON, _ call: ComputeCall) throws -> LocalDisks? {
        let disks = try BlockDevices(given).disks
        let isDescribed = ["block_device_mapping", "block_device_mapping_v2"].contains { given[$0]?.array?.isEmpty == false }
        if isDescribed { try call.caller.require(.createWithVolume) }
        return disks == LocalDisks() ? nil : disks
    }

    /// `zone`, or for administrators `zone:host:node`.
    private func place(_ wish: inout ServerCreation.Wish, _ given: JSON, _ call: ComputeCall) throws {
        let parts = (given["availability_zone"]?.string ?? "").split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        if let zone = parts.first, !zone.isEmpty { wish.zone = zone.trimmed }
        let host = parts.dropFirst().first { !$0.isEmpty }
        if host != nil { try call.caller.require(.createOnHost) }
        if parts.count > 3 { throw CloudError.badRequest("Unable to parse the availability zone.") }
        let wanted = given["host"]?.string ?? given["hypervisor_hostname"]?.string
        if wanted != nil {
            try call.caller.require(.createAtDestination)
            if host != nil {
                throw CloudError.badRequest("Using the zone:host:node form of availability zone with host or hypervisor_hostname is not possible.")
            }
        }
        wish.host = host ?? wanted
    }

    private func network(_ given: JSON, _ call: ComputeCall) throws -> NetworkWish {
        let groups = (given["security_groups"]?.array ?? []).compactMap { $0["name"]?.string }
        guard let networks = given["networks"] else { return NetworkWish(kind: .automatic, items: [], securityGroups: groups) }
        let isAllocated = networks.string.map { $0 != "none" } ?? (networks.array?.isEmpty == false)
        if isAllocated { try call.caller.require(.createWithNetwork) }
        if let word = networks.string {
            return NetworkWish(kind: word == "none" ? .nothing : .automatic, items: [], securityGroups: groups)
        }
        let items = networks.array ?? []
        if items.isEmpty { return NetworkWish(kind: .automatic, items: [], securityGroups: groups) }
        let wanted = try items.map { item in
            let port = item["port"]?.string
            let network = item["uuid"]?.string
            if port == nil {
                guard let network else { throw CloudError.badRequest("Missing network uuid or port") }
                guard UUIDText.isUUID(network) else {
                    throw CloudError.badRequest("Bad networks format: network uuid is not in proper format (\(network.prefix(255)))")
                }
            } else if item["fixed_ip"] != nil {
                throw CloudError.badRequest("Specified Fixed IP with port is not supported.")
            }
            return NetworkWish.Item(
                network: port == nil ? network : nil, port: port, address: item["fixed_ip"]?.string, tag: item["tag"]?.string)
        }
        return NetworkWish(kind: .listed, items: wanted, securityGroups: groups)
    }

    private static func hints(_ given: JSON?) -> Server.Hints {
        guard let given else { return .init() }
        func list(_ name: String) -> [String] { given[name]?.array?.compactMap(\.string) ?? [given[name]?.string].compactMap(\.self) }
        return Server.Hints(
            group: list("group").first, sameHost: list("same_host"), differentHost: list("different_host"), given: given.text)
    }

    // MARK: Update

    private func update(_ call: ComputeCall) async throws -> Reply {
        let given = try await call.body(ServerShapes.update(call.minor))["server"] ?? [:]
        var change = ServerService.Change()
        change.name = given["name"]?.string?.trimmed
        change.description = given["description"].map(\.string)
        change.hostname = given["hostname"]?.string
        change.accessIPv4 = given["accessIPv4"].map(ServerShapes.address)
        change.accessIPv6 = given["accessIPv6"].map(ServerShapes.address)
        change.resizesDisk = given["OS-DCF:diskConfig"].map { $0.string == "AUTO" }
        change.pinnedZone = given["pinned_availability_zone"].map(\.string)
        let view = try await servers.update(call.call.id("server_id"), change, by: call.caller)
        let parts = ServerWire.Parts(
            all: call.minor >= Self.allPartsSince, keyName: false, userData: false, groups: call.minor >= Self.groupsSince)
        return Self.answer(view, call, parts)
    }
}

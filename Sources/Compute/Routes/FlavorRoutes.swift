import CloudCore
import HTTPKit
import HTTPTypes

/// Flavors.
struct FlavorRoutes: Sendable {
    let endpoint: Endpoint
    let flavors: FlavorService

    var all: [Route] {
        [
            endpoint.route(.get, "/flavors", nil, query: Self.listOld) { call in try await list(call, detailed: false) },
            endpoint.route(.get, "/flavors/detail", nil, query: Self.listOld) { call in try await list(call, detailed: true) },
            endpoint.route(.post, "/flavors", .createFlavor) { call in try await create(call) },
            endpoint.route(.get, "/flavors/{flavor_id}", nil) { call in
                try answer(try await flavors.get(call.call.id("flavor_id"), by: call.caller), call)
            },
            endpoint.route(.put, "/flavors/{flavor_id}", .updateFlavor, since: 55) { call in
                let body = try await call.body(
                    .envelope("flavor", [("description", FlavorWire.description)], required: ["description"]))
                let text = body["flavor"]?["description"]?.string
                return try answer(try await flavors.setDescription(text, of: call.call.id("flavor_id"), by: call.caller), call)
            },
            endpoint.route(.delete, "/flavors/{flavor_id}", .deleteFlavor) { call in
                try await flavors.delete(call.call.id("flavor_id"))
                return .accepted
            },
            endpoint.route(.get, "/flavors/{flavor_id}/os-flavor-access", .listFlavorAccess) { call in
                let id: ID<Flavor> = call.call.id("flavor_id")
                return Self.access(try await flavors.access(to: id, by: call.caller), id)
            },
            endpoint.route(.post, "/flavors/{flavor_id}/action", nil) { call in try await act(call) },
        ]
    }

    // MARK: Lists

    private static let listOld = QueryShape(
        QueryShape.paged + [
            ("is_public", .text()), ("minRam", .text()), ("minDisk", .text()), ("name", .text()), ("sort_key", .word(of: FlavorOrder.keys)),
            ("sort_dir", .word(of: ["asc", "desc"])),
        ], closedSince: 75)

    private func list(_ call: ComputeCall, detailed: Bool) async throws -> Reply {
        if call.minor >= 75, call.minor < 102, call.call.query.has("name") {
            throw CloudError.badRequest("Additional properties are not allowed ('name' was unexpected)")
        }
        if call.minor >= 102, call.query("sort_key") == "rxtx_factor" {
            throw CloudError.badRequest("Invalid input for query parameters sort_key. Value: rxtx_factor. 'rxtx_factor' is not one of the sort keys.")
        }
        let found = try await flavors.list(try Self.query(call), by: call.caller)
        let links = Links(call)
        let specs = Self.showsSpecs(call)
        return .json { json in
            json.array("flavors", of: found) { json, flavor in
                json.object { json in
                    if detailed {
                        FlavorWire.write(flavor, links, call.minor, specs: specs, &json)
                    } else {
                        FlavorWire.brief(flavor, links, call.minor, &json)
                    }
                }
            }
            links.next(
                &json, "flavors_links", detailed ? "flavors/detail" : "flavors", call, count: found.count, last: found.last?.id.text)
        }
    }

    private static func query(_ call: ComputeCall) throws -> FlavorService.Query {
        func number(_ name: String) throws -> Int? {
            guard let text = call.query(name) else { return nil }
            guard let number = Int(text) else { throw CloudError.badRequest("Invalid \(name) filter [\(text.prefix(255))]") }
            return number
        }
        var query = FlavorService.Query(leastRAM: try number("minRam"), leastDisk: try number("minDisk"), page: try call.page())
        if let text = call.query("is_public"), call.caller.isAdministrator {
            if text.lowercased() == "none" {
                query.isPublic = .some(nil)
            } else {
                guard let value = Truth.strict(text) else { throw CloudError.badRequest("Invalid is_public filter [\(text.prefix(255))]") }
                query.isPublic = .some(value)
            }
        }
        if call.minor >= 102 { query.name = call.query("name") }
        query.sortKey = call.query("sort_key") ?? "flavorid"
        query.isAscending = call.query("sort_dir") != "desc"
        return query
    }

    // MARK: One

    private func create(_ call: ComputeCall) async throws -> Reply {
        let given = try await call.body(FlavorWire.create(call.minor))["flavor"] ?? [:]
        let world = flavors.context.world
        let flavor = Flavor(
            number: 0, id: FlavorWire.id(given["id"]) ?? ID(world.random.uuid()), name: given["name"]?.string?.trimmed ?? "",
            ramMiB: given["ram"]?.whole ?? 0, vcpus: given["vcpus"]?.whole ?? 0, diskGiB: given["disk"]?.whole ?? 0,
            ephemeralGiB: given["OS-FLV-EXT-DATA:ephemeral"]?.whole ?? 0, swapMiB: given["swap"]?.whole ?? 0,
            rxtxFactor: FlavorWire.factor(given["rxtx_factor"]), isPublic: given["os-flavor-access:is_public"]?.truth ?? true,
            description: given["description"]?.string, createdAt: world.now)
        return try answer(try await flavors.create(flavor), call)
    }

    private static func showsSpecs(_ call: ComputeCall) -> Bool { call.minor >= 61 && call.caller.may(.listExtraSpecs) }

    private func answer(_ flavor: Flavor, _ call: ComputeCall) throws -> Reply {
        .json { json in
            json.object("flavor") { json in
                FlavorWire.write(flavor, Links(call), call.minor, specs: Self.showsSpecs(call), &json)
            }
        }
    }

    // MARK: Access

    private func act(_ call: ComputeCall) async throws -> Reply {
        let body = try await call.call.body.json()
        let id: ID<Flavor> = call.call.id("flavor_id")
        guard body.count == 1, let name = body.keys.first, ["addTenantAccess", "removeTenantAccess"].contains(name) else {
            throw CloudError.badRequest("There is no such action: \(body.keys.joined(separator: ", ").prefix(255))")
        }
        try call.caller.require(name == "addTenantAccess" ? .addFlavorAccess : .removeFlavorAccess)
        try BodyShape.envelope(name, [("tenant", .text(1...255))], required: ["tenant"]).check(.object(body))
        let project = body[name]?["tenant"]?.string ?? ""
        let projects =
            name == "addTenantAccess"
            ? try await flavors.addAccess(project, to: id, by: call.caller) : try await flavors.removeAccess(project, to: id, by: call.caller)
        return Self.access(projects, id)
    }

    private static func access(_ projects: [String], _ id: ID<Flavor>) -> Reply {
        .json { json in
            json.array("flavor_access", of: projects) { json, project in
                json.object { json in
                    json.member("flavor_id", id)
                    json.member("tenant_id", project)
                }
            }
        }
    }
}

/// Flavors as bodies have them, by microversion.
enum FlavorWire {
    static let description = BodyShape.null(or: .text(0...65_535, .printable))

    static func create(_ minor: Int) -> BodyShape {
        let most = BodyShape.largestInteger
        var members: [(String, BodyShape)] = [
            ("name", .name), ("id", .either([.text(1...255, .flavorID), .number(above: -.infinity, most: .infinity), .null(or: .nothing)])),
            ("ram", .integer(1...most)), ("vcpus", .integer(1...most)), ("disk", .integer(0...most)),
            ("OS-FLV-EXT-DATA:ephemeral", .integer(0...most)), ("swap", .integer(0...most)), ("os-flavor-access:is_public", .boolean),
        ]
        if minor < 102 { members.append(("rxtx_factor", .number(above: 0, most: 3.40282e+38))) }
        if minor >= 55 { members.append(("description", description)) }
        return .envelope("flavor", members, required: ["name", "ram", "vcpus", "disk"])
    }

    /// An id may be given as a number.
    static func id(_ given: JSON?) -> ID<Flavor>? {
        switch given {
        case nil, .null: nil
        case .string(let text): text.isEmpty ? nil : ID(text)
        case .some(let other): ID(other.text)
        }
    }

    static func factor(_ given: JSON?) -> Double {
        switch given {
        case .integer(let value): Double(value)
        case .number(let value): value
        case .string(let text): Double(text) ?? 1
        default: 1
        }
    }

    static func brief(_ flavor: Flavor, _ links: Links, _ minor: Int, _ json: inout JSONWriter) {
        json.member("id", flavor.id)
        json.member("name", flavor.name)
        if minor >= 55 { json.member("description", flavor.description) }
        links.write(&json, "flavors", flavor.id.text)
    }

    static func write(_ flavor: Flavor, _ links: Links, _ minor: Int, specs: Bool, _ json: inout JSONWriter) {
        brief(flavor, links, minor, &json)
        json.member("ram", flavor.ramMiB)
        json.member("disk", flavor.diskGiB)
        json.key("swap")
        // An empty text stood for none.
        if minor < 75, flavor.swapMiB == 0 { json.string("") } else { json.integer(Int64(flavor.swapMiB)) }
        json.member("vcpus", flavor.vcpus)
        json.member("os-flavor-access:is_public", flavor.isPublic)
        json.member("OS-FLV-EXT-DATA:ephemeral", flavor.ephemeralGiB)
        if minor < 102 {
            json.member("rxtx_factor", flavor.rxtxFactor)
            json.member("OS-FLV-DISABLED:disabled", false)
        }
        if specs { self.specs("extra_specs", flavor.extraSpecs, &json) }
    }

    static func specs(_ key: StaticString, _ specs: [String: String], _ json: inout JSONWriter) {
        json.object(key) { $0.members(of: TextMap.json(specs)) }
    }
}

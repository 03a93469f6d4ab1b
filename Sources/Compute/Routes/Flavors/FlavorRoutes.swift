import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of flavors.
struct FlavorRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let flavors: FlavorService

    var all: [Route] {
        [
            maker.route(.get, "/flavors", nil, query: Self.listOld) { call in try await list(call, detailed: false) },
            maker.route(.get, "/flavors/detail", nil, query: Self.listOld) { call in try await list(call, detailed: true) },
            maker.route(.post, "/flavors", .createFlavor) { call in try await create(call) },
            maker.route(.get, "/flavors/{flavor_id}", nil) { call in
                try answer(try await flavors.get(call.call.id("flavor_id"), by: call.caller), call)
            },
            maker.route(.put, "/flavors/{flavor_id}", .updateFlavor, since: 55) { call in
                let text = try await call.read(FlavorWire.description.inside("description").inside("flavor"))
                return try answer(try await flavors.setDescription(text, of: call.call.id("flavor_id"), by: call.caller), call)
            },
            maker.route(.delete, "/flavors/{flavor_id}", .deleteFlavor) { call in
                try await flavors.delete(call.call.id("flavor_id"))
                return .accepted
            },
            maker.route(.get, "/flavors/{flavor_id}/os-flavor-access", .listFlavorAccess) { call in
                let id: ID<Flavor> = call.call.id("flavor_id")
                return Self.access(try await flavors.access(to: id, by: call.caller), id)
            },
            maker.route(.post, "/flavors/{flavor_id}/action", nil) { call in try await act(call) },
        ]
    }

    // MARK: Lists

    private static let listOld = QueryShape(
        QueryShape.paged + [
            ("is_public", .any), ("minRam", .any), ("minDisk", .any), ("name", .any), ("sort_key", .oneOf(FlavorOrder.keys)),
            ("sort_dir", .oneOf(["asc", "desc"])),
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
        return try await .page(of: found.count) {
            .json { json in
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
                    &json, "flavors_links", detailed ? "flavors/detail" : "flavors", call, count: found.count,
                    last: found.last?.id.text)
            }
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
        let new = try await call.read(FlavorWire.new)
        let world = flavors.context.world
        let flavor = Flavor(
            number: 0, id: new.id ?? ID(world.random.uuid()), name: new.name, ramMiB: new.ramMiB, vcpus: new.vcpus, diskGiB: new.diskGiB,
            ephemeralGiB: new.ephemeralGiB, swapMiB: new.swapMiB, rxtxFactor: new.rxtxFactor, isPublic: new.isPublic,
            description: new.description, createdAt: world.now)
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
        let project = try call.read(Form.string(1...255).inside("tenant").inside(name), .object(body))
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

/// The form of flavors in bodies, by microversion.
enum FlavorWire {
    struct New: Sendable {
        var id: ID<Flavor>?
        var name = ""
        var ramMiB = 0
        var vcpus = 0
        var diskGiB = 0
        var ephemeralGiB = 0
        var swapMiB = 0
        var rxtxFactor = 1.0
        var isPublic = true
        var description: String?
    }

    static let description = Form.nullable(.string(0...65_535, .printable))
    private static let most = Shape.largestInteger
    static let new = Form.object(
        New(),
        [
            .required("name", \.name, .plainName), .optional("id", \.id, id), .required("ram", \.ramMiB, .whole(1...most)),
            .required("vcpus", \.vcpus, .whole(1...most)), .required("disk", \.diskGiB, .whole(0...most)),
            .optional("OS-FLV-EXT-DATA:ephemeral", \.ephemeralGiB, .whole(0...most)), .optional("swap", \.swapMiB, .whole(0...most)),
            .optional("os-flavor-access:is_public", \.isPublic, .truth),
            .optional("rxtx_factor", \.rxtxFactor, .numeral(above: 0, most: 3.40282e+38), until: 101),
            .optional("description", \.description, description, since: 55),
        ]
    ).inside("flavor")

    /// The form of an id, which may be a number. Null stands for an id that the cloud chooses.
    private static let id = Form<ID<Flavor>?>(
        .either([.string(1...255, .flavorID), .numeral(above: -.infinity, most: .infinity), .nullable(.null)])
    ) { json, _ in
        json.isNull ? nil : ID(json.string ?? json.text)
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
        // Before 2.75, an empty text stands for no swap.
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

import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/images`, which end with 2.35, and of the images' metadata, which end with 2.38. Each request is sent
/// on to Images with the caller's token, so Images checks the rights.
struct ImageViewRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let others: any OtherAPIsNeed
    let quotas: QuotaService

    private static let path = "/images/{image_id}"
    private static let metadata = path + "/metadata"
    private static let query = QueryShape([("limit", .positive), ("page_size", .positive), ("offset", .positive)])

    var all: [Route] {
        [
            maker.route(.get, "/images", nil, until: OtherAPIs.last, query: Self.query) { call in try await list(call, detailed: false) },
            maker.route(.get, "/images/detail", nil, until: OtherAPIs.last, query: Self.query) { call in try await list(call, detailed: true) },
            maker.route(.get, Self.path, nil, until: OtherAPIs.last) { call in
                let image = try await require(call)
                return .json { json in json.object("image") { Self.write(image, call, &$0) } }
            },
            maker.route(.delete, Self.path, nil, until: OtherAPIs.last) { call in
                _ = try await named { try await OtherAPIs(others, call).images(.delete, Self.id(call)) }
                return .noContent
            },
            maker.route(.get, Self.metadata, nil, until: OtherAPIs.lastForImageMetadata) { call in
                Self.answer(Self.properties(try await require(call)))
            },
            maker.route(.post, Self.metadata, nil, until: OtherAPIs.lastForImageMetadata) { call in
                try await setMetadata(call, replacing: false)
            },
            maker.route(.put, Self.metadata, nil, until: OtherAPIs.lastForImageMetadata) { call in
                try await setMetadata(call, replacing: true)
            },
            maker.route(.get, Self.metadata + "/{key}", nil, until: OtherAPIs.lastForImageMetadata) { call in
                guard let value = Self.properties(try await require(call))[call.parameter("key")] else { throw Self.noItem }
                return Self.item(call.parameter("key"), value)
            },
            maker.route(.put, Self.metadata + "/{key}", nil, until: OtherAPIs.lastForImageMetadata) { call in
                let item = try await call.read(Form.item)
                let key = call.parameter("key")
                guard let value = item[key].map(JSON.string) else { throw CloudError.badRequest("Request body and URI mismatch") }
                try await change(try await require(call), call) { $0[key] = value }
                return Self.item(key, value)
            },
            maker.route(.delete, Self.metadata + "/{key}", nil, until: OtherAPIs.lastForImageMetadata) { call in
                let image = try await require(call)
                guard Self.properties(image)[call.parameter("key")] != nil else { throw Self.noItem }
                try await change(image, call) { $0[call.parameter("key")] = nil }
                return .noContent
            },
        ]
    }

    private static let noItem = CloudError.notFound("Metadata item was not found")

    private static func id(_ call: ComputeCall) -> String { "/" + Percent.encode(call.parameter("image_id")) }

    private func named<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as CloudError where error.kind == .notFound {
            throw CloudError.notFound("Image not found.")
        }
    }

    private func require(_ call: ComputeCall) async throws -> JSON {
        try await named { try await OtherAPIs(others, call).images(.get, Self.id(call)) }
    }

    // MARK: Lists

    private func list(_ call: ComputeCall, detailed: Bool) async throws -> Reply {
        var query: [(String, String)] = []
        for (name, value) in call.call.query.items {
            switch name {
            case "name", "marker": query.append((name, value))
            case "status": query.append((name, Self.states[value.uppercased()] ?? value.lowercased()))
            case "changes-since": query.append(("updated_at", "gte:\(value)"))
            case "server": query.append(("instance_uuid", value.split(separator: "/").last.map(String.init) ?? value))
            case "type": query.append(("image_type", value))
            case "minRam": query.append(("min_ram", value))
            case "minDisk": query.append(("min_disk", value))
            case let name where name.hasPrefix("property-"): query.append((String(name.dropFirst("property-".count)), value))
            default: continue
            }
        }
        let limit = call.query("limit").flatMap { Int($0) } ?? Page.most
        query.append(("limit", String(min(limit, Page.most))))
        let found = try await OtherAPIs(others, call).images(.get, "", query)["images"]?.array ?? []
        let links = Links(call)
        return try await .page(of: found.count) {
            .json { json in
                json.array("images", of: found) { json, image in
                    json.object { json in detailed ? Self.write(image, call, &json) : Self.brief(image, call, &json) }
                }
                links.next(
                    &json, "images_links", detailed ? "images/detail" : "images", call, count: found.count,
                    last: found.last?["id"]?.string)
            }
        }
    }

    // MARK: Views

    private static let states = ["ACTIVE": "active", "SAVING": "saving", "DELETED": "deleted", "ERROR": "killed"]
    private static let ownFields: Set<String> = [
        "id", "name", "status", "visibility", "protected", "tags", "size", "virtual_size", "checksum", "os_hash_algo", "os_hash_value",
        "os_hidden", "created_at", "updated_at", "min_disk", "min_ram", "owner", "disk_format", "container_format", "self", "file", "schema",
        "direct_url", "locations", "stores",
    ]

    private static func properties(_ image: JSON) -> JSONObject {
        var properties: JSONObject = [:]
        for (key, value) in image.object?.members ?? [] where !ownFields.contains(key) { properties[key] = value }
        return properties
    }

    private static func brief(_ image: JSON, _ call: ComputeCall, _ json: inout JSONWriter) {
        let id = image["id"]?.string ?? ""
        json.member("id", id)
        json.member("name", image["name"] ?? .null)
        Links(call).write(&json, "images", id, alternate: "application/vnd.openstack.image")
    }

    private static func write(_ image: JSON, _ call: ComputeCall, _ json: inout JSONWriter) {
        brief(image, call, &json)
        let status = image["status"]?.string ?? ""
        let properties = properties(image)
        json.member("minRam", image["min_ram"] ?? 0)
        json.member("minDisk", image["min_disk"] ?? 0)
        json.object("metadata") { $0.members(of: properties) }
        json.member("created", image["created_at"] ?? .null)
        json.member("updated", image["updated_at"] ?? .null)
        json.member("status", ["active": "ACTIVE", "queued": "SAVING", "saving": "SAVING", "deleted": "DELETED", "killed": "ERROR"][status] ?? "UNKNOWN")
        json.member("progress", ["active": 100, "saving": 50, "queued": 25][status] ?? 0)
        json.member("OS-EXT-IMG-SIZE:size", image["size"]?.whole ?? 0)
        if let server = properties["instance_uuid"]?.string {
            json.object("server") { json in
                json.member("id", server)
                Links(call).write(&json, "servers", server)
            }
        }
        if let text = properties["auto_disk_config"]?.string {
            json.member("OS-DCF:diskConfig", Truth.strict(text) == true ? "AUTO" : "MANUAL")
        }
    }

    // MARK: Metadata

    private static func answer(_ properties: JSONObject) -> Reply {
        .json { json in json.object("metadata") { $0.members(of: properties) } }
    }

    private static func item(_ key: String, _ value: JSON) -> Reply { .json { json in json.object("meta") { $0.members(of: [key: value]) } } }

    private func setMetadata(_ call: ComputeCall, replacing: Bool) async throws -> Reply {
        let given = try await call.read(Form.entries(.metadataKey, .string(0...255)).inside("metadata"))
        let changed = try await change(try await require(call), call) { properties in
            if replacing { properties = [:] }
            for (key, value) in given { properties[key] = .string(value) }
        }
        return Self.answer(Self.properties(changed))
    }

    @discardableResult
    private func change(_ image: JSON, _ call: ComputeCall, _ body: (inout JSONObject) -> Void) async throws -> JSON {
        let old = Self.properties(image)
        var new = old
        body(&new)
        // A change that only removes items is allowed, even if too many are left.
        if new.count > old.count { try await quotas.requireImageMetadata(new.count, of: call.caller.projectID) }
        func pointer(_ key: String) -> JSON { .string("/" + key.replacing("~", with: "~0").replacing("/", with: "~1")) }
        var changes: [JSON] = []
        for (key, value) in new.members where old[key] != value {
            changes.append(["op": old[key] == nil ? "add" : "replace", "path": pointer(key), "value": value])
        }
        for key in old.keys where new[key] == nil { changes.append(["op": "remove", "path": pointer(key)]) }
        guard !changes.isEmpty else { return image }
        return try await named { try await OtherAPIs(others, call).images(.patch, Self.id(call), [], .array(changes)) }
    }
}

import CloudCore
import HTTPKit
import HTTPTypes
import Resources

/// What consumers have.
struct AllocationRoutes: Sendable {
    let endpoint: Endpoint
    let allocations: AllocationService

    private static let path = "/allocations/{consumer_uuid}"

    var all: [Route] {
        [
            endpoint.route(.get, Self.path, .listAllocations) { call in
                let entries = try await allocations.list(of: call.call.id("consumer_uuid"))
                return answer(entries, call)
            },
            endpoint.route(.put, Self.path, .updateAllocations, takesBody: true) { call in try await put(call) },
            endpoint.route(.delete, Self.path, .deleteAllocations) { call in
                try await allocations.delete(of: call.call.id("consumer_uuid"))
                return .empty()
            },
            endpoint.route(.post, "/allocations", .manageAllocations, since: 13, takesBody: true) { call in
                let body = try await call.body(AllocationWire.many(call.minor))
                try await allocations.set(AllocationWire.claims(body, call.minor))
                return .empty()
            },
            endpoint.route(.get, "/resource_providers/{uuid}/allocations", .listProviderAllocations) { call in try await ofProvider(call) },
            endpoint.route(.post, "/reshaper", .reshape, since: 30, takesBody: true) { call in try await reshape(call) },
        ]
    }

    private func put(_ call: PlacementCall) async throws -> Answer {
        let given = call.parameter("consumer_uuid")
        guard let id = UUIDText.normal(given) else { throw CloudError.badRequest("Malformed consumer_uuid: \(given.prefix(255))") }
        let body = try await call.body(AllocationWire.one(call.minor))
        try await allocations.set(AllocationWire.claim(ID(id), body, call.minor))
        return .empty()
    }

    private func reshape(_ call: PlacementCall) async throws -> Answer {
        let body = try await call.body(AllocationWire.reshaper(call.minor))
        let now = allocations.context.world.now
        let providers = (body["inventories"]?.object?.members ?? []).map { id, wanted in
            AllocationService.Reshaped(
                providerID: ID(id), generation: wanted.int("resource_provider_generation"),
                inventories: InventoryWire.inventories(wanted, at: now))
        }
        try await allocations.reshape(providers, AllocationWire.claims(body["allocations"] ?? [:], call.minor))
        return .empty()
    }

    // MARK: Views

    private func modified(_ entries: [AllocationStore.Entry]) -> Timestamp {
        entries.map(\.allocation.createdAt).max() ?? allocations.context.world.now
    }

    private func answer(_ entries: [AllocationStore.Entry], _ call: PlacementCall) -> Answer {
        let byProvider = Dictionary(grouping: entries) { $0.allocation.providerID }.sorted { $0.key < $1.key }
        return .json(modified: modified(entries)) { json in
            json.object("allocations") { json in
                for (id, entries) in byProvider {
                    json.object(dynamic: id.text) { json in
                        Self.resources(entries, &json)
                        json.member("generation", entries.first?.providerGeneration)
                    }
                }
            }
            guard let consumer = entries.first?.consumer, call.minor >= 12 else { return }
            json.member("project_id", consumer.projectID)
            json.member("user_id", consumer.userID)
            if call.minor >= 28 { json.member("consumer_generation", consumer.generation) }
            if call.minor >= 38 { json.member("consumer_type", consumer.type ?? AllocationWire.unknownType) }
        }
    }

    private func ofProvider(_ call: PlacementCall) async throws -> Answer {
        let (entries, generation) = try await allocations.list(on: call.provider)
        let byConsumer = Dictionary(grouping: entries) { $0.consumer.id }.sorted { $0.key < $1.key }
        return .json(modified: modified(entries)) { json in
            json.object("allocations") { json in
                for (id, entries) in byConsumer {
                    json.object(dynamic: id.text) { json in
                        Self.resources(entries, &json)
                        if call.minor >= 28 { json.member("consumer_generation", entries.first?.consumer.generation) }
                    }
                }
            }
            json.member("resource_provider_generation", generation)
        }
    }

    private static func resources(_ entries: [AllocationStore.Entry], _ json: inout JSONWriter) {
        json.object("resources") { json in
            for entry in entries {
                json.key(dynamic: entry.allocation.resourceClass)
                json.integer(entry.allocation.used)
            }
        }
    }
}

/// Allocations as bodies have them, by microversion.
enum AllocationWire {
    /// How a consumer without a type is shown.
    static let unknownType = "unknown"
    /// Whose consumers are that were made before projects were asked for.
    private static let unknownOwner = "00000000-0000-0000-0000-000000000000"

    private static let resources = JSONShape.object(matching: [(.name, .integer(1 ... .max))], least: 1)
    private static let owner = JSONShape.text(1...255)

    private static let listed = JSONShape.list(
        .object(
            [("resource_provider", .object([("uuid", .uuid())], required: ["uuid"])), ("resources", resources)],
            required: ["resource_provider", "resources"]), least: 1)

    private static func keyed(least: Int) -> JSONShape {
        .object(
            matching: [(.uuid, .object([("generation", .integer()), ("resources", resources)], required: ["resources"]))], least: least)
    }

    /// The body of `PUT /allocations/{consumer_uuid}`, and from 1.13 on what `POST /allocations` has for each consumer.
    static func one(_ minor: Int, isPart: Bool = false) -> JSONShape {
        var members: [(String, JSONShape)] = [("allocations", minor < 12 ? listed : keyed(least: isPart || minor >= 28 ? 0 : 1))]
        var required = ["allocations"]
        if minor >= 8 {
            members += [("project_id", owner), ("user_id", owner)]
            required += ["project_id", "user_id"]
        }
        if minor >= 28 {
            members.append(("consumer_generation", .integer(nullable: true)))
            required.append("consumer_generation")
        }
        if minor >= 34 {
            members.append(("mappings", .object(matching: [(.suffix, .list(.uuid(), least: 1))], open: true, least: 1)))
        }
        if minor >= 38 {
            members.append(("consumer_type", .text(1...255, .name)))
            required.append("consumer_type")
        }
        return .object(members, required: required)
    }

    static func many(_ minor: Int, least: Int = 1) -> JSONShape {
        .object(matching: [(.uuid, one(minor, isPart: true))], least: least)
    }

    static func reshaper(_ minor: Int) -> JSONShape {
        .object(
            [("inventories", .object(matching: [(.uuid, InventoryWire.all)], least: 1)), ("allocations", many(minor, least: 0))],
            required: ["inventories", "allocations"])
    }

    static func claims(_ body: JSON, _ minor: Int) -> [Claim] {
        (body.object?.members ?? []).map { claim(ID($0.key), $0.value, minor) }
    }

    static func claim(_ id: ID<Consumer>, _ body: JSON, _ minor: Int) -> Claim {
        let parts =
            if let list = body["allocations"]?.array {
                list.map { Claim.Part(providerID: ID($0["resource_provider"]?["uuid"]?.string ?? ""), resources: amounts($0)) }
            } else {
                (body["allocations"]?.object?.members ?? []).map { Claim.Part(providerID: ID($0.key), resources: amounts($0.value)) }
            }
        // A provider that is listed twice counts once, with what is said of it last.
        var byProvider: [ID<Provider>: Int] = [:]
        var kept: [Claim.Part] = []
        for part in parts {
            if let at = byProvider[part.providerID] {
                kept[at] = part
            } else {
                byProvider[part.providerID] = kept.count
                kept.append(part)
            }
        }
        let generation = body["consumer_generation"].flatMap { $0.isNull ? nil : body.int("consumer_generation") }
        return Claim(
            consumerID: id, projectID: body["project_id"]?.string ?? unknownOwner, userID: body["user_id"]?.string ?? unknownOwner,
            type: body["consumer_type"]?.string, expects: minor >= 28 ? .exactly(generation) : .anything, parts: kept)
    }

    private static func amounts(_ body: JSON) -> [(resourceClass: String, amount: Int64)] {
        guard let resources = body["resources"] else { return [] }
        return (resources.object?.keys ?? []).map { (resourceClass: $0, amount: Int64(resources.int($0))) }
    }
}

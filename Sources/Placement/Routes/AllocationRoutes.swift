import CloudCore
import HTTPKit
import HTTPTypes
import Resources

/// The routes of allocations: what consumers hold.
struct AllocationRoutes: Sendable {
    let maker: RouteMaker<PlacementCall>
    let allocations: AllocationService

    private static let path = "/allocations/{consumer_uuid}"

    var all: [Route] {
        [
            maker.route(.get, Self.path, .listAllocations) { call in
                let entries = try await allocations.list(of: call.call.id("consumer_uuid"))
                return answer(entries, call)
            },
            maker.route(.put, Self.path, .updateAllocations, takesBody: true) { call in try await put(call) },
            maker.route(.delete, Self.path, .deleteAllocations) { call in
                try await allocations.delete(of: call.call.id("consumer_uuid"))
                return .empty()
            },
            maker.route(.post, "/allocations", .manageAllocations, since: 13, takesBody: true) { call in
                let given = try await call.read(AllocationWire.many)
                try await allocations.set(given.map { $0.value.claim(ID($0.key), call.minor) })
                return .empty()
            },
            maker.route(.get, "/resource_providers/{uuid}/allocations", .listProviderAllocations) { call in try await ofProvider(call) },
            maker.route(.post, "/reshaper", .reshape, since: 30, takesBody: true) { call in try await reshape(call) },
        ]
    }

    private func put(_ call: PlacementCall) async throws -> Answer {
        let name = call.parameter("consumer_uuid")
        guard let id = UUIDText.normal(name) else { throw CloudError.badRequest("Malformed consumer_uuid: \(name.prefix(255))") }
        let given = try await call.read(AllocationWire.one)
        try await allocations.set(given.claim(ID(id), call.minor))
        return .empty()
    }

    private func reshape(_ call: PlacementCall) async throws -> Answer {
        let given = try await call.read(AllocationWire.reshaper)
        let now = allocations.context.world.now
        let providers = given.inventories.map { id, wanted in
            AllocationService.Reshaped(
                providerID: ID(id), generation: Int(wanted.generation), inventories: wanted.inventories(at: now))
        }
        try await allocations.reshape(providers, given.allocations.map { $0.value.claim(ID($0.key), call.minor) })
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

/// The forms of allocations in bodies, by microversion.
enum AllocationWire {
    /// The type that is shown for a consumer without a type.
    static let unknownType = "unknown"
    /// The owner of a consumer that a client made before 1.8, where a body names none.
    fileprivate static let unknownOwner = "00000000-0000-0000-0000-000000000000"

    typealias Amount = (resourceClass: String, amount: Int64)

    /// The part of a body about one consumer.
    struct One: Sendable {
        var parts: [Claim.Part] = []
        var projectID = AllocationWire.unknownOwner
        var userID = AllocationWire.unknownOwner
        var generation: Int64?
        var type: String?

        func claim(_ id: ID<Kind.Consumer>, _ minor: Int) -> Claim {
            // A provider that is listed twice counts once, with its last amounts.
            var byProvider: [ID<Kind.Provider>: Int] = [:]
            var kept: [Claim.Part] = []
            for part in parts {
                if let at = byProvider[part.providerID] {
                    kept[at] = part
                } else {
                    byProvider[part.providerID] = kept.count
                    kept.append(part)
                }
            }
            return Claim(
                consumerID: id, projectID: projectID, userID: userID, type: type,
                expects: minor >= 28 ? .exactly(generation.map { Int($0) }) : .anything, parts: kept)
        }
    }

    struct Reshape: Sendable {
        var inventories: [(key: String, value: InventoryWire.All)] = []
        var allocations: [(key: String, value: One)] = []
    }

    private struct Listed: Sendable {
        var provider = ""
        var resources: [Amount] = []
    }

    private struct Keyed: Sendable {
        var resources: [Amount] = []
    }

    private static let resources = Form.entries(.className, .integer(1 ... .max), 1...Int.max)
        .mapped { $0.map { (resourceClass: $0.key, amount: $0.value) } }
    private static let owner = Form.string(1...255)

    /// The form until 1.11: a list that names each provider.
    private static let listed = Form.array(
        Form.object(
            Listed(),
            [.required("resource_provider", \.provider, Form.uuid.inside("uuid")), .required("resources", \.resources, resources)]),
        1...Int.max
    ).mapped { $0.map { Claim.Part(providerID: ID($0.provider), resources: $0.resources) } }

    /// Returns the form from 1.12 on: amounts by provider.
    private static func keyed(least: Int) -> Form<[Claim.Part]> {
        let part = Form.object(
            Keyed(), [.ignored("generation", .integer(.min ... .max)), .required("resources", \.resources, resources)])
        return Form.entries(.uuidKey, part, least...Int.max)
            .mapped { $0.map { Claim.Part(providerID: ID($0.key), resources: $0.value.resources) } }
    }

    private static func form(isPart: Bool) -> Form<One> {
        let mappings = Shape.object([], matching: [(.suffix, .array(.uuid, 1...Int.max))], counts: 1...Int.max, open: true)
        return Form.object(
            One(),
            [
                .required("allocations", \.parts, listed, until: 11),
                .required("allocations", \.parts, keyed(least: isPart ? 0 : 1), since: 12, until: 27),
                .required("allocations", \.parts, keyed(least: 0), since: 28),
                .required("project_id", \.projectID, owner, since: 8), .required("user_id", \.userID, owner, since: 8),
                .required("consumer_generation", \.generation, .nullable(.integer(.min ... .max)), since: 28),
                .ignored("mappings", mappings, since: 34),
                .required("consumer_type", \.type, Form.string(1...255, .className).mapped { $0 }, since: 38),
            ])
    }

    private static func many(least: Int) -> Form<[(key: String, value: One)]> { .entries(.uuidKey, form(isPart: true), least...Int.max) }

    /// The body of `PUT /allocations/{consumer_uuid}`.
    static let one = form(isPart: false)
    /// The body of `POST /allocations`, from 1.13 on.
    static let many = many(least: 1)
    static let reshaper = Form.object(
        Reshape(),
        [
            .required("inventories", \.inventories, .entries(.uuidKey, InventoryWire.all, 1...Int.max)),
            .required("allocations", \.allocations, many(least: 0)),
        ])
}

import CloudCore
import HTTPKit
import HTTPTypes
import Resources

/// The routes of resource providers and their aggregates.
struct ProviderRoutes: Sendable {
    let maker: RouteMaker<PlacementCall>
    let providers: ProviderService
    let candidates: CandidateService

    private static let one = "/resource_providers/{uuid}"

    var all: [Route] {
        [
            maker.route(.get, "/resource_providers", .listProviders) { call in try await list(call) },
            maker.route(.post, "/resource_providers", .createProvider, takesBody: true) { call in try await create(call) },
            maker.route(.get, Self.one, .showProvider) { call in
                Self.answer(try await providers.get(call.provider), call.minor)
            },
            maker.route(.put, Self.one, .updateProvider, takesBody: true) { call in try await update(call) },
            maker.route(.delete, Self.one, .deleteProvider) { call in
                try await providers.delete(call.provider)
                return .empty()
            },
            maker.route(.get, Self.one + "/aggregates", .listAggregates, since: 1) { call in
                let (aggregates, generation) = try await providers.aggregates(of: call.provider)
                return answer(aggregates, generation, call.minor)
            },
            maker.route(.put, Self.one + "/aggregates", .updateAggregates, since: 1, takesBody: true) { call in try await setAggregates(call) },
        ]
    }

    // MARK: Lists

    private static let query = Shape.object([
        .init("name", .any), .init("uuid", .uuid), .init("member_of", .any, since: 3), .init("resources", .any, since: 4),
        .init("in_tree", .uuid, since: 14), .init("required", .any, since: 18),
    ])

    private func list(_ call: PlacementCall) async throws -> Answer {
        try call.query(Self.query)
        var query = ProviderQuery()
        query.aggregates = try SearchWire.aggregates(call.all("member_of"), call.minor)
        query.traits = try SearchWire.traits(call.all("required"), call.minor)
        query.id = call.last("uuid").flatMap { $0.isEmpty ? nil : ID($0) }
        query.name = call.last("name").flatMap { $0.isEmpty ? nil : $0 }
        query.tree = call.last("in_tree").flatMap { $0.isEmpty ? nil : ID($0) }
        query.resources = try call.last("resources").map(SearchWire.resources) ?? []
        let found = try await candidates.providers(query)
        let modified = found.map(\.updatedAt).max() ?? providers.context.world.now
        return try await Elsewhere.run(ifLong: found.count >= Elsewhere.longFromOfSmall) {
            .json(modified: modified) { json in
                json.array("resource_providers", of: found) { json, provider in
                    json.object { Self.write(provider, call.minor, &$0) }
                }
            }
        }
    }

    // MARK: One provider

    private struct Change: Sendable {
        var name = ""
        var parentID = Update<ID<Kind.Provider>>.keep
    }

    private static let id = Form.uuid.mapped { ID<Kind.Provider>($0) }
    private static let new = Form.object(
        ProviderService.New(name: ""),
        [
            .required("name", \.name, .string(0...200)),
            .optional("uuid", \.id, Form.uuid.mapped { UUIDText.normal($0).map { ID($0) } }),
            .optional("parent_provider_uuid", \.parentID, .nullable(id), since: 14),
        ])
    private static let change = Form.object(
        Change(), [.required("name", \.name, .string(0...200)), .update("parent_provider_uuid", \.parentID, id, since: 14)])

    private func create(_ call: PlacementCall) async throws -> Answer {
        let provider = try await providers.create(try await call.read(Self.new))
        let headers = call.location("/resource_providers/\(provider.id)")
        guard call.minor >= 20 else { return .empty(.created, headers: headers) }
        var answer = Self.answer(provider, call.minor)
        answer.headers = headers
        return answer
    }

    private func update(_ call: PlacementCall) async throws -> Answer {
        let change = try await call.read(Self.change, unless: { _ = try await providers.get(call.provider) })
        let provider = try await providers.update(
            call.provider, name: change.name, parent: change.parentID, mayMove: call.minor >= 37)
        return Self.answer(provider, call.minor)
    }

    private static func answer(_ provider: Provider, _ minor: Int) -> Answer {
        .json(modified: provider.updatedAt) { write(provider, minor, &$0) }
    }

    private static func write(_ provider: Provider, _ minor: Int, _ json: inout JSONWriter) {
        json.member("uuid", provider.id)
        json.member("name", provider.name)
        json.member("generation", provider.generation)
        if minor >= 14 {
            json.member("parent_provider_uuid", provider.parentID)
            json.member("root_provider_uuid", provider.rootID)
        }
        json.key("links")
        let id = Array(provider.id.text.utf8)
        for piece in Self.links[minor] {
            json.raw(piece)
            json.raw(id)
        }
        json.raw(Self.endOfLinks[minor])
    }

    // The links of a provider are most of the text of a list, and only its id differs. These are, by minor version, the
    // text before each id and the text after the last one. An id consists of hexadecimal digits and dashes.

    private static func textOfLinks(_ minor: Int) -> [[UInt8]] {
        var parts = ["inventories", "usages"]
        if minor >= 1 { parts.append("aggregates") }
        if minor >= 6 { parts.append("traits") }
        if minor >= 11 { parts.append("allocations") }
        var writer = JSONWriter()
        writer.array(of: [(rel: "self", end: "")] + parts.map { (rel: $0, end: "/" + $0) }) { json, link in
            json.object { json in
                json.member("rel", link.rel)
                json.member("href", "/resource_providers/*" + link.end)
            }
        }
        return writer.text.split(separator: "*").map { Array($0.utf8) }
    }
    private static let links = (0...RootRoutes.range.upperBound.minor).map { textOfLinks($0).dropLast() }
    private static let endOfLinks = (0...RootRoutes.range.upperBound.minor).map { textOfLinks($0).last ?? [] }

    // MARK: Aggregates

    private struct Aggregates: Sendable {
        var ids: [String] = []
        /// The generation that the caller has seen; nil before 1.19, where the body has none.
        var generation: Int64?
    }

    private static let aggregateIDs = Form.array(.uuid, unique: true)
    private static let plainAggregates = aggregateIDs.mapped { Aggregates(ids: $0) }
    private static let aggregates = Form.object(
        Aggregates(),
        [
            .required("aggregates", \.ids, aggregateIDs),
            .required("resource_provider_generation", \.generation, Form.integer(.min ... .max).mapped { $0 }),
        ])

    private func setAggregates(_ call: PlacementCall) async throws -> Answer {
        let form = call.minor >= 19 ? Self.aggregates : Self.plainAggregates
        let wanted = try await call.read(form, unless: { _ = try await providers.get(call.provider) })
        let generation = try await providers.setAggregates(
            wanted.ids, of: call.provider, generation: wanted.generation.map { Int($0) })
        return answer(wanted.ids, generation, call.minor)
    }

    private func answer(_ aggregates: [String], _ generation: Int, _ minor: Int) -> Answer {
        .json(modified: providers.context.world.now) { json in
            json.array("aggregates", of: aggregates) { $0.string($1) }
            if minor >= 19 { json.member("resource_provider_generation", generation) }
        }
    }
}

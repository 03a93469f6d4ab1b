import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/traits` and of the traits of providers, from 1.6 on.
struct TraitRoutes: Sendable {
    let maker: RouteMaker<PlacementCall>
    let traits: TraitService

    private struct OfProvider: Sendable {
        var names: [String] = []
        var generation: Int64 = 0
    }

    private static let query = Shape.object([.init("name", .any), .init("associated", .any)])
    private static let ofProvider = Form.object(
        OfProvider(),
        [
            .required("traits", \.names, .array(.string(1...255))),
            .required("resource_provider_generation", \.generation, .integer(.min ... .max)),
        ])

    var all: [Route] {
        [
            maker.route(.get, "/traits", .listTraits, since: 6) { call in try await list(call) },
            maker.route(.get, "/traits/{name}", .showTrait, since: 6, givesBody: false) { call in
                .empty(modified: try await traits.get(call.parameter("name")))
            },
            maker.route(.put, "/traits/{name}", .updateTrait, since: 6) { call in try await put(call) },
            maker.route(.delete, "/traits/{name}", .deleteTrait, since: 6) { call in
                try await traits.delete(call.parameter("name"))
                return .empty()
            },
            maker.route(.get, "/resource_providers/{uuid}/traits", .listProviderTraits, since: 6) { call in
                Self.answer(try await traits.traits(of: call.provider), withGeneration: true)
            },
            maker.route(.put, "/resource_providers/{uuid}/traits", .updateProviderTraits, since: 6, takesBody: true) { call in
                let wanted = try await call.read(Self.ofProvider)
                let found = try await traits.set(wanted.names, of: call.provider, generation: Int(wanted.generation))
                return Self.answer(found, withGeneration: true)
            },
            maker.route(.delete, "/resource_providers/{uuid}/traits", .deleteProviderTraits, since: 6) { call in
                try await traits.clear(call.provider)
                return .empty()
            },
        ]
    }

    private func list(_ call: PlacementCall) async throws -> Answer {
        try call.query(Self.query)
        var filter = TraitService.Filter()
        if let text = call.last("name") {
            guard let colon = text.firstIndex(of: ":") else {
                throw CloudError.badRequest(
                    """
                    Badly formatted name parameter. Expected name query string parameter in form: \
                    ?name=[in|startswith]:[name1,name2|prefix]. Got: "\(text.prefix(255))"
                    """)
            }
            let value = String(text[text.index(after: colon)...])
            switch text[..<colon] {
            case "in": filter.names = Set(value.split(separator: ",").map(String.init))
            case "startswith": filter.prefix = value
            default: break
            }
        }
        if let text = call.last("associated")?.lowercased() {
            guard text == "true" || text == "false" else {
                throw CloudError.badRequest("The query parameter \"associated\" only accepts \"true\" or \"false\"")
            }
            filter.isAssociated = text == "true"
        }
        return Self.answer(try await traits.list(filter), withGeneration: false)
    }

    private func put(_ call: PlacementCall) async throws -> Answer {
        let name = call.parameter("name")
        guard name.utf8.count <= 255, TextFormat.isCustomName(name) else {
            throw CloudError.badRequest(
                """
                The trait is invalid. A valid trait must be no longer than 255 characters, start with the prefix "CUSTOM_" and use \
                following characters: "A"-"Z", "0"-"9" and "_"
                """)
        }
        let made = try await traits.ensure(name)
        return .empty(made.isNew ? .created : .noContent, headers: call.location("/traits/\(name)"), modified: made.modified)
    }

    private static func answer(_ found: TraitService.Found, withGeneration: Bool) -> Answer {
        .json(modified: found.modified) { json in
            json.array("traits", of: found.names) { $0.string($1) }
            if withGeneration { json.member("resource_provider_generation", found.generation) }
        }
    }
}

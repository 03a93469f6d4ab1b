import Access
import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of a server's metadata and tags.
struct ServerPartRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let servers: ServerService

    private static let metadata = ServerRoutes.path + "/metadata"
    private static let tags = ServerRoutes.path + "/tags"
    private static let tagsSince = 26
    private static let mostTags = Limits.thing.tags.most

    var all: [Route] { metadataRoutes + tagRoutes }

    // MARK: Metadata

    private var metadataRoutes: [Route] {
        [
            maker.route(.get, Self.metadata, nil) { call in
                Self.answer(try await servers.get(call.call.id("server_id"), .listMetadata, by: call.caller).server)
            },
            maker.route(.post, Self.metadata, nil) { call in try await setMetadata(call, replacing: false) },
            maker.route(.put, Self.metadata, nil) { call in try await setMetadata(call, replacing: true) },
            maker.route(.get, Self.metadata + "/{key}", nil) { call in
                let server = try await servers.get(call.call.id("server_id"), .showMetadata, by: call.caller).server
                guard let value = server.metadata[call.parameter("key")] else { throw Self.noItem }
                return Self.item(call.parameter("key"), value)
            },
            maker.route(.put, Self.metadata + "/{key}", nil) { call in
                let item = try await call.read(Form.item)
                let key = call.parameter("key")
                guard let value = item[key] else { throw CloudError.badRequest("Request body and URI mismatch") }
                try await change(call, .updateMetadata) { $0[key] = value }
                return Self.item(key, value)
            },
            maker.route(.delete, Self.metadata + "/{key}", nil) { call in
                let key = call.parameter("key")
                try await change(call, .deleteMetadata) { metadata in
                    guard metadata.removeValue(forKey: key) != nil else { throw Self.noItem }
                }
                return .noContent
            },
        ]
    }

    private static let noItem = CloudError.notFound("Metadata item was not found")

    private func setMetadata(_ call: ComputeCall, replacing: Bool) async throws -> Reply {
        let given = try await call.read(Form.metadata.inside("metadata"))
        let server = try await change(call, replacing ? .replaceMetadata : .createMetadata) { metadata in
            if replacing { metadata = given } else { metadata.merge(given) { _, new in new } }
        }
        return Self.answer(server)
    }

    @discardableResult
    private func change(
        _ call: ComputeCall, _ action: Action, _ body: @escaping @Sendable (inout [String: String]) throws -> Void
    ) async throws -> Server {
        try await servers.changeMetadata(
            call.call.id("server_id"), action, action == .deleteMetadata ? "delete metadata" : "update metadata", by: call.caller, body)
    }

    private static func answer(_ server: Server) -> Reply {
        .json { json in json.object("metadata") { $0.members(of: TextMap.json(server.metadata)) } }
    }

    private static func item(_ key: String, _ value: String) -> Reply {
        .json { json in json.object("meta") { $0.members(of: [key: .string(value)]) } }
    }

    // MARK: Tags

    private var tagRoutes: [Route] {
        [
            maker.route(.get, Self.tags, nil, since: Self.tagsSince) { call in
                Self.tags(try await servers.get(call.call.id("server_id"), .listTags, by: call.caller).server)
            },
            maker.route(.put, Self.tags, nil, since: Self.tagsSince) { call in
                let tags = try await call.read(Form.tags.inside("tags"))
                let server = try await servers.change(call.call.id("server_id"), .replaceTags, by: call.caller) { server, _ in server.tags = tags }
                return Self.tags(server)
            },
            maker.route(.delete, Self.tags, nil, since: Self.tagsSince) { call in
                _ = try await servers.change(call.call.id("server_id"), .deleteAllTags, by: call.caller) { server, _ in server.tags = [] }
                return .noContent
            },
            maker.route(.get, Self.tags + "/{tag}", nil, since: Self.tagsSince) { call in
                let server = try await servers.get(call.call.id("server_id"), .showTag, by: call.caller).server
                guard server.tags.contains(call.parameter("tag")) else { throw Self.noTag(server, call) }
                return .noContent
            },
            maker.route(.put, Self.tags + "/{tag}", nil, since: Self.tagsSince) { call in try await addTag(call) },
            maker.route(.delete, Self.tags + "/{tag}", nil, since: Self.tagsSince) { call in
                let tag = call.parameter("tag")
                _ = try await servers.change(call.call.id("server_id"), .deleteTag, by: call.caller) { server, _ in
                    guard server.tags.contains(tag) else { throw Self.noTag(server, call) }
                    server.tags.removeAll { $0 == tag }
                }
                return .noContent
            },
        ]
    }

    private func addTag(_ call: ComputeCall) async throws -> Reply {
        let tag = call.parameter("tag")
        guard Dialect.compute.mismatch(.string(tag), Form.tag.shape) == nil else {
            throw CloudError.badRequest("Tag '\(tag.prefix(100))' is invalid: it must have 1 to 60 characters, neither commas nor slashes.")
        }
        let before = try await servers.get(call.call.id("server_id"), .addTag, by: call.caller).server
        guard !before.tags.contains(tag) else { return .noContent }
        _ = try await servers.change(before.id, .addTag, by: call.caller) { server, _ in
            guard server.tags.count < Self.mostTags else {
                throw CloudError.badRequest("The number of tags exceeded the per-server limit \(Self.mostTags)")
            }
            if !server.tags.contains(tag) { server.tags.append(tag) }
        }
        return Reply(.created, headers: [.location: "\(Links(call).home)/servers/\(before.id)/tags/\(Percent.encode(tag))"])
    }

    private static func noTag(_ server: Server, _ call: ComputeCall) -> CloudError {
        .notFound("Server \(server.id) has no tag '\(call.parameter("tag"))'")
    }

    private static func tags(_ server: Server) -> Reply { .json { json in json.array("tags", of: server.tags) { $0.string($1) } } }
}

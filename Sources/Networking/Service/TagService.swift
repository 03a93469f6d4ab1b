import CloudCore
import HTTPKit
import Resources
import SQL

/// The tags of a noun's resources. A caller who may change a resource may change its tags.
struct TagService<S: NetworkingService>: Sendable {
    private let service: S

    init(_ service: S) { self.service = service }

    private static var most: Int { Limits.thing.tags.most }

    func list(_ id: ID<S.R.Noun>, by caller: Principal) async throws -> [String] {
        try await service.get(id, by: caller).rows.first?.standard.tags ?? []
    }

    func require(_ tag: String, of id: ID<S.R.Noun>, by caller: Principal) async throws {
        guard try await list(id, by: caller).contains(tag) else { throw Self.missing(tag) }
    }

    func replace(_ id: ID<S.R.Noun>, _ body: JSONObject, by caller: Principal) async throws -> [String] {
        let tags = try Self.tags(of: body)
        return try await change(id, by: caller) { _ in tags }
    }

    func add(_ tag: String, to id: ID<S.R.Noun>, by caller: Principal) async throws {
        try Shape.string(1...255).check(.string(tag), at: "tag")
        try await change(id, by: caller) { old in
            guard old.count < Self.most || old.contains(tag) else { throw Self.tooMany }
            return old + [tag]
        }
    }

    /// Adds several tags to the present ones.
    func add(_ id: ID<S.R.Noun>, _ body: JSONObject, by caller: Principal) async throws -> [String] {
        let tags = try Self.tags(of: body)
        return try await change(id, by: caller) { old in
            let all = Set(old).union(tags)
            guard all.count <= Self.most else { throw Self.tooMany }
            return Array(all)
        }
    }

    func remove(_ tag: String, from id: ID<S.R.Noun>, by caller: Principal) async throws {
        try await change(id, by: caller) { old in
            guard old.contains(tag) else { throw Self.missing(tag) }
            return old.filter { $0 != tag }
        }
    }

    func removeAll(_ id: ID<S.R.Noun>, by caller: Principal) async throws { try await change(id, by: caller) { _ in [] } }

    private static func tags(of body: JSONObject) throws -> [String] {
        guard body.count == 1, let tags = body["tags"] else { throw CloudError.badRequest("Invalid tags body") }
        return try Form<[String]>.array(.string(1...255), 0...most, unique: true).parse(tags, .house("tags"))
    }

    private static var tooMany: CloudError { .badRequest("A thing can have at most \(most) tags.") }

    private static func missing(_ tag: String) -> CloudError {
        .networking(.notFound, "TagNotFound", "Tag \(tag) could not be found.")
    }

    @discardableResult
    private func change(
        _ id: ID<S.R.Noun>, by caller: Principal, _ new: @escaping @Sendable ([String]) throws -> [String]
    ) async throws -> [String] {
        try await service.networking.write { tx in
            var resource = try service.authorised("update", id, by: caller, in: tx)
            let tags = Set(try new(resource.standard.tags)).sorted()
            try TagStore.set(tags, of: id.text, in: tx)
            service.stamp(&resource)
            try service.store.update(resource, in: tx)
            return tags
        }
    }
}

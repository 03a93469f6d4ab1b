import CloudCore
import SQL

/// The group types with their specs.
struct GroupTypeService: Sendable {
    let context: BlockStorageContext
    private let types = GroupTypeStore()

    // MARK: Finding

    /// Returns a type that the caller may know.
    ///
    /// - Throws: `notFound` if there is none, or if it is private and the caller is no administrator.
    func require(_ id: ID<GroupType>, by caller: Caller, in tx: Transaction) throws -> GroupType {
        guard let type = try types.find(id, in: tx), type.isPublic || caller.isAdministrator else {
            throw GroupType.missing(id)
        }
        return type
    }

    /// Returns the type with an id or a name.
    func require(_ text: String, by caller: Caller, in tx: Transaction) throws -> GroupType {
        let isID = UUIDText.normal(text) != nil
        if isID, let type = try types.find(ID<GroupType>(text), in: tx), type.isPublic || caller.isAdministrator {
            return type
        }
        guard let type = try types.find(name: text, in: tx), type.isPublic || caller.isAdministrator else {
            throw isID ? GroupType.missing(text) : GroupType.missing(name: text)
        }
        return type
    }

    func get(_ id: ID<GroupType>, by caller: Caller) async throws -> GroupType {
        try await context.read { tx in try require(id, by: caller, in: tx) }
    }

    func list(_ query: ListRequest, by caller: Caller) async throws -> [GroupType] {
        var filters = ListFilters(query.filters, by: caller)
        let text = filters.take("is_public")
        let isPublic = try caller.isAdministrator ? VolumeTypeService.publicity(text) : true
        let page = try RowPage(query.page, by: query.sort, ListColumn.groupTypes)
        return try await context.read { tx in try types.page(isPublic: isPublic, page, in: tx) }
    }

    // MARK: Changing

    /// The type that an administrator asks for.
    struct Wish: Sendable {
        var name = ""
        var description: String?
        var isPublic = true
        var specs = JSONObject()
    }

    func create(_ wish: Wish) async throws -> GroupType {
        let new = GroupType(
            id: ID(context.world.random.uuid()), name: wish.name, description: wish.description,
            isPublic: wish.isPublic, specs: wish.specs, createdAt: context.world.now)
        try await context.write { tx in
            guard try types.find(name: new.name, in: tx) == nil else { throw Self.exists(new.name) }
            try types.insert(new, in: tx)
        }
        return new
    }

    func update(_ id: ID<GroupType>, _ change: VolumeTypeService.Change, by caller: Caller) async throws -> GroupType {
        try await self.change(id, by: caller) { type, tx in
            if let name = change.name, !name.isEmpty, name != type.name {
                guard try types.find(name: name, in: tx) == nil else { throw Self.exists(name) }
                type.name = name
            }
            if let description = change.description { type.description = description }
            if let isPublic = change.isPublic { type.isPublic = isPublic }
        }
    }

    private func change(
        _ id: ID<GroupType>, by caller: Caller,
        _ body: @escaping @Sendable (inout GroupType, Transaction) throws -> Void
    ) async throws -> GroupType {
        try await context.write { tx in
            let old = try require(id, by: caller, in: tx)
            var new = old
            try body(&new, tx)
            new.updatedAt = context.world.now
            try types.update(old, to: new, in: tx)
            return new
        }
    }

    func delete(_ id: ID<GroupType>, by caller: Caller) async throws {
        try await context.write { tx in
            _ = try require(id, by: caller, in: tx)
            if try types.isUsed(id, in: tx) { throw CloudError.badRequest("Target group type is still in use.") }
            try types.delete(id, in: tx)
        }
    }

    private static func exists(_ name: String) -> CloudError { .conflict("Group Type \(name) already exists.") }

    // MARK: Specs

    func setSpecs(_ given: JSONObject, of id: ID<GroupType>, by caller: Caller) async throws {
        _ = try await change(id, by: caller) { type, _ in type.specs = VolumeMetadata.merged(type.specs, given) }
    }

    func removeSpec(_ key: String, of id: ID<GroupType>, by caller: Caller) async throws {
        _ = try await change(id, by: caller) { type, _ in
            guard type.specs[key] != nil else {
                throw CloudError.notFound("Group Type \(id) has no specs with key \(key).")
            }
            type.specs[key] = nil
        }
    }
}

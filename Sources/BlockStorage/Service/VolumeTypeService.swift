import CloudCore
import SQL

/// The volume types with their extra specs, the projects that may use them, and the projects' default types.
struct VolumeTypeService: Sendable {
    let context: BlockStorageContext
    private let types = VolumeTypeStore()
    private let rules = TypeRules()

    // MARK: Finding

    /// Returns a type; `default` stands for the one that the caller's volumes get.
    func get(_ text: String, by caller: Caller) async throws -> VolumeType {
        try await context.read { tx in
            let type =
                try text == "default"
                ? rules.usual(for: caller.projectID, in: tx) : rules.require(ID<VolumeType>(text), by: caller, in: tx)
            try caller.require(.getType)
            return type
        }
    }

    /// The first minor version that refuses filters which are not enabled.
    private static let filtersSince = 52

    func list(_ query: ListRequest, by caller: Caller) async throws -> [VolumeType] {
        try caller.require(.listTypes)
        var filters = try ListFilters(
            query.filters, of: "volume_type", older: ["is_public"], strictSince: Self.filtersSince, by: caller)
        var filter = VolumeTypeStore.Filter()
        let isPublic = filters.take("is_public")
        filter.isPublic = try caller.isAdministrator ? Self.publicity(isPublic) : true
        if filter.isPublic == true, !caller.isAdministrator { filter.orAccessibleTo = caller.projectID }
        filters.drop(["all_tenants"])
        let specs = filters.take("extra_specs").map { PythonDictionary.pairs($0) ?? [("", "")] } ?? []
        if !specs.isEmpty, !caller.may(.readSensitiveSpecs),
            !specs.allSatisfy({ VolumeType.visibleSpecs.contains($0.name) })
        {
            return []
        }
        (filter.name, filter.description) = (filters.take("name"), filters.take("description"))
        guard filters.items.isEmpty else { return [] }
        let found = try await context.read { [filter] tx in try types.list(filter, in: tx) }
            .filter { type in specs.allSatisfy { type.extraSpecs[$0.name]?.string == $0.value } }
        return try Self.paged(Self.sorted(found, by: query.sort), query.page)
    }

    static func publicity(_ text: String?) throws -> Bool? {
        switch text?.lowercased() {
        case nil: return true
        case "none": return nil
        case "t", "true", "on", "y", "yes", "1": return true
        case "f", "false", "off", "n", "no", "0": return false
        case .some(let text): throw CloudError.badRequest("Invalid is_public filter [\(text.prefix(255))]")
        }
    }

    private static func sorted(
        _ found: [VolumeType], by sort: [(key: String, ascending: Bool)]
    ) throws -> [VolumeType] {
        // Operators make types by hand, so there are few, and they are sorted here.
        try sort.reversed().reduce(found) { types, sort in
            let value = try key(sort.key)
            return types.sorted { sort.ascending ? value($0) < value($1) : value($0) > value($1) }
        }
    }

    private static func key(_ name: String) throws -> (VolumeType) -> String {
        switch name {
        case "id": { $0.id.text }
        case "name": { $0.name }
        case "description": { $0.description ?? "" }
        case "is_public": { $0.isPublic ? "1" : "0" }
        case "created_at": { $0.createdAt.iso8601Microseconds + $0.id.text }
        case "updated_at": { $0.updatedAt?.iso8601Microseconds ?? "" }
        default: throw VolumeRefusal.input("Invalid sort key")
        }
    }

    private static func paged(_ all: [VolumeType], _ page: ListPage) throws -> [VolumeType] {
        var rest = all[...]
        if let marker = page.marker {
            guard let at = rest.firstIndex(where: { $0.id.text == marker }) else { throw VolumeType.missing(marker) }
            rest = rest[(at + 1)...]
        }
        return Array(rest.dropFirst(page.offset).prefix(page.limit))
    }

    // MARK: Changing

    func create(_ new: VolumeType) async throws -> VolumeType {
        try await context.write { tx in
            guard try types.find(name: new.name, in: tx) == nil else { throw Self.exists(new.name) }
            try types.insert(new, in: tx)
            return new
        }
    }

    /// The values that an administrator gives with a change.
    struct Change: Sendable {
        var name: String?
        var description: String?
        var isPublic: Bool?
    }

    func update(_ id: ID<VolumeType>, _ change: Change, by caller: Caller) async throws -> VolumeType {
        try await context.write { tx in
            let old = try rules.require(id, by: caller, in: tx)
            var new = old
            if let name = change.name, name != old.name {
                guard try types.find(name: name, in: tx) == nil else { throw Self.exists(name) }
                new.name = name
                for resource in QuotaResource.ofTypes {
                    try QuotaStore().rename(resource.of(old.name), to: resource.of(name), in: tx)
                }
            }
            if let description = change.description { new.description = description }
            if let isPublic = change.isPublic { new.isPublic = isPublic }
            new.updatedAt = context.world.now
            try types.update(old, to: new, in: tx)
            return new
        }
    }

    func delete(_ id: ID<VolumeType>, by caller: Caller) async throws {
        try await context.write { tx in
            let type = try rules.require(id, by: caller, in: tx)
            if try types.isDefault(id, in: tx) || type.name == VolumeType.usual {
                throw CloudError.badRequest("The volume type \(id) is a default volume type and cannot be deleted.")
            }
            if try types.isOnlyOne(in: tx) {
                throw CloudError.badRequest(
                    "The volume type \(id) is the only currently defined volume type and cannot be deleted.")
            }
            if try VolumeStore().uses(id, in: tx) || GroupStore().uses(id, in: tx) {
                throw CloudError.badRequest("Target volume type is still in use.")
            }
            for resource in QuotaResource.ofTypes { try QuotaStore().forget(resource.of(type.name), in: tx) }
            try types.delete(id, in: tx)
        }
    }

    private static func exists(_ name: String) -> CloudError { .conflict("Volume Type \(name) already exists.") }

    /// Makes the type that volumes get if nothing else is said, in a cloud without any type.
    func makeUsual() async throws {
        guard try await context.read({ tx in try types.isEmpty(in: tx) }) else { return }
        let new = VolumeType(
            id: ID(context.world.random.uuid()), name: VolumeType.usual, description: "Default Volume Type",
            isPublic: true, createdAt: context.world.now)
        try await context.write { tx in
            if try types.isEmpty(in: tx) { try types.insert(new, in: tx) }
        }
    }
}

import CloudCore
import SQL

/// The flavors, their extra specs, and the projects that may use flavors that are not public.
struct FlavorService: Sendable {
    let context: ComputeContext
    private let flavors = FlavorStore()

    /// The conditions and the order of a list.
    struct Query: Sendable {
        /// The kind of flavors; an inner nil for both kinds. It is ignored unless the caller is an administrator.
        var isPublic: Bool?? = .none
        var leastRAM: Int?
        var leastDisk: Int?
        /// A regular expression; it may match anywhere in the name.
        var name: String?
        var sortKey = "flavorid"
        var isAscending = true
        var page = Page()
    }

    static func missing(_ id: some CustomStringConvertible) -> CloudError { .notFound("Flavor \(id) could not be found.") }

    /// Returns the flavor if the caller may see it.
    ///
    /// - Throws: `notFound` if there is none, or if it is private and the caller has no access.
    static func require(_ id: ID<Flavor>, by caller: Caller, in tx: Transaction) throws -> Flavor {
        let store = FlavorStore()
        guard let flavor = try store.find(id, in: tx) else { throw missing(id) }
        if !flavor.isPublic, !caller.isAdministrator, try !store.hasAccess(caller.projectID, to: id, in: tx) { throw missing(id) }
        return flavor
    }

    func get(_ id: ID<Flavor>, by caller: Caller) async throws -> Flavor {
        try await context.read { tx in try Self.require(id, by: caller, in: tx) }
    }

    func list(_ query: Query, by caller: Caller) async throws -> [Flavor] {
        var filter = FlavorStore.Filter(leastRAM: query.leastRAM, leastDisk: query.leastDisk)
        filter.isPublic = caller.isAdministrator ? (query.isPublic ?? true) : true
        if filter.isPublic == true { filter.orAccessibleTo = caller.projectID }
        var found = try await context.read { [filter] tx in try flavors.list(filter, in: tx) }
        if let name = query.name {
            let pattern = try NamePattern(name)
            found = found.filter { pattern.isFound(in: $0.name) }
        }
        let isBefore = FlavorOrder.before(query.sortKey)
        let isAscending = query.isAscending
        // The sort is stable, and the store returns flavors in the order of their numbers.
        if !isAscending { found.reverse() }
        found.sort { (left: Flavor, right: Flavor) -> Bool in isAscending ? isBefore(left, right) : isBefore(right, left) }
        return try paged(found, query.page) { $0.id.text }
    }

    func create(_ new: Flavor) async throws -> Flavor {
        try await context.write { tx in
            if try flavors.exists(name: new.name, in: tx) { throw CloudError.conflict("Flavor with name \(new.name) already exists.") }
            if try flavors.find(new.id, in: tx) != nil { throw CloudError.conflict("Flavor with ID \(new.id) already exists.") }
            var flavor = new
            flavor.number = try NumberStore.compute.next("flavor", in: tx)
            try flavors.insert(flavor, in: tx)
            return flavor
        }
    }

    func setDescription(_ description: String?, of id: ID<Flavor>, by caller: Caller) async throws -> Flavor {
        try await change(id, by: caller) { $0.description = description }
    }

    func delete(_ id: ID<Flavor>) async throws {
        try await context.write { tx in
            guard try flavors.delete(id, in: tx) else { throw Self.missing(id) }
        }
    }

    private func change(_ id: ID<Flavor>, by caller: Caller, _ change: @escaping @Sendable (inout Flavor) throws -> Void) async throws -> Flavor {
        let now = context.world.now
        return try await context.write { tx in
            var flavor = try Self.require(id, by: caller, in: tx)
            try change(&flavor)
            flavor.updatedAt = now
            try flavors.update(flavor, in: tx)
            return flavor
        }
    }

    // MARK: Extra specs

    func setExtraSpecs(_ specs: [String: String], of id: ID<Flavor>, by caller: Caller) async throws {
        _ = try await change(id, by: caller) { $0.extraSpecs.merge(specs) { _, new in new } }
    }

    func extraSpec(_ key: String, of id: ID<Flavor>, by caller: Caller) async throws -> String {
        guard let value = try await get(id, by: caller).extraSpecs[key] else { throw Self.noSpec(key, id) }
        return value
    }

    func deleteExtraSpec(_ key: String, of id: ID<Flavor>, by caller: Caller) async throws {
        _ = try await change(id, by: caller) { flavor in
            guard flavor.extraSpecs.removeValue(forKey: key) != nil else { throw Self.noSpec(key, id) }
        }
    }

    private static func noSpec(_ key: String, _ id: ID<Flavor>) -> CloudError {
        .notFound("Flavor \(id) has no extra specs with key \(key).")
    }

    // MARK: Access

    func access(to id: ID<Flavor>, by caller: Caller) async throws -> [String] {
        try await context.read { tx in
            let flavor = try Self.require(id, by: caller, in: tx)
            if flavor.isPublic { throw CloudError.notFound("Access list not available for public flavors.") }
            return try flavors.projects(of: id, in: tx)
        }
    }

    func addAccess(_ project: String, to id: ID<Flavor>, by caller: Caller) async throws -> [String] {
        try await context.needs.identity.requireProject(ID(project))
        return try await context.write { tx in
            let flavor = try Self.require(id, by: caller, in: tx)
            if caller.minor >= 7, flavor.isPublic { throw CloudError.conflict("Can not add access to a public flavor.") }
            if try flavors.hasAccess(project, to: id, in: tx) {
                throw CloudError.conflict("Flavor access already exists for flavor \(id) and project \(project) combination.")
            }
            try flavors.addAccess(project, to: id, in: tx)
            return try flavors.projects(of: id, in: tx)
        }
    }

    /// Removes the access of a project, also of a project that no longer exists.
    func removeAccess(_ project: String, to id: ID<Flavor>, by caller: Caller) async throws -> [String] {
        try await context.write { tx in
            _ = try Self.require(id, by: caller, in: tx)
            guard try flavors.removeAccess(project, to: id, in: tx) else {
                throw CloudError.notFound("Flavor access not found for \(id) / \(project) combination.")
            }
            return try flavors.projects(of: id, in: tx)
        }
    }
}

/// The keys by which flavors can be sorted.
enum FlavorOrder {
    static let keys = [
        "created_at", "description", "disabled", "ephemeral_gb", "flavorid", "id", "is_public", "memory_mb", "name", "root_gb",
        "rxtx_factor", "swap", "updated_at", "vcpu_weight", "vcpus",
    ]

    static func before(_ key: String) -> @Sendable (Flavor, Flavor) -> Bool {
        switch key {
        case "created_at": { $0.createdAt < $1.createdAt }
        case "description": { ($0.description ?? "") < ($1.description ?? "") }
        case "ephemeral_gb": { $0.ephemeralGiB < $1.ephemeralGiB }
        case "flavorid": { $0.id < $1.id }
        case "id": { $0.number < $1.number }
        case "is_public": { !$0.isPublic && $1.isPublic }
        case "memory_mb": { $0.ramMiB < $1.ramMiB }
        case "name": { $0.name < $1.name }
        case "root_gb": { $0.diskGiB < $1.diskGiB }
        case "rxtx_factor": { $0.rxtxFactor < $1.rxtxFactor }
        case "swap": { $0.swapMiB < $1.swapMiB }
        case "updated_at": { ($0.updatedAt ?? Timestamp(seconds: 0)) < ($1.updatedAt ?? Timestamp(seconds: 0)) }
        case "vcpus": { $0.vcpus < $1.vcpus }
        default: { _, _ in false }
        }
    }
}

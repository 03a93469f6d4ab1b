import CloudCore
import Resources
import SQL

/// The service of resource providers and their trees.
struct ProviderService: Sendable {
    let context: ServiceContext
    private let providers = ProviderStore()
    private let allocations = AllocationStore()

    struct New: Sendable {
        var id: ID<Kind.Provider>?
        var name: String
        var parentID: ID<Kind.Provider>?
    }

    func get(_ id: ID<Kind.Provider>) async throws -> Provider {
        return try await context.read { tx in try providers.require(id, in: tx) }
    }

    func create(_ new: New) async throws -> Provider {
        let id = new.id ?? ID(context.world.random.uuid())
        let now = context.world.now
        func refuse(_ why: String) -> CloudError {
            .badRequest("Unable to create resource provider \"\(new.name)\", \(id): Object action create failed because: \(why)")
        }
        if new.name.isEmpty { throw refuse("name is required") }
        if new.parentID == id {
            throw refuse("parent provider UUID cannot be same as UUID. Please leave it out where there is no parent.")
        }
        let noParent = refuse("parent provider UUID does not exist.")
        do {
            return try await context.write { tx in
                var taken: [String] = []
                if try providers.find(id, in: tx) != nil { taken.append("uuid: \(id)") }
                if try providers.exists(name: new.name, in: tx) { taken.append("name: \(new.name)") }
                if !taken.isEmpty { throw Self.duplicate(taken.joined(separator: ", ")) }
                var root = id
                if let parentID = new.parentID {
                    guard let parent = try providers.find(parentID, in: tx) else { throw noParent }
                    root = parent.rootID
                }
                let provider = Provider(
                    id: id, name: new.name, generation: 0, parentID: new.parentID, rootID: root, createdAt: now, updatedAt: now)
                try providers.insert(provider, in: tx)
                return provider
            }
        } catch SQLError.uniqueViolation {
            throw Self.duplicate("name: \(new.name)")
        }
    }

    private static func duplicate(_ what: String) -> CloudError {
        .conflict("Conflicting resource provider \(what) already exists.", code: PlacementCode.duplicateName)
    }

    /// Renames a provider, and moves it below another parent.
    ///
    /// - Parameter mayMove: whether a provider that has a parent may get another parent or none.
    func update(
        _ id: ID<Kind.Provider>, name: String, parent: Update<ID<Kind.Provider>>, mayMove: Bool
    ) async throws -> Provider {
        let now = context.world.now
        do {
            return try await context.write { tx in
                var provider = try providers.require(id, in: tx)
                if name != provider.name, try providers.exists(name: name, in: tx) { throw Self.duplicate(name) }
                provider.name = name
                provider.updatedAt = now
                var wanted = provider.parentID
                parent.apply(to: &wanted)
                if wanted != provider.parentID { try move(&provider, below: wanted, mayMove: mayMove, in: tx) }
                try providers.update(provider, in: tx)
                return provider
            }
        } catch SQLError.uniqueViolation {
            throw Self.duplicate(name)
        }
    }

    private func move(_ provider: inout Provider, below parent: ID<Kind.Provider>?, mayMove: Bool, in tx: Transaction) throws {
        let id = provider.id
        func refuse(_ why: String) -> CloudError {
            .badRequest("Unable to save resource provider \(id): Object action update failed because: \(why)")
        }
        var root = id
        let subtree = try providers.subtree(of: provider, in: tx)
        if let parent {
            guard let new = try providers.find(parent, in: tx) else { throw refuse("parent provider UUID does not exist.") }
            if provider.parentID != nil, !mayMove { throw refuse("re-parenting a provider is not currently allowed.") }
            if subtree.contains(parent) { throw refuse("creating loop in the provider tree is not allowed.") }
            root = new.rootID
        } else if !mayMove {
            throw refuse("un-parenting a provider is not currently allowed.")
        }
        provider.parentID = parent
        provider.rootID = root
        try providers.move(subtree, toRoot: root, in: tx)
    }

    func delete(_ id: ID<Kind.Provider>) async throws {
        try await context.write { tx in
            guard try providers.find(id, in: tx) != nil else {
                throw CloudError.notFound("No resource provider with uuid \(id) found for delete")
            }
            if try providers.hasChildren(id, in: tx) {
                throw CloudError.conflict(
                    "Unable to delete parent resource provider \(id): It has child resource providers.",
                    code: PlacementCode.cannotDeleteParent)
            }
            if try allocations.isUsed(id, in: tx) {
                throw CloudError.conflict(
                    "Unable to delete resource provider \(id): Resource provider has allocations.", code: PlacementCode.providerInUse)
            }
            try providers.delete(id, in: tx)
        }
    }

    // MARK: Aggregates

    func aggregates(of id: ID<Kind.Provider>) async throws -> (aggregates: [String], generation: Int) {
        return try await context.read { tx in
            let provider = try providers.require(id, in: tx)
            return (try providers.aggregates(of: id, in: tx), provider.generation)
        }
    }

    /// Replaces the aggregates of a provider. Returns its generation.
    ///
    /// - Parameter generation: the generation that the caller has seen; nil in microversions that do not ask for it.
    func setAggregates(
        _ aggregates: [String], of id: ID<Kind.Provider>, generation: Int?
    ) async throws -> Int {
        let now = context.world.now
        return try await context.write { tx in
            var provider = try providers.require(id, in: tx)
            if let generation {
                try Self.expect(generation, provider)
                provider = try providers.advance(provider, at: now, in: tx)
            }
            try providers.setAggregates(aggregates, of: id, in: tx)
            return provider.generation
        }
    }

    static func expect(_ generation: Int, _ provider: Provider) throws {
        guard provider.generation == generation else {
            throw CloudError.conflict(
                "Resource provider's generation already changed. Please update the generation and try again.",
                code: PlacementCode.concurrentUpdate)
        }
    }
}

import CloudCore
import SQL

/// The rows of providers, with their aggregates and traits.
struct ProviderStore: Sendable {
    static let columns = "id, name, generation, parent_id, root_id, created_at, updated_at"

    func find(_ id: ID<Kind.Provider>, in tx: Transaction) throws -> Provider? {
        try tx.rows("SELECT \(Self.columns) FROM placement_provider WHERE id = ?", id).first.map(Self.provider)
    }

    /// Returns a provider.
    ///
    /// - Throws: `CloudError.notFound`.
    func require(_ id: ID<Kind.Provider>, in tx: Transaction) throws -> Provider {
        guard let found = try find(id, in: tx) else { throw CloudError.noProvider(id) }
        return found
    }

    func all(ofTree root: ID<Kind.Provider>, in tx: Transaction) throws -> [Provider] {
        try tx.rows("SELECT \(Self.columns) FROM placement_provider WHERE root_id = ?", root).map(Self.provider)
    }

    func exists(name: String, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT id FROM placement_provider WHERE name = ?", name) != nil
    }

    func insert(_ provider: Provider, in tx: Transaction) throws {
        tx.touched(provider.id)
        try tx.execute(
            "INSERT INTO placement_provider (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?)", provider.id, provider.name,
            provider.generation, provider.parentID, provider.rootID, provider.createdAt, provider.updatedAt)
    }

    func update(_ provider: Provider, in tx: Transaction) throws {
        tx.touched(provider.id)
        try tx.execute(
            "UPDATE placement_provider SET name = ?, parent_id = ?, root_id = ?, updated_at = ? WHERE id = ?", provider.name,
            provider.parentID, provider.rootID, provider.updatedAt, provider.id)
    }

    /// Moves the given providers into another tree.
    func move(_ ids: Set<ID<Kind.Provider>>, toRoot root: ID<Kind.Provider>, in tx: Transaction) throws {
        tx.touched(ids)
        for id in ids { try tx.execute("UPDATE placement_provider SET root_id = ? WHERE id = ?", root, id) }
    }

    func delete(_ id: ID<Kind.Provider>, in tx: Transaction) throws {
        tx.touched(id)
        try tx.execute("DELETE FROM placement_provider WHERE id = ?", id)
    }

    func hasChildren(_ id: ID<Kind.Provider>, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT id FROM placement_provider WHERE parent_id = ? LIMIT 1", id) != nil
    }

    /// Returns the ids of a provider and of all providers below it.
    func subtree(of provider: Provider, in tx: Transaction) throws -> Set<ID<Kind.Provider>> {
        let rows = try tx.rows("SELECT id, parent_id FROM placement_provider WHERE root_id = ?", provider.rootID)
        var children: [ID<Kind.Provider>: [ID<Kind.Provider>]] = [:]
        for row in rows {
            let id: ID<Kind.Provider> = try row.value(at: 0)
            if let parent: ID<Kind.Provider> = try row.value(at: 1, as: ID<Kind.Provider>?.self) { children[parent, default: []].append(id) }
        }
        var found: Set<ID<Kind.Provider>> = [provider.id]
        var open = [provider.id]
        while let next = open.popLast() {
            for child in children[next] ?? [] where found.insert(child).inserted { open.append(child) }
        }
        return found
    }

    /// Writes the next generation of a provider.
    ///
    /// - Throws: `Refusal.concurrent` if the row no longer has the generation that was read.
    @discardableResult
    func advance(_ provider: Provider, at now: Timestamp, in tx: Transaction) throws -> Provider {
        tx.touched(provider.id)
        let count = try tx.execute(
            "UPDATE placement_provider SET generation = generation + 1, updated_at = ? WHERE id = ? AND generation = ?", now,
            provider.id, provider.generation)
        guard count == 1 else { throw Refusal.changed }
        var next = provider
        next.generation += 1
        next.updatedAt = now
        return next
    }

    static func provider(_ row: Row) throws -> Provider {
        let id: ID<Kind.Provider> = try row.value(at: 0)
        let rootID: ID<Kind.Provider> = try row.value(at: 4)
        // Equal ids share one text, because the index keeps many of them.
        return Provider(
            id: id, name: try row.value(at: 1), generation: try row.value(at: 2), parentID: try row.value(at: 3),
            rootID: rootID == id ? id : rootID, createdAt: try row.value(at: 5), updatedAt: try row.value(at: 6))
    }

    // MARK: Aggregates and traits

    func aggregates(of id: ID<Kind.Provider>, in tx: Transaction) throws -> [String] {
        try tx.rows("SELECT aggregate_id FROM placement_provider_aggregate WHERE provider_id = ? ORDER BY aggregate_id", id)
            .map { try $0.value(at: 0) }
    }

    func setAggregates(_ aggregates: [String], of id: ID<Kind.Provider>, in tx: Transaction) throws {
        tx.touched(id)
        try tx.execute("DELETE FROM placement_provider_aggregate WHERE provider_id = ?", id)
        for aggregate in Set(aggregates).sorted() {
            try tx.execute("INSERT INTO placement_provider_aggregate (provider_id, aggregate_id) VALUES (?, ?)", id, aggregate)
        }
    }

    func traits(of id: ID<Kind.Provider>, in tx: Transaction) throws -> [String] {
        StandardTraits.ordered(
            try tx.rows("SELECT trait FROM placement_provider_trait WHERE provider_id = ?", id).map { try $0.value(at: 0) as String })
    }

    func setTraits(_ traits: [String], of id: ID<Kind.Provider>, in tx: Transaction) throws {
        tx.touched(id)
        try tx.execute("DELETE FROM placement_provider_trait WHERE provider_id = ?", id)
        for trait in traits {
            try tx.execute("INSERT INTO placement_provider_trait (provider_id, trait) VALUES (?, ?)", id, trait)
        }
    }
}

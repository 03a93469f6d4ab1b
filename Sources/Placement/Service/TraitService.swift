import CloudCore
import Resources
import SQL

/// The service of traits and of the providers that have them.
struct TraitService: Sendable {
    let context: ServiceContext
    private let names = NameStore()
    private let providers = ProviderStore()

    struct Filter: Sendable {
        var names: Set<String>?
        var prefix: String?
        /// Whether the traits must be on some provider, or on none; nil for either.
        var isAssociated: Bool?
    }

    /// A list of traits, the time of its last change and, for the traits of one provider, the generation of that
    /// provider.
    struct Found: Sendable {
        var names: [String]
        var modified: Timestamp
        var generation = 0
    }

    func list(_ filter: Filter) async throws -> Found {
        let now = context.world.now
        return try await context.read { tx in
            let used = try filter.isAssociated.map { _ in try names.traitsInUse(in: tx) } ?? []
            let custom = try names.customTraits(in: tx).filter { Self.matches($0.name, filter, used) }
            let standard = StandardTraits.all.filter { Self.matches($0, filter, used) }
            let modified = standard.isEmpty ? custom.compactMap(\.updatedAt).max() : nil
            return Found(names: standard + custom.map(\.name), modified: modified ?? now)
        }
    }

    private static func matches(_ name: String, _ filter: Filter, _ used: Set<String>) -> Bool {
        filter.names?.contains(name) ?? true
            && filter.prefix.map(name.hasPrefix) ?? true
            && filter.isAssociated.map { $0 == used.contains(name) } ?? true
    }

    /// Returns the time at which a custom trait was created, and the present time for a standard one.
    func get(_ name: String) async throws -> Timestamp {
        let found = try await context.read { tx in try require(name, in: tx) }
        return found.updatedAt ?? context.world.now
    }

    /// Creates a trait unless it exists.
    func ensure(_ name: String) async throws -> (isNew: Bool, modified: Timestamp) {
        let now = context.world.now
        do {
            return try await context.write { tx in
                if let found = try names.trait(name, in: tx) { return (false, found.updatedAt ?? now) }
                try names.insertTrait(name, at: now, in: tx)
                return (true, now)
            }
        } catch SQLError.uniqueViolation {
            return (false, now)
        }
    }

    func delete(_ name: String) async throws {
        try await context.write { tx in
            if try require(name, in: tx).updatedAt == nil { throw CloudError.badRequest("Cannot delete standard trait \(name).") }
            if try names.isTraitInUse(name, in: tx) {
                throw CloudError.conflict("The trait \(name) is in use by a resource provider.")
            }
            try names.deleteTrait(name, in: tx)
        }
    }

    private func require(_ name: String, in tx: Transaction) throws -> NameStore.Entry {
        guard let found = try names.trait(name, in: tx) else { throw CloudError.notFound("No such trait(s): \(name).") }
        return found
    }

    // MARK: Traits of a provider

    func traits(of id: ID<Kind.Provider>) async throws -> Found {
        return try await context.read { tx in
            let provider = try providers.require(id, in: tx)
            let traits = try providers.traits(of: id, in: tx)
            return Found(names: traits, modified: provider.updatedAt, generation: provider.generation)
        }
    }

    func set(_ wanted: [String], of id: ID<Kind.Provider>, generation: Int) async throws -> Found {
        let now = context.world.now
        return try await context.write { tx in
            let provider = try providers.require(id, in: tx)
            try ProviderService.expect(generation, provider)
            let missing = try wanted.filter { try names.trait($0, in: tx) == nil }
            if !missing.isEmpty { throw CloudError.badRequest("No such trait \(Set(missing).sorted().joined(separator: ", "))") }
            let changed = try replace(Set(wanted), of: provider, at: now, in: tx)
            return Found(names: StandardTraits.ordered(Set(wanted)), modified: changed.updatedAt, generation: changed.generation)
        }
    }

    func clear(_ id: ID<Kind.Provider>) async throws {
        let now = context.world.now
        try await context.write { tx in
            _ = try replace([], of: try providers.require(id, in: tx), at: now, in: tx)
        }
    }

    /// Replaces the traits of a provider. Its generation changes only if the traits change.
    private func replace(_ wanted: Set<String>, of provider: Provider, at now: Timestamp, in tx: Transaction) throws -> Provider {
        guard Set(try providers.traits(of: provider.id, in: tx)) != wanted else { return provider }
        try providers.setTraits(wanted.sorted(), of: provider.id, in: tx)
        return try providers.advance(provider, at: now, in: tx)
    }
}

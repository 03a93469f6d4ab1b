import CloudCore
import Resources
import SQL

/// The service of allocations: what consumers hold, and the sums of it.
struct AllocationService: Sendable {
    let context: ServiceContext
    private let providers = ProviderStore()
    private let inventories = InventoryStore()
    private let allocations = AllocationStore()
    private let names = NameStore()
    private let claims = Claims()

    func list(of id: ID<Kind.Consumer>) async throws -> [AllocationStore.Entry] {
        return try await context.read { tx in try allocations.entries(of: id, in: tx) }
    }

    func list(on id: ID<Kind.Provider>) async throws -> (entries: [AllocationStore.Entry], generation: Int) {
        return try await context.read { tx in
            let provider = try providers.require(id, in: tx)
            return (try allocations.entries(on: id, in: tx), provider.generation)
        }
    }

    /// Replaces what one consumer holds.
    func set(_ claim: Claim) async throws {
        try await replace([claim], complaint: "Unable to allocate inventory for consumer \(claim.consumerID): ")
    }

    /// Replaces what several consumers hold, all or nothing.
    func set(_ wanted: [Claim]) async throws {
        try await replace(wanted, complaint: "Unable to allocate inventory ")
    }

    private func replace(_ wanted: [Claim], complaint: String) async throws {
        let now = context.world.now
        do {
            try await context.write { tx in _ = try claims.replace(wanted, at: now, in: tx) }
        } catch let refusal as ClaimRefusal {
            switch refusal {
            case .unknownClass(let name): throw CloudError.badRequest(complaint + Refusal.unknownClass(name).message)
            default: throw Self.error(refusal)
            }
        } catch Refusal.concurrent(let why) {
            throw CloudError.conflict(
                "Inventory and/or allocations changed while attempting to allocate: \(why)", code: PlacementCode.concurrentUpdate)
        }
    }

    /// Returns the error for API clients when a claim is refused.
    private static func error(_ refusal: ClaimRefusal) -> CloudError {
        switch refusal {
        case .unknownClass(let name): return .badRequest(Refusal.unknownClass(name).message)
        case .noProvider(let id): return .badRequest("Allocation for resource provider '\(id)' that does not exist.")
        case .providerChanged:
            return .conflict(
                "Inventory and/or allocations changed while attempting to allocate: \(Refusal.changed.message)",
                code: PlacementCode.concurrentUpdate)
        case .consumerChanged(_, let expected, let actual):
            func text(_ generation: Int?) -> String { generation.map { "\($0)" } ?? "null" }
            return .conflict(
                "consumer generation conflict - expected \(text(actual)) but got \(text(expected))", code: PlacementCode.concurrentUpdate)
        case .lacking(let lacks):
            return .conflict("Unable to allocate inventory: " + (lacks.first.map(Self.words) ?? ""))
        }
    }

    private static func words(_ lack: ClaimRefusal.Lack) -> String {
        let (name, id) = (lack.resourceClass, lack.providerID)
        let violated = "Unable to create allocation for '\(name)' on resource provider '\(id)'. The requested amount would"
        return switch lack.reason {
        case .noInventory: "Inventory for '\(name)' on resource provider '\(id)' invalid."
        case .portion: "\(violated) violate inventory constraints."
        case .full: "\(violated) exceed the capacity."
        }
    }

    func delete(of id: ID<Kind.Consumer>) async throws {
        try await context.write { tx in
            guard try claims.release(id, expects: .anything, in: tx) else {
                throw CloudError.notFound("No allocations for consumer '\(id)'")
            }
        }
    }

    // MARK: Usages

    /// Returns the used amount of each class of which the provider has an inventory.
    func usages(of id: ID<Kind.Provider>) async throws -> (usages: [(String, Int64)], generation: Int) {
        return try await context.read { tx in
            let provider = try providers.require(id, in: tx)
            let used = try allocations.used(of: id, in: tx)
            return (try inventories.all(of: id, in: tx).map { ($0.resourceClass, used[$0.resourceClass] ?? 0) }, provider.generation)
        }
    }

    struct Usages: Sendable {
        var usages: [AllocationStore.Usage]
        var consumers: [(type: String?, count: Int)]
    }

    func usages(project: String, user: String?) async throws -> Usages {
        try await context.read { tx in
            Usages(
                usages: try allocations.usages(project: project, user: user, in: tx),
                consumers: try allocations.consumerCounts(project: project, user: user, in: tx))
        }
    }

    // MARK: Reshaping

    /// The new inventories of a provider, with the generation that the caller has seen.
    struct Reshaped: Sendable {
        var providerID: ID<Kind.Provider>
        var generation: Int
        var inventories: [Inventory]
    }

    /// Moves inventories, together with their allocations, from some providers to others.
    ///
    /// The old and the new inventories exist together while the allocations are replaced: there is never an allocation
    /// without an inventory, and no inventory is removed while it has allocations.
    func reshape(_ providersToBe: [Reshaped], _ wanted: [Claim]) async throws {
        let now = context.world.now
        do {
            try await context.write { tx in
                for reshaped in providersToBe { try widen(reshaped, at: now, in: tx) }
                try claims.replace(wanted, at: now, in: tx)
                for reshaped in providersToBe {
                    try inventories.replace(with: reshaped.inventories, of: reshaped.providerID, in: tx)
                    try providers.advance(try providers.require(reshaped.providerID, in: tx), at: now, in: tx)
                }
            }
        } catch let refusal as ClaimRefusal {
            if case .unknownClass(let name) = refusal {
                throw CloudError.badRequest("malformed reshaper data: \(Refusal.unknownClass(name).message)")
            }
            throw Self.error(refusal)
        } catch let refusal as Refusal {
            switch refusal {
            case .concurrent(let why): throw CloudError.conflict("update conflict: \(why)", code: PlacementCode.concurrentUpdate)
            case .unknownClass, .unknownTraits, .noInventory: throw CloudError.badRequest("malformed reshaper data: \(refusal.message)")
            case .inUse(let why): throw CloudError.conflict("update conflict: \(why)", code: PlacementCode.inventoryInUse)
            case .invalid(let why): throw CloudError.conflict("Unable to allocate inventory: \(why)")
            }
        }
    }

    private func widen(_ reshaped: Reshaped, at now: Timestamp, in tx: Transaction) throws {
        let id = reshaped.providerID
        guard let provider = try providers.find(id, in: tx) else {
            throw CloudError.badRequest(
                "Resource provider \(id) in inventories not found: \(CloudError.noProvider(id).message)", code: PlacementCode.providerNotFound)
        }
        guard provider.generation == reshaped.generation else {
            throw CloudError.conflict(
                """
                resource provider generation conflict for provider \(id): actual: \(provider.generation), \
                given: \(reshaped.generation)
                """, code: PlacementCode.concurrentUpdate)
        }
        guard !reshaped.inventories.isEmpty else { return }
        let new = Set(reshaped.inventories.map(\.resourceClass))
        let old = try inventories.all(of: id, in: tx).filter { !new.contains($0.resourceClass) }
        try inventories.replace(with: old + reshaped.inventories, of: id, in: tx)
        try providers.advance(provider, at: now, in: tx)
    }
}

import CloudCore
import Resources
import SQL

/// The service of inventories: what providers have.
struct InventoryService: Sendable {
    let context: ServiceContext
    private let providers = ProviderStore()
    private let inventories = InventoryStore()
    private let names = NameStore()

    struct Found: Sendable {
        var inventories: [Inventory]
        var generation: Int
    }

    /// Checks that an inventory leaves something to allocate. From 1.26 on everything may be reserved.
    ///
    /// - Throws: `Refusal.invalid`.
    static func check(_ inventory: Inventory, of id: ID<Kind.Provider>, mayReserveAll: Bool) throws {
        guard mayReserveAll ? inventory.capacity < 0 : inventory.capacity <= 0 else { return }
        throw Refusal.invalid(
            """
            Invalid inventory for '\(inventory.resourceClass)' on resource provider '\(id)'. The reserved value is greater than \
            \(mayReserveAll ? "" : "or equal to ")total.
            """)
    }

    func list(of id: ID<Kind.Provider>) async throws -> Found {
        return try await context.read { tx in
            let provider = try providers.require(id, in: tx)
            return Found(inventories: try inventories.all(of: id, in: tx), generation: provider.generation)
        }
    }

    func get(_ resourceClass: String, of id: ID<Kind.Provider>) async throws -> Found {
        return try await context.read { tx in
            let provider = try providers.require(id, in: tx)
            guard let found = try inventories.find(resourceClass, of: id, in: tx) else {
                throw CloudError.notFound("No inventory of class \(resourceClass) for \(id)")
            }
            return Found(inventories: [found], generation: provider.generation)
        }
    }

    func create(_ inventory: Inventory, of id: ID<Kind.Provider>, mayReserveAll: Bool) async throws -> Found {
        let now = context.world.now
        do {
            return try await context.write { tx in
                let provider = try providers.require(id, in: tx)
                try Self.check(inventory, of: id, mayReserveAll: mayReserveAll)
                try names.requireClass(inventory.resourceClass, in: tx)
                if try inventories.find(inventory.resourceClass, of: id, in: tx) != nil {
                    throw Refusal.concurrent("The provider has an inventory of class \(inventory.resourceClass) already.")
                }
                try inventories.insert(inventory, of: id, in: tx)
                return Found(inventories: [inventory], generation: try providers.advance(provider, at: now, in: tx).generation)
            }
        } catch let refusal as Refusal {
            if case .concurrent(let why) = refusal {
                throw CloudError.conflict("Update conflict: \(why)", code: PlacementCode.concurrentUpdate)
            }
            throw CloudError.badRequest("Unable to create inventory for resource provider \(id): \(refusal.message)")
        }
    }

    func update(
        _ inventory: Inventory, of id: ID<Kind.Provider>, generation: Int, mayReserveAll: Bool
    ) async throws -> Found {
        let now = context.world.now
        do {
            return try await context.write { tx in
                let provider = try providers.require(id, in: tx)
                try Self.expect(generation, provider)
                try Self.check(inventory, of: id, mayReserveAll: mayReserveAll)
                guard try names.resourceClass(inventory.resourceClass, in: tx) != nil else {
                    throw CloudError.notFound(Refusal.unknownClass(inventory.resourceClass).message)
                }
                try inventories.update(inventory, of: id, in: tx)
                return Found(inventories: [inventory], generation: try providers.advance(provider, at: now, in: tx).generation)
            }
        } catch let refusal as Refusal {
            switch refusal {
            case .noInventory:
                throw CloudError.badRequest(
                    "No inventory record with resource class for resource provider \(id): \(refusal.message)")
            case .concurrent(let why): throw CloudError.conflict("update conflict: \(why)", code: PlacementCode.concurrentUpdate)
            default: throw CloudError.badRequest("Unable to update inventory for resource provider \(id): \(refusal.message)")
            }
        }
    }

    func set(
        _ wanted: [Inventory], of id: ID<Kind.Provider>, generation: Int, mayReserveAll: Bool
    ) async throws -> Found {
        let now = context.world.now
        do {
            return try await context.write { tx in
                let provider = try providers.require(id, in: tx)
                try Self.expect(generation, provider)
                for inventory in wanted { try Self.check(inventory, of: id, mayReserveAll: mayReserveAll) }
                try inventories.replace(with: wanted, of: id, in: tx)
                return Found(inventories: wanted, generation: try providers.advance(provider, at: now, in: tx).generation)
            }
        } catch let refusal as Refusal {
            switch refusal {
            case .unknownClass:
                throw CloudError.badRequest(
                    "Unknown resource class in inventory for resource provider \(id): \(refusal.message)")
            case .inUse(let why): throw CloudError.conflict("update conflict: \(why)", code: PlacementCode.inventoryInUse)
            case .concurrent(let why): throw CloudError.conflict("update conflict: \(why)", code: PlacementCode.concurrentUpdate)
            default: throw CloudError.badRequest("Unable to update inventory for resource provider \(id): \(refusal.message)")
            }
        }
    }

    func clear(_ id: ID<Kind.Provider>) async throws {
        let now = context.world.now
        do {
            try await context.write { tx in
                let provider = try providers.require(id, in: tx)
                try inventories.replace(with: [], of: id, in: tx)
                try providers.advance(provider, at: now, in: tx)
            }
        } catch let refusal as Refusal {
            if case .inUse(let why) = refusal { throw CloudError.conflict(why, code: PlacementCode.inventoryInUse) }
            throw CloudError.conflict(
                "Unable to delete inventory for resource provider \(id): \(refusal.message)", code: PlacementCode.concurrentUpdate)
        }
    }

    func delete(_ resourceClass: String, of id: ID<Kind.Provider>) async throws {
        let now = context.world.now
        do {
            try await context.write { tx in
                let provider = try providers.require(id, in: tx)
                try names.requireClass(resourceClass, in: tx)
                guard try inventories.delete([resourceClass], of: id, in: tx) > 0 else {
                    throw Refusal.noInventory(resourceClass: resourceClass)
                }
                try providers.advance(provider, at: now, in: tx)
            }
        } catch let refusal as Refusal {
            switch refusal {
            case .inUse, .concurrent:
                throw CloudError.conflict(
                    "Unable to delete inventory of class \(resourceClass): \(refusal.message)", code: PlacementCode.concurrentUpdate)
            default: throw CloudError.notFound("No inventory of class \(resourceClass) found for delete: \(refusal.message)")
            }
        }
    }

    private static func expect(_ generation: Int, _ provider: Provider) throws {
        guard provider.generation == generation else {
            throw CloudError.conflict("resource provider generation conflict", code: PlacementCode.concurrentUpdate)
        }
    }
}

import CloudCore
import Resources
import SQL

/// The service of resource classes: the standard ones, and those that operators make.
struct ResourceClassService: Sendable {
    let context: ServiceContext
    private let names = NameStore()

    func list() async throws -> [NameStore.Entry] {
        return try await context.read { tx in try names.resourceClasses(in: tx) }
    }

    func get(_ name: String) async throws -> NameStore.Entry {
        return try await context.read { tx in try require(name, in: tx) }
    }

    func create(_ name: String) async throws {
        guard try await make(name) else { throw CloudError.conflict("Conflicting resource class already exists: \(name)") }
    }

    /// Creates a resource class unless it exists.
    ///
    /// - Returns: whether it was created now.
    func ensure(_ name: String) async throws -> Bool {
        return try await make(name)
    }

    private func make(_ name: String) async throws -> Bool {
        let now = context.world.now
        do {
            return try await context.write { tx in
                guard try names.resourceClass(name, in: tx) == nil else { return false }
                try names.insertClass(name, at: now, in: tx)
                return true
            }
        } catch SQLError.uniqueViolation {
            return false
        }
    }

    func rename(_ name: String, to new: String) async throws {
        let now = context.world.now
        let taken = CloudError.conflict("Resource class already exists: \(new)")
        do {
            try await context.write { tx in
                let present = try require(name, in: tx)
                if present.updatedAt == nil { throw CloudError.badRequest("Cannot update standard resource class \(name)") }
                if new != name, try names.resourceClass(new, in: tx) != nil { throw taken }
                try names.renameClass(name, to: new, at: now, in: tx)
            }
        } catch SQLError.uniqueViolation {
            throw taken
        }
    }

    func delete(_ name: String) async throws {
        try await context.write { tx in
            let present = try require(name, in: tx)
            if present.updatedAt == nil {
                throw CloudError.badRequest("Error in delete resource class: Cannot delete standard resource class \(name).")
            }
            if try names.isClassInUse(name, in: tx) {
                throw CloudError.conflict(
                    "Error in delete resource class: Cannot delete resource class \(name). Class is in use in inventory.")
            }
            try names.deleteClass(name, in: tx)
        }
    }

    private func require(_ name: String, in tx: Transaction) throws -> NameStore.Entry {
        guard let found = try names.resourceClass(name, in: tx) else { throw CloudError.notFound(Refusal.unknownClass(name).message) }
        return found
    }
}

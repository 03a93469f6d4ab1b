import CloudCore
import SQL

/// The quotas of projects, of users in a project, and of quota classes.
struct QuotaService: Sendable {
    let context: ComputeContext
    private let quotas = QuotaStore()

    struct Entry: Sendable {
        var limit: Int
        var used: Int
    }

    func get(project: String, user: String?) async throws -> [QuotaResource: Entry] {
        try await context.needs.identity.requireProject(ID(project))
        return try await entries(project: project, user: user)
    }

    /// Returns the same without checking that the project exists.
    func entries(project: String, user: String?) async throws -> [QuotaResource: Entry] {
        try await context.read { tx in
            let limits = try quotas.limits(project: project, user: user, in: tx)
            let usage = try quotas.usage(project: project, user: user, in: tx)
            return Dictionary(
                uniqueKeysWithValues: QuotaResource.allCases.map { ($0, Entry(limit: limits[$0] ?? $0.usual, used: usage[$0] ?? 0)) })
        }
    }

    func defaults(project: String) async throws -> [QuotaResource: Int] {
        try await context.needs.identity.requireProject(ID(project))
        return try await context.read { tx in try quotas.defaults(in: tx) }
    }

    /// Changes limits.
    ///
    /// - Parameter isForced: whether a limit may be below the present use, and a user's limit above the project's.
    func update(
        _ limits: [(resource: QuotaResource, limit: Int)], project: String, user: String?, isForced: Bool
    ) async throws -> [QuotaResource: Entry] {
        try await context.needs.identity.requireProject(ID(project))
        try await context.write { tx in
            let usage = try quotas.usage(project: project, user: user, in: tx)
            let ofProject = try quotas.limits(project: project, user: nil, in: tx)
            for (resource, limit) in limits {
                if !isForced {
                    let least = usage[resource] ?? 0
                    let most = user == nil ? -1 : ofProject[resource] ?? -1
                    guard limit == -1 || limit >= least else {
                        throw CloudError.badRequest(
                            "Quota limit \(limit) for \(resource.rawValue) must be greater than or equal to already used and reserved \(least).")
                    }
                    guard most == -1 || (limit != -1 && limit <= most) else {
                        throw CloudError.badRequest("Quota limit \(limit) for \(resource.rawValue) must be less than or equal to \(most).")
                    }
                }
                try quotas.set(resource, to: limit, project: project, user: user, in: tx)
            }
        }
        return try await entries(project: project, user: user)
    }

    func delete(project: String, user: String?) async throws {
        try await context.write { tx in try quotas.delete(project: project, user: user, in: tx) }
    }

    // MARK: Metadata

    /// Checks the number of metadata items of a server.
    ///
    /// - Throws: `CloudError.quotaExceeded` if the project's servers may not have so many.
    static func requireMetadata(_ count: Int, of project: String, in tx: Transaction) throws {
        let most = try QuotaStore().limit(.metadataItems, project: project, user: nil, in: tx)
        guard most >= 0, count > most else { return }
        throw CloudError(.quotaExceeded, "Maximum number of metadata items exceeds \(most)")
    }

    /// Checks the number of metadata items that a user gives to an image, against the same limit.
    static func requireImageMetadata(_ count: Int, of project: String, in tx: Transaction) throws {
        let most = try QuotaStore().limit(.metadataItems, project: project, user: nil, in: tx)
        guard most >= 0, count > most else { return }
        throw CloudError(.quotaExceeded, "Image metadata limit exceeded")
    }

    func requireImageMetadata(_ count: Int, of project: String) async throws {
        try await context.read { tx in try Self.requireImageMetadata(count, of: project, in: tx) }
    }

    // MARK: Classes

    func ofClass(_ name: String) async throws -> [QuotaResource: Int] {
        try await context.read { tx in try quotas.ofClass(name, in: tx) }
    }

    func update(_ limits: [(resource: QuotaResource, limit: Int)], inClass name: String) async throws -> [QuotaResource: Int] {
        try await context.write { tx in
            for (resource, limit) in limits { try quotas.set(resource, to: limit, inClass: name, in: tx) }
            return try quotas.ofClass(name, in: tx)
        }
    }
}

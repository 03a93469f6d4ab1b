import CloudCore
import SQL

/// Quotas of projects, of users in them, and of classes.
struct QuotaService: Sendable {
    let context: ComputeContext
    private let quotas = QuotaStore()

    init(context: ComputeContext) { self.context = context }

    struct Entry: Sendable {
        var limit: Int
        var used: Int
    }

    func get(project: String, user: String?) async throws -> [QuotaResource: Entry] {
        try await context.needs.identity.requireProject(ID(project))
        return try await entries(project: project, user: user)
    }

    /// The same without asking whether there is such a project.
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

    /// - Parameter isForced: also below what is used, and for a user beyond what the project has.
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

    /// - Throws: `CloudError.quotaExceeded` for more items than the project's servers may have.
    static func requireMetadata(_ count: Int, of project: String, in tx: Transaction) throws {
        let most = try QuotaStore().limit(.metadataItems, project: project, user: nil, in: tx)
        guard most >= 0, count > most else { return }
        throw CloudError(.quotaExceeded, "Maximum number of metadata items exceeds \(most)")
    }

    /// The same for the items that a user gives to an image.
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

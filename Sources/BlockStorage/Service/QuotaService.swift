import CloudCore
import SQL

/// The quotas of projects and of quota classes, with a few more for each type.
struct QuotaService: Sendable {
    let context: BlockStorageContext
    private let quotas = QuotaStore()
    private let types = VolumeTypeStore()

    struct Entry: Sendable {
        var name: String
        var limit: Int
        var used: Int
    }

    /// Returns the quotas of a project in the order in which the API shows them.
    func entries(of project: String) async throws -> [Entry] {
        try await context.read { tx in try entries(of: project, in: tx) }
    }

    private func entries(of project: String, in tx: Transaction) throws -> [Entry] {
        var limits = try quotas.limits(ofClass: QuotaStore.defaultClass, in: tx)
        limits.merge(try quotas.limits(of: project, in: tx)) { _, new in new }
        let usage = try quotas.usage(of: project, in: tx)
        return try names(in: tx).map { name, key, usual in
            Entry(name: name, limit: limits[name] ?? usual, used: usage[key] ?? 0)
        }
    }

    /// Returns the limits of a project for which nothing is set.
    func defaults() async throws -> [Entry] { try await entries(ofClass: QuotaStore.defaultClass) }

    func entries(ofClass name: String) async throws -> [Entry] {
        try await context.read { tx in try entries(ofClass: name, in: tx) }
    }

    private func entries(ofClass name: String, in tx: Transaction) throws -> [Entry] {
        let limits = try quotas.limits(ofClass: name, in: tx)
        return try names(in: tx).map { name, _, usual in Entry(name: name, limit: limits[name] ?? usual, used: 0) }
    }

    /// Returns the names of all limits, each with the name of its use and its usual limit. Operators make types by
    /// hand, so there are few.
    private func names(in tx: Transaction) throws -> [(name: String, key: String, usual: Int)] {
        let whole = QuotaResource.allCases.map { ($0.rawValue, $0.rawValue, $0.usual) }
        let ofTypes = try types.list(.init(), in: tx).sorted { $0.name < $1.name }.flatMap { type in
            QuotaResource.ofTypes.map { ($0.of(type.name), "\($0.rawValue)_\(type.id)", -1) }
        }
        return (whole + ofTypes).map { (name: $0.0, key: $0.1, usual: $0.2) }
    }

    /// Sets limits of a project.
    ///
    /// - Throws: `badRequest` for a name that is no resource, and for a limit below the present use.
    func update(_ limits: [(name: String, limit: Int)], of project: String) async throws -> [Entry] {
        try await context.write { tx in
            let present = try entries(of: project, in: tx)
            try Self.check(limits.map(\.name), known: present, "quota set")
            for (name, limit) in limits {
                let used = present.first { $0.name == name }?.used ?? 0
                guard limit == -1 || name == QuotaResource.perVolume.rawValue || limit >= used else {
                    throw CloudError.badRequest(
                        "Quota \(name) limit must be equal or greater than existing resources. Current usage is "
                            + "\(used) and the requested limit is \(limit).")
                }
                try quotas.set(name, to: limit, project: project, in: tx)
            }
            return try entries(of: project, in: tx)
        }
    }

    func update(_ limits: [(name: String, limit: Int)], ofClass name: String) async throws -> [Entry] {
        try await context.write { tx in
            try Self.check(limits.map(\.name), known: try entries(ofClass: name, in: tx), "quota class set")
            for (resource, limit) in limits { try quotas.set(resource, to: limit, inClass: name, in: tx) }
            return try entries(ofClass: name, in: tx)
        }
    }

    private static func check(_ names: [String], known: [Entry], _ what: String) throws {
        let bad = names.filter { name in !known.contains { $0.name == name } }
        guard bad.isEmpty else {
            throw VolumeRefusal.input(
                "Bad key(s) in \(what): \(bad.map { String($0.prefix(255)) }.joined(separator: ", "))")
        }
    }

    func delete(of project: String) async throws {
        try await context.write { tx in try quotas.delete(project: project, in: tx) }
    }
}

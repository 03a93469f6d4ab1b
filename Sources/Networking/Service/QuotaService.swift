import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// The quotas of projects, and their use.
struct QuotaService: Sendable {
    let networking: NetworkingContext

    struct Line: Sendable {
        let resource: String
        let limit: Int64
        var used: Int64 = 0
    }

    /// Asks the policy only about other projects: a caller with a role in a project may read its quotas and their use.
    private func requireLook(at project: String, _ caller: Principal) throws {
        if caller.project.isEmpty || project != caller.project { try require("get", project, caller) }
    }

    private func require(_ verb: String, _ project: String, _ caller: Principal) throws {
        try networking.policy.require(Action("\(verb)_quota"), caller, ["project_id": project, "tenant_id": project])
    }

    func all(by caller: Principal) async throws -> [(project: String, lines: [Line])] {
        try require("get", "", caller)
        return try await networking.read { tx in
            try QuotaStore.projects(in: tx).map { project in (project, try Self.lines(of: project, in: tx)) }
        }
    }

    func get(_ project: String, by caller: Principal) async throws -> [Line] {
        try requireLook(at: project, caller)
        return try await networking.read { tx in try Self.lines(of: project, in: tx) }
    }

    func defaults(_ project: String, by caller: Principal) throws -> [Line] {
        try requireLook(at: project, caller)
        return QuotaStore.defaults.map { Line(resource: $0.resource, limit: $0.limit) }
    }

    /// Returns the limits, each with its use.
    func details(_ project: String, by caller: Principal) async throws -> [Line] {
        try requireLook(at: project, caller)
        return try await networking.read { tx in
            let used = try QuotaStore.used(by: project, in: tx)
            return try QuotaStore.limits(of: project, in: tx).map { one in
                Line(resource: one.resource, limit: one.limit, used: used[one.resource] ?? 0)
            }
        }
    }

    func update(_ project: String, _ body: JSONObject, by caller: Principal) async throws -> [Line] {
        try require("update", project, caller)
        guard let given = body["quota"]?.object else { throw CloudError.badRequest("Unable to find 'quota' in request body") }
        var wanted: [(String, Int64)] = []
        var isForced = false
        for (key, value) in given.members {
            let value = Shape.number.converted(value)
            if key == "force" || key == "check_limit" {
                isForced = isForced || (key == "force" && Shape.boolean.converted(value) == true)
                continue
            }
            if key == "tenant_id" || key == "project_id" { continue }
            guard QuotaStore.defaults.contains(where: { $0.resource == key }) else { throw CloudError.badRequest("Unrecognized attribute(s) '\(key.prefix(64))'") }
            guard let limit = value.integer, limit >= -1, limit <= Int64(Int32.max) else {
                throw CloudError.badRequest("Invalid input for \(key). Reason: '\(value.text.prefix(64))' is not a number of at least -1.")
            }
            wanted.append((key, limit))
        }
        let changes = wanted
        return try await networking.write { tx in
            for (resource, limit) in changes { try QuotaStore.set(resource, of: project, to: limit, in: tx) }
            return try Self.lines(of: project, in: tx)
        }
    }

    func remove(_ project: String, by caller: Principal) async throws {
        try require("delete", project, caller)
        let wasThere = try await networking.write { tx in try QuotaStore.remove(project, in: tx) }
        guard wasThere else {
            throw CloudError.networking(.notFound, "TenantQuotaNotFound", "Quota for project \(project) could not be found.")
        }
    }

    private static func lines(of project: String, in tx: Transaction) throws -> [Line] {
        try QuotaStore.limits(of: project, in: tx).map { Line(resource: $0.resource, limit: $0.limit) }
    }
}

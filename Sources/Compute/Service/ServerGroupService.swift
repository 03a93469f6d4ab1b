import CloudCore
import SQL

/// Server groups of projects.
struct ServerGroupService: Sendable {
    let context: ComputeContext
    private let groups = ServerGroupStore()

    static func missing(_ id: some CustomStringConvertible) -> CloudError { .notFound("Instance group \(id) could not be found.") }

    private func require(_ id: ID<ServerGroup>, in tx: Transaction) throws -> ServerGroup {
        guard let group = try groups.find(id, in: tx) else { throw Self.missing(id) }
        return group
    }

    func get(_ id: ID<ServerGroup>, by caller: Caller) async throws -> ServerGroup {
        let group = try await context.read { tx in try require(id, in: tx) }
        // To a caller who may not see it, the group of another project does not exist.
        guard caller.may(.showServerGroup, projectID: group.projectID) else {
            throw group.projectID == caller.projectID ? CloudError.forbidden("Policy doesn't allow this.") : Self.missing(id)
        }
        return group
    }

    func list(all: Bool, _ page: Page, by caller: Caller) async throws -> [ServerGroup] {
        let all = all && caller.isAdministrator
        if all { try caller.require(.listAllServerGroups) }
        return try paged(try await context.read { tx in try groups.list(of: all ? nil : caller.projectID, in: tx) }, page) { $0.id.text }
    }

    func create(_ name: String, _ policy: ServerGroup.Policy, mostPerHost: Int?, by caller: Caller) async throws -> ServerGroup {
        let group = ServerGroup(
            id: ID(context.world.random.uuid()), projectID: caller.projectID, userID: caller.userID, name: name, policy: policy,
            mostPerHost: mostPerHost, createdAt: context.world.now)
        return try await context.write { tx in
            let quotas = QuotaStore()
            for user in [nil, caller.userID] {
                let limit = try quotas.limit(.serverGroups, project: caller.projectID, user: user, in: tx)
                if limit >= 0, try groups.count(of: caller.projectID, user: user, in: tx) >= limit {
                    throw CloudError(.quotaExceeded, "Quota exceeded, too many server groups.")
                }
            }
            try groups.insert(group, in: tx)
            return group
        }
    }

    func delete(_ id: ID<ServerGroup>, by caller: Caller) async throws {
        try await context.write { tx in
            let group = try require(id, in: tx)
            guard caller.may(.deleteServerGroup, projectID: group.projectID) else {
                try caller.require(.deleteServerGroup)
                throw Self.missing(id)
            }
            try groups.delete(id, in: tx)
        }
    }
}

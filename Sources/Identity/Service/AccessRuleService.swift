import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// The access rules: the requests that application credentials may make.
struct AccessRuleService: IdentityService {
    typealias R = AccessRule

    let identity: IdentityContext
    private let credentials = ApplicationCredentialStore()

    func list(of user: ID<Kind.User>, _ query: Query, by caller: Principal) async throws -> (rows: [AccessRule], hasMore: Bool) {
        var asked = try AccessRule.schema.query(from: query)
        asked.filter("user_id", .equals, user)
        let list = asked
        return try await context.read { tx in
            try authorise(.listAccessRules, user, by: caller, in: tx)
            return try store.page(list, in: tx)
        }
    }

    func get(_ id: ID<AccessRule>, of user: ID<Kind.User>, by caller: Principal) async throws -> AccessRule {
        try await context.read { tx in
            try authorise(.getAccessRule, user, by: caller, in: tx)
            return try require(id, of: user, in: tx)
        }
    }

    func delete(_ id: ID<AccessRule>, of user: ID<Kind.User>, by caller: Principal) async throws {
        try await context.write { tx in
            try authorise(.deleteAccessRule, user, by: caller, in: tx)
            _ = try require(id, of: user, in: tx)
            // A credential without rules may call everything, so a rule in use must stay.
            guard try !credentials.isUsed(id, in: tx) else { throw CloudError.forbidden("May not delete access rule in use") }
            try store.delete(id, in: tx)
        }
    }

    private func authorise(_ action: Action, _ user: ID<Kind.User>, by caller: Principal, in tx: Transaction) throws {
        try context.policy.require(action, caller, try UserService(identity: identity).pathTarget(user, in: tx))
        try caller.requireManagingCredentials()
    }

    private func require(_ id: ID<AccessRule>, of user: ID<Kind.User>, in tx: Transaction) throws -> AccessRule {
        guard let rule = try store.find(id, in: tx), rule.userID == user else { throw CloudError.notFound("access rule", id.text) }
        return rule
    }
}

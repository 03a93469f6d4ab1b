import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// Roles, and which imply which.
struct RoleService: ResourceService {
    typealias R = Role

    let identity: IdentityContext

    init(identity: IdentityContext) { self.identity = identity }

    var context: ServiceContext { identity.base }

    func conflict(with role: Role) -> CloudError { .conflict("A role named '\(role.name)' exists already.") }

    /// Rules tell global roles from a domain's by the domain's absence, so here its null counts.
    func target(_ role: Role, in tx: Transaction) throws -> PolicyTarget { Self.policyTarget(role) }

    static func policyTarget(_ role: Role) -> PolicyTarget {
        ["target.role.id": role.id.text, "target.role.name": role.name, "target.role.domain_id": role.domainID?.text]
    }

    func create(_ body: JSONObject, by caller: Principal) async throws -> Role {
        var (role, _) = try Role.schema.new(from: body)
        role.id = newID()
        role.options = role.options.withoutNulls
        let action: Action = role.domainID == nil ? .createRole : .createDomainRole
        let made = role
        return try await refusingDuplicates(of: made) {
            try await context.write { tx in
                try context.policy.require(action, caller, try target(made, in: tx))
                if let domain = made.domainID { try tx.requireDomain(domain) }
                try store.insert(made, in: tx)
                return made
            }
        }
    }

    /// A domain's roles have actions of their own.
    func authorised(_ verb: String, _ id: ID<Kind.Role>, by caller: Principal, in tx: Transaction) throws -> Role {
        let found = try store.find(id, in: tx)
        let noun = found?.domainID == nil ? "role" : "domain_role"
        try context.policy.require(context.action("\(verb)_\(noun)"), caller, try found.map { try target($0, in: tx) } ?? [:])
        guard let found else { throw CloudError.notFound("role", id.text) }
        return found
    }

    func get(_ id: ID<Kind.Role>, by caller: Principal) async throws -> Role {
        try await context.read { tx in try authorised("get", id, by: caller, in: tx) }
    }

    func update(_ id: ID<Kind.Role>, _ body: JSONObject, by caller: Principal) async throws -> Role {
        let given = try Role.schema.changes(from: body)
        return try await refusingDuplicates(of: nil) {
            try await context.write { tx in
                let old = try authorised("update", id, by: caller, in: tx)
                try Role.schema.checkFixed(given, of: old)
                try Immutability.checkUpdate(old.isImmutable, given, "role", id.text)
                var role = old
                try Role.schema.apply(given, to: &role)
                role.options = role.options.merged(into: old.options)
                try store.update(role, in: tx)
                return role
            }
        }
    }

    func delete(_ id: ID<Kind.Role>, by caller: Principal) async throws {
        try await context.write { tx in
            let role = try authorised("delete", id, by: caller, in: tx)
            try Immutability.checkDelete(role.isImmutable, "role", id.text)
            try ApplicationCredentialStore().deleteAll(with: id, in: tx)
            try store.delete(id, in: tx)
        }
    }

    /// Without a domain the list has the global roles alone.
    func list(_ query: Query, by caller: Principal) async throws -> (rows: [Role], hasMore: Bool) {
        let domain = query["domain_id"]
        try context.policy.require(domain == nil ? .listRoles : .listDomainRoles, caller)
        var asked = try Role.schema.query(from: query)
        if domain == nil { asked.raw.append(("domain_id IS NULL", [])) }
        let list = asked
        return try await context.read { tx in try store.page(list, in: tx) }
    }

    // MARK: Implied roles

    struct Inference: Sendable {
        var prior: Role
        var implied: [Role]
    }

    func inferences(of prior: ID<Kind.Role>, by caller: Principal) async throws -> Inference {
        try context.policy.require(.listImpliedRoles, caller)
        return try await context.read { tx in
            Inference(prior: try store.require(prior, in: tx), implied: try implied(by: prior, in: tx))
        }
    }

    func allInferences(by caller: Principal) async throws -> [Inference] {
        try context.policy.require(.listRoleInferenceRules, caller)
        return try await context.read { tx in
            try store.all(in: tx).map { Inference(prior: $0, implied: try implied(by: $0.id, in: tx)) }.filter { !$0.implied.isEmpty }
        }
    }

    func inference(_ prior: ID<Kind.Role>, _ implied: ID<Kind.Role>, _ action: Action, by caller: Principal) async throws -> Inference {
        try context.policy.require(action, caller)
        return try await context.read { tx in
            let pair = (try store.require(prior, in: tx), try store.require(implied, in: tx))
            guard try self.implied(by: prior, in: tx).contains(where: { $0.id == implied }) else {
                throw CloudError.notFound("\(prior) does not imply \(implied).")
            }
            return Inference(prior: pair.0, implied: [pair.1])
        }
    }

    func imply(_ prior: ID<Kind.Role>, _ implied: ID<Kind.Role>, by caller: Principal) async throws -> Inference {
        try context.policy.require(.createImpliedRole, caller)
        return try await context.write { tx in
            let (first, second) = (try store.require(prior, in: tx), try store.require(implied, in: tx))
            // Whoever may give one role must not give themselves the cloud by it.
            guard second.name != "admin" else { throw CloudError.forbidden("Unable to imply the role admin.") }
            if first.domainID == nil, second.domainID != nil { throw CloudError.forbidden("A global role cannot imply a domain's role.") }
            try ImpliedRoleStore().insert(.init(prior: prior, implied: implied), in: tx)
            return Inference(prior: first, implied: [second])
        }
    }

    func unimply(_ prior: ID<Kind.Role>, _ implied: ID<Kind.Role>, by caller: Principal) async throws {
        try context.policy.require(.deleteImpliedRole, caller)
        try await context.write { tx in
            guard try ImpliedRoleStore().delete(.init(prior: prior, implied: implied), in: tx) else {
                throw CloudError.notFound("\(prior) does not imply \(implied).")
            }
        }
    }

    private func implied(by prior: ID<Kind.Role>, in tx: Transaction) throws -> [Role] {
        var query = ListQuery()
        query.raw.append(ImpliedRoleStore.roles(impliedBy: prior))
        return try store.all(query, in: tx)
    }
}

import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// The roles, and the rules by which they imply each other.
struct RoleService: IdentityService {
    typealias R = Role

    let identity: IdentityContext

    func conflict(with role: Role) -> CloudError { .conflict("A role named '\(role.name)' exists already.") }

    /// The domain id is in the target even if it is null, because rules recognise global roles by the null.
    static func target(_ role: Role) -> PolicyTarget {
        ["target.role.id": role.id.text, "target.role.name": role.name, "target.role.domain_id": role.domainID?.text]
    }

    /// Returns the action of a verb. The roles of domains have actions of their own.
    func action(_ verb: String, _ role: Role?) -> Action {
        context.action("\(verb)_\(role?.domainID == nil ? "role" : "domain_role")")
    }

    func listAction(_ query: Query) -> Action { query["domain_id"] == nil ? .listRoles : .listDomainRoles }

    /// Restricts the list to global roles if the query names no domain.
    func narrow(_ list: inout ListQuery, _ query: Query, by caller: Principal, in tx: Transaction) throws {
        if query["domain_id"] == nil { list.raw.append(("domain_id IS NULL", [])) }
    }

    func complete(_ role: inout Role, _ given: Given<Role>, by caller: Principal) throws {
        role.options = role.options.withoutNulls
    }

    func willCreate(_ role: inout Role, _ given: Given<Role>, by caller: Principal, in tx: Transaction) throws {
        if let domain = role.domainID { try tx.requireDomain(domain) }
    }

    func willUpdate(_ role: inout Role, from old: Role, _ given: Given<Role>, by caller: Principal, in tx: Transaction) throws {
        try Immutability.checkUpdate(old.isImmutable, given.has(\.options) ? role.options : nil, "role", old.id.text)
        role.options = role.options.merged(into: old.options)
    }

    func willDelete(_ role: Role, by caller: Principal, in tx: Transaction) throws {
        try Immutability.checkDelete(role.isImmutable, "role", role.id.text)
        try ApplicationCredentialStore().deleteAll(with: role.id, in: tx)
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
            // Otherwise a caller who may grant one role could gain the role `admin` with it.
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

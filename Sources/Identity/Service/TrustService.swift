import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// The trusts: delegations of roles from one user to another, and their redelegation.
struct TrustService: IdentityService {
    typealias R = Trust

    let identity: IdentityContext
    private let trusts = TrustStore()
    private let users = ResourceStore<User>()
    private let projects = ResourceStore<Project>()
    private let directory = RoleDirectory()
    private let assignments = AssignmentStore()
    private let revocations = RevocationStore()

    func conflict(with trust: Trust) -> CloudError {
        .conflict("The same trust, on the same project and with the same end, exists already.")
    }

    private static let act = "manage trusts"

    // MARK: Create

    func create(_ body: JSONObject, by caller: Principal) async throws -> (trust: Trust, roles: [Role]) {
        var (made, given) = try Trust.schema.new(from: body)
        made.id = newID()
        let asked = given.roles
        let isRedelegable = given.isRedelegable == true && made.redelegationCount != 0
        if let end = made.expiresAt, end < context.world.now { throw Shape.wrong("trust/expires_at", "it lies in the past") }
        let complete = made
        return try await write(about: complete) { tx in
            var trust = complete
            try context.policy.require(.createTrust, caller, Self.target(trust))
            try caller.requirePrimaryMethod(to: Self.act)
            guard trust.projectID == nil || !asked.isEmpty else {
                throw CloudError.forbidden("At least one role must be handed on.")
            }
            // This holds even if an operator's policy is laxer: nobody creates trusts in another user's name.
            guard caller.userID == trust.trustorID else {
                throw CloudError.forbidden("The authenticated user should match the trustor.")
            }
            guard try users.find(trust.trusteeID, in: tx) != nil else { throw CloudError.notFound("user", trust.trusteeID.text) }
            try requireRoom(for: trust.trustorID, in: tx)
            trust.roleIDs = try directory.ids(of: asked, in: tx)
            try checkTrustor(of: trust, in: tx)
            let source = try caller.trust.map { try usable($0.id, in: tx) }
            if let named = trust.redelegatedTrustID, named != source?.id {
                throw CloudError.forbidden("A trust can be handed on with a token of that trust only.")
            }
            try settleCount(of: &trust, isRedelegable: isRedelegable, source)
            if let source { try redelegate(&trust, source, in: tx) }
            try trusts.insert(trust, in: tx)
            return (trust, try directory.roles(trust.roleIDs, in: tx))
        }
    }

    /// Throws if the trustor has given too many trusts. Trusts that have ended are removed first, if that helps: nobody
    /// else can remove them.
    ///
    /// - Throws: `CloudError.forbidden` if the trustor has as many trusts as allowed.
    private func requireRoom(for trustor: ID<Kind.User>, in tx: Transaction) throws {
        let most = Limits.owner.trusts.most
        if try trusts.count(of: trustor, in: tx) >= most {
            try trusts.removeEnded(of: trustor, at: context.world.now, in: tx)
        }
        try IdentityContext.requireRoom(trusts.count(of: trustor, in: tx), most: most, "trusts")
    }

    /// Throws if the trustor does not have all roles of the trust.
    private func checkTrustor(of trust: Trust, in tx: Transaction) throws {
        var held: Set<ID<Kind.Role>> = []
        if let project = trust.projectID {
            guard try projects.find(project, in: tx) != nil else { throw CloudError.notFound("project", project.text) }
            held = try assignments.effectiveRoleIDs(of: trust.trustorID, on: .project(project), in: tx)
        }
        if let missing = trust.roleIDs.subtracting(held).min() { throw CloudError.notFound("role", missing.text) }
    }

    /// Sets the number of times that the trust can be redelegated.
    private func settleCount(of trust: inout Trust, isRedelegable: Bool, _ source: Trust?) throws {
        guard isRedelegable else {
            trust.redelegationCount = 0
            return
        }
        let deepest = identity.settings.redelegationDepth
        if let count = trust.redelegationCount, count > deepest {
            throw CloudError.forbidden("Requested redelegation depth of \(count) is greater than allowed \(deepest).")
        }
        guard trust.remainingUses == nil else {
            throw CloudError.badRequest("remaining_uses must not be set if redelegation is allowed.")
        }
        guard let source else {
            trust.redelegationCount = trust.redelegationCount ?? deepest
            return
        }
        let left = (source.redelegationCount ?? 0) - 1
        if let count = trust.redelegationCount, count != left {
            throw CloudError.forbidden("Modifying redelegation_count upon redelegation is forbidden. Leave it out.")
        }
        trust.redelegationCount = left
    }

    /// Checks that the new trust is within the bounds of each trust in the chain that it is redelegated from.
    private func redelegate(_ trust: inout Trust, _ source: Trust, in tx: Transaction) throws {
        trust.redelegatedTrustID = source.id
        let deepest = identity.settings.redelegationDepth
        for link in try trusts.chain(from: source, in: tx) {
            let count = link.redelegationCount ?? 0
            guard count > 0, count <= deepest else {
                throw CloudError.forbidden("Remaining redelegation depth of \(count) out of allowed range of [0..\(deepest)].")
            }
            guard trust.remainingUses == nil else {
                throw CloudError.forbidden("remaining_uses must not be set in order to redelegate a trust.")
            }
            if let end = link.expiresAt {
                trust.expiresAt = trust.expiresAt ?? end
                guard let asked = trust.expiresAt, asked <= end else {
                    throw CloudError.forbidden("Requested expiration time is more than redelegated trust can provide.")
                }
            }
            guard trust.roleIDs.isSubset(of: link.roleIDs) else {
                throw CloudError.forbidden("Some of requested roles are not in redelegated trust.")
            }
            // The same role on another project is another right.
            guard trust.projectID == link.projectID else {
                throw CloudError.forbidden("A redelegated trust is on the project of the trust that it is handed on from.")
            }
            guard link.impersonates || !trust.impersonates else {
                throw CloudError.forbidden("Impersonation is not allowed because the trust \(link.id) does not specify it.")
            }
        }
    }

    // MARK: Read and delete

    func list(_ query: Query, by caller: Principal) async throws -> Shown<Trust> {
        if let trustor = query["trustor_user_id"] {
            try context.policy.require(.listTrustsForTrustor, caller, ["target.trust.trustor_user_id": trustor])
        } else if let trustee = query["trustee_user_id"] {
            try context.policy.require(.listTrustsForTrustee, caller, ["target.trust.trustee_user_id": trustee])
        } else {
            try context.policy.require(.listTrusts, caller)
        }
        try caller.requirePrimaryMethod(to: Self.act)
        let asked = try Trust.schema.query(from: query)
        return try await context.read { tx in try store.shown(asked, in: tx) }
    }

    func get(_ id: ID<Kind.Trust>, _ action: Action = .getTrust, by caller: Principal) async throws -> (trust: Trust, roles: [Role]) {
        try await context.read { tx in
            let trust = try authorised(action, id, by: caller, in: tx)
            return (trust, try directory.roles(trust.roleIDs, in: tx))
        }
    }

    func role(_ role: ID<Kind.Role>, of id: ID<Kind.Trust>, by caller: Principal) async throws -> Role {
        let roles = try await get(id, .getRoleForTrust, by: caller).roles
        guard let found = roles.first(where: { $0.id == role }) else { throw CloudError.notFound("role", role.text) }
        return found
    }

    /// Deletes a trust and all trusts that were redelegated from it. Their tokens are invalid from the commit on. The
    /// events inform services that cache tokens.
    func delete(_ id: ID<Kind.Trust>, by caller: Principal) async throws {
        try identity.countRevocation(by: caller.userID)
        try await context.write { tx in
            _ = try authorised(.deleteTrust, id, by: caller, in: tx)
            for ended in [id] + (try trusts.below(id, in: tx)) {
                var event = Revocation(id: context.world.random.hexID(), at: context.world.now)
                event.trustID = ended
                try revocations.insert(event, in: tx)
            }
            try store.delete(id, in: tx)
        }
    }

    /// Returns the trust, if the caller may do this to it. Unlike elsewhere, a missing trust is a 404 before the policy
    /// is asked.
    private func authorised(_ action: Action, _ id: ID<Kind.Trust>, by caller: Principal, in tx: Transaction) throws -> Trust {
        let trust = try usable(id, in: tx)
        try context.policy.require(action, caller, Self.target(trust))
        try caller.requirePrimaryMethod(to: Self.act)
        return trust
    }

    /// Returns a trust that can still be used.
    ///
    /// - Throws: `CloudError.notFound` if it or a trust that it was redelegated from has ended; `.forbidden` if a user
    /// who redelegated it is disabled.
    func usable(_ id: ID<Kind.Trust>, in tx: Transaction) throws -> Trust {
        let now = context.world.now
        guard let trust = try trusts.find(id, in: tx) else { throw CloudError.notFound("trust", id.text) }
        let chain = try trusts.chain(from: trust, in: tx)
        guard chain.allSatisfy({ $0.isUsable(at: now) }) else { throw CloudError.notFound("trust", id.text) }
        for source in chain.dropFirst() where try users.find(source.trusteeID, in: tx)?.isEnabled != true {
            throw CloudError.forbidden("One of the trust agents is disabled or deleted.")
        }
        return trust
    }
}

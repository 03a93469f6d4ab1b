import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// The groups and their members.
struct GroupService: IdentityService {
    typealias R = Group

    let identity: IdentityContext
    private let assignments = AssignmentStore()
    private let memberships = MembershipStore()
    private let users = ResourceStore<User>()

    func conflict(with group: Group) -> CloudError { .conflict("A group named '\(group.name)' exists in the domain already.") }

    func complete(_ group: inout Group, _ given: Given<Group>, by caller: Principal) throws {
        if !given.has(\.domainID) { group.domainID = try identity.domain(for: caller) }
    }

    func willCreate(_ group: inout Group, _ given: Given<Group>, by caller: Principal, in tx: Transaction) throws {
        try tx.requireDomain(group.domainID)
    }

    func willDelete(_ group: Group, by caller: Principal, in tx: Transaction) throws {
        try assignments.deleteAll(of: .group(group.id), in: tx)
    }

    func listTarget(_ query: Query, by caller: Principal) -> PolicyTarget {
        caller.domainID.map { ["target.domain_id": $0.text, "target.group.domain_id": $0.text] } ?? [:]
    }

    func narrow(_ list: inout ListQuery, _ query: Query, by caller: Principal, in tx: Transaction) throws {
        if let domain = caller.domainID { list.filter("domain_id", .equals, domain) }
    }

    // MARK: Members

    func members(of id: ID<Kind.Group>, _ query: Query, by caller: Principal) async throws -> [User] {
        let asked = try User.schema.query(from: query)
        return try await context.read { tx in
            let found = try store.find(id, in: tx)
            try context.policy.require(.listUsersInGroup, caller, found.map(Self.target) ?? [:])
            _ = try store.require(id, in: tx)
            var list = asked
            try UserService(identity: identity).narrow(&list, query, by: caller, in: tx)
            list.raw.append(MembershipStore.users(in: id))
            return try users.all(list, in: tx)
        }
    }

    func groups(of id: ID<Kind.User>, _ query: Query, by caller: Principal) async throws -> [Group] {
        let asked = try Group.schema.query(from: query)
        return try await context.read { tx in
            try context.policy.require(.listGroupsForUser, caller, try UserService(identity: identity).pathTarget(id, in: tx))
            _ = try users.require(id, in: tx)
            var list = asked
            try narrow(&list, query, by: caller, in: tx)
            list.raw.append(MembershipStore.groups(of: id))
            return try store.all(list, in: tx)
        }
    }

    func check(_ user: ID<Kind.User>, in group: ID<Kind.Group>, by caller: Principal) async throws {
        try await context.read { tx in
            try authorise(.checkUserInGroup, user, group, by: caller, in: tx)
            guard try memberships.has(user, in: group, tx) else {
                throw CloudError.notFound("User '\(user)' not found in group '\(group)'.")
            }
        }
    }

    func add(_ user: ID<Kind.User>, to group: ID<Kind.Group>, by caller: Principal) async throws {
        try await context.write { tx in
            try authorise(.addUserToGroup, user, group, by: caller, in: tx)
            try memberships.add(user, to: group, tx)
        }
    }

    func remove(_ user: ID<Kind.User>, from group: ID<Kind.Group>, by caller: Principal) async throws {
        try await context.write { tx in
            try authorise(.removeUserFromGroup, user, group, by: caller, in: tx)
            guard try memberships.remove(user, from: group, tx) else {
                throw CloudError.notFound("User '\(user)' not found in group '\(group)'.")
            }
            // The group's roles end with the membership. The tokens that were issued until now end as well.
            try UserService(identity: identity).revokeTokens(of: user, in: tx)
        }
    }

    private func authorise(
        _ action: Action, _ user: ID<Kind.User>, _ group: ID<Kind.Group>, by caller: Principal, in tx: Transaction
    ) throws {
        let (foundUser, foundGroup) = (try users.find(user, in: tx), try store.find(group, in: tx))
        var target = PolicyTarget()
        if let foundUser, let foundGroup {
            target.set("target.user.id", to: foundUser.id.text)
            target.set("target.user.domain_id", to: foundUser.domainID.text)
            target.set("target.group.domain_id", to: foundGroup.domainID.text)
        }
        try context.policy.require(action, caller, target)
        guard foundUser != nil else { throw CloudError.notFound("user", user.text) }
        guard foundGroup != nil else { throw CloudError.notFound("group", group.text) }
    }
}

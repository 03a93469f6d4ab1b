import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// The list of role assignments, either as they were granted or as they take effect.
struct RoleAssignmentService: Sendable {
    /// The filters and options in a list's URL.
    struct Wish: Sendable {
        var userID: ID<Kind.User>?
        var groupID: ID<Kind.Group>?
        var roleID: ID<Kind.Role>?
        var domainID: ID<Kind.Domain>?
        var projectID: ID<Kind.Project>?
        var isSystem = false
        var isInherited: Bool?
        var isEffective = false
        var includesSubtree = false
        var includesNames = false

        init(_ query: Query) throws {
            userID = query["user.id"].map { ID($0) }
            groupID = query["group.id"].map { ID($0) }
            roleID = query["role.id"].map { ID($0) }
            domainID = query["scope.domain.id"].map { ID($0) }
            projectID = query["scope.project.id"].map { ID($0) }
            isSystem = query.has("scope.system")
            isInherited = query["scope.OS-INHERIT:inherited_to"].map { $0 == "projects" }
            isEffective = Self.isTrue(query, "effective")
            includesSubtree = Self.isTrue(query, "include_subtree")
            includesNames = Self.isTrue(query, "include_names")
            try check()
        }

        /// Tells whether a parameter is on. It is on without a value, and with any value but `0`, `false`, `no` and
        /// `off`.
        private static func isTrue(_ query: Query, _ name: String) -> Bool {
            query[name].map { !["0", "false", "no", "off"].contains($0.lowercased()) } ?? false
        }

        private func check() throws {
            let scopes = [domainID != nil, projectID != nil, isSystem].filter { $0 }.count
            guard scopes <= 1 else { throw CloudError.badRequest("Specify one of domain, project and system, not more.") }
            guard userID == nil || groupID == nil else { throw CloudError.badRequest("Specify a user or group, not both.") }
            if isEffective {
                guard groupID == nil else {
                    throw CloudError.badRequest("Combining effective and group filter will always result in an empty list.")
                }
                guard isInherited != true || domainID == nil else {
                    throw CloudError.badRequest("Combining effective, domain and inherited filters will always result in an empty list.")
                }
            }
            guard !includesSubtree || projectID != nil else {
                throw CloudError.badRequest("scope.project.id must be specified if include_subtree is also specified.")
            }
        }
    }

    /// An assignment, with its origin if it was not granted in this form.
    struct Entry: Sendable {
        var assignment: Assignment
        /// The group that the user has the role from.
        var group: ID<Kind.Group>?
        /// The target of the inherited grant that the assignment follows from.
        var source: Assignment.Target?
        /// The role that implies this one.
        var priorRole: ID<Kind.Role>?
    }

    /// Names by id, with their domains.
    struct Names: Sendable {
        typealias Name = NameStore.Name

        var users: [String: Name] = [:]
        var groups: [String: Name] = [:]
        var roles: [String: Name] = [:]
        var projects: [String: Name] = [:]
    }

    let identity: IdentityContext
    private let store = AssignmentStore()
    private let tree = ProjectTree()

    func list(_ wish: Wish, by caller: Principal) async throws -> (entries: [Entry], names: Names?) {
        try await identity.base.read { tx in
            try authorise(wish, by: caller, in: tx)
            var entries = wish.isEffective ? try effective(wish, in: tx) : try given(wish, in: tx)
            if let domain = caller.domainID { entries = try entries.filter { try isIn(domain, $0.assignment.target, in: tx) } }
            return (entries, wish.includesNames ? try names(of: entries, in: tx) : nil)
        }
    }

    private func authorise(_ wish: Wish, by caller: Principal, in tx: Transaction) throws {
        var target = PolicyTarget()
        if wish.includesSubtree, let id = wish.projectID {
            let project = try ResourceStore<Project>().find(id, in: tx)
            if let domain = project?.domainID {
                target.set("target.domain_id", to: domain.text)
                target.set("target.project.domain_id", to: domain.text)
            }
            target.set("target.project.id", to: id.text)
        } else if let domain = caller.domainID {
            target.set("target.domain_id", to: domain.text)
        }
        try identity.policy.require(wish.includesSubtree ? .listRoleAssignmentsForTree : .listRoleAssignments, caller, target)
    }

    private func isIn(_ domain: ID<Kind.Domain>, _ target: Assignment.Target, in tx: Transaction) throws -> Bool {
        switch target {
        case .domain(let id): id == domain
        case .project(let id): try ResourceStore<Project>().find(id, in: tx)?.domainID == domain
        case .system: false
        }
    }

    // MARK: As given

    private func given(_ wish: Wish, in tx: Transaction) throws -> [Entry] {
        var query = ListQuery()
        if let user = wish.userID {
            query.filter("actor_kind", .equals, "user")
            query.filter("actor_id", .equals, user)
        }
        if let group = wish.groupID {
            query.filter("actor_kind", .equals, "group")
            query.filter("actor_id", .equals, group)
        }
        if let role = wish.roleID { query.filter("role_id", .equals, role) }
        if let inherited = wish.isInherited { query.filter("inherited", .equals, inherited) }
        if wish.isSystem { query.filter("target_kind", .equals, "system") }
        if let domain = wish.domainID {
            query.filter("target_kind", .equals, "domain")
            query.filter("target_id", .equals, domain)
        }
        if let project = wish.projectID {
            query.filter("target_kind", .equals, "project")
            query.filter("target_id", in: try projects(of: project, wish, in: tx))
        }
        return try store.all(query, in: tx).map { Entry(assignment: $0) }
    }

    private func projects(of project: ID<Kind.Project>, _ wish: Wish, in tx: Transaction) throws -> [ID<Kind.Project>] {
        wish.includesSubtree ? [project] + (try tree.below(project, in: tx)) : [project]
    }

    // MARK: As it takes effect

    /// Returns the assignments as they take effect. Groups are replaced by their members, inherited grants by one
    /// assignment for each project that they reach, and implied roles are added. Roles of domains are left out.
    private func effective(_ wish: Wish, in tx: Transaction) throws -> [Entry] {
        var entries = try store.all(ListQuery(), in: tx).flatMap { try members(of: $0, wish, in: tx) }
        entries = try entries.flatMap { try places(of: $0, wish, in: tx) }
        let rules = try ImpliedRoleStore().all(in: tx)
        let domainRoles = try RoleDirectory().domainRoles(in: tx)
        entries = entries.flatMap { Self.implications(of: $0, rules) }.filter { !domainRoles.contains($0.assignment.roleID) }
        if let role = wish.roleID { entries = entries.filter { $0.assignment.roleID == role } }
        return entries
    }

    private func members(of assignment: Assignment, _ wish: Wish, in tx: Transaction) throws -> [Entry] {
        switch assignment.actor {
        case .user(let id): return wish.userID == nil || wish.userID == id ? [Entry(assignment: assignment)] : []
        case .group(let id):
            let members = try MembershipStore().members(of: id, tx)
            return members.filter { wish.userID == nil || wish.userID == $0 }.map { user in
                var single = assignment
                single.actor = .user(user)
                return Entry(assignment: single, group: id)
            }
        }
    }

    private func places(of entry: Entry, _ wish: Wish, in tx: Transaction) throws -> [Entry] {
        let assignment = entry.assignment
        guard assignment.isInherited else {
            guard wish.isInherited != true else { return [] }
            return try isWanted(assignment.target, wish, in: tx) ? [entry] : []
        }
        guard wish.isInherited != false, !wish.isSystem, wish.domainID == nil, assignment.target != .system else { return [] }
        let reached = try tree.below(ID(assignment.target.id), in: tx)
        let wanted = try wish.projectID.map { Set(try projects(of: $0, wish, in: tx)) }
        return reached.filter { wanted?.contains($0) ?? true }.map { project in
            var single = entry
            single.assignment.target = .project(project)
            single.assignment.isInherited = false
            single.source = assignment.target
            return single
        }
    }

    private func isWanted(_ target: Assignment.Target, _ wish: Wish, in tx: Transaction) throws -> Bool {
        if wish.isSystem { return target == .system }
        if let domain = wish.domainID { return target == .domain(domain) }
        if let project = wish.projectID {
            guard case .project(let id) = target else { return false }
            return try projects(of: project, wish, in: tx).contains(id)
        }
        return true
    }

    private static func implications(of entry: Entry, _ rules: [ImpliedRoleStore.Rule]) -> [Entry] {
        var all = [entry]
        var seen: Set<ID<Kind.Role>> = [entry.assignment.roleID]
        var next = 0
        while next < all.count {
            let prior = all[next].assignment.roleID
            for rule in rules where rule.prior == prior && seen.insert(rule.implied).inserted {
                var implied = entry
                implied.assignment.roleID = rule.implied
                implied.priorRole = prior
                all.append(implied)
            }
            next += 1
        }
        return all
    }

    // MARK: Names

    private func names(of entries: [Entry], in tx: Transaction) throws -> Names {
        var names = Names()
        let actors = entries.map(\.assignment.actor)
        func ids(_ kind: String) -> Set<String> { Set(actors.filter { $0.kind == kind }.map(\.id)) }
        let targets = entries.map(\.assignment.target).filter { $0 != .system }
        let store = NameStore()
        names.users = try store.names(of: ids("user"), .users, in: tx)
        names.groups = try store.names(of: ids("group"), .groups, in: tx)
        names.roles = try store.names(of: Set(entries.map(\.assignment.roleID.text)), .roles, in: tx)
        names.projects = try store.names(of: Set(targets.map(\.id)), .projects, in: tx)
        return names
    }
}

import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// The projects, and the tree that they form.
struct ProjectService: IdentityService {
    typealias R = Project

    let identity: IdentityContext
    private let tree = ProjectTree()
    private let removal = Removal()

    func conflict(with project: Project) -> CloudError {
        .conflict("A project named '\(project.name)' exists in the domain already.")
    }

    // MARK: Create

    func complete(_ project: inout Project, _ given: Given<Project>, by caller: Principal) throws {
        project.name = project.name.trimmed
        project.options = project.options.withoutNulls
        guard !project.isDomain, project.domainID == nil, project.parentID == nil else { return }
        project.domainID = try identity.domain(for: caller)
    }

    /// Completes the project's place in the tree from its parent or its domain, whichever the body has.
    func prepare(_ project: inout Project, _ given: Given<Project>, by caller: Principal, in tx: Transaction) throws {
        if !project.isDomain { try place(&project, in: tx) }
    }

    func willCreate(
        _ project: inout Project, _ given: Given<Project>, by caller: Principal, in tx: Transaction
    ) throws {
        if project.isDomain { try checkIsRoot(project) } else { try checkPlace(project, in: tx) }
    }

    /// Completes the domain from the parent, and the parent from the domain.
    private func place(_ project: inout Project, in tx: Transaction) throws {
        if project.domainID == nil, let parentID = project.parentID, let parent = try store.find(parentID, in: tx) {
            project.domainID = parent.isDomain ? parent.id.asDomain : parent.domainID
        }
        if project.parentID == nil { project.parentID = project.domainID?.asProject }
    }

    private func checkIsRoot(_ project: Project) throws {
        guard project.parentID == nil, project.domainID == nil else {
            throw CloudError.badRequest("Only root projects are allowed to act as domains.")
        }
    }

    private func checkPlace(_ project: Project, in tx: Transaction) throws {
        guard let domainID = project.domainID, let parentID = project.parentID else {
            throw CloudError.badRequest("A project needs a domain or a parent.")
        }
        guard try store.find(domainID.asProject, in: tx)?.isDomain == true else {
            throw CloudError.badRequest("Could not find domain: \(domainID).")
        }
        guard let parent = try store.find(parentID, in: tx) else {
            throw CloudError.badRequest("Could not find project: \(parentID).")
        }
        guard (parent.isDomain ? parent.id.asDomain : parent.domainID) == domainID else {
            throw CloudError.badRequest("The parent \(parentID) is not in the domain \(domainID).")
        }
        let above = [parent] + (try tree.projects(try tree.above(parentID, in: tx), in: tx))
        if let disabled = above.first(where: { !$0.isEnabled }) {
            throw CloudError.badRequest("Cannot create a project in a branch containing a disabled project: \(disabled.id).")
        }
        // The domain at the top does not count as a level of its own.
        var deepest = identity.settings.projectTreeDepth
        if identity.settings.limitModel == .strictTwoLevel { deepest = min(deepest, 2) }
        guard above.count <= deepest else {
            throw CloudError.forbidden("Max hierarchy depth reached for \(parentID) branch.")
        }
    }

    // MARK: Update and delete

    func willUpdate(
        _ project: inout Project, from old: Project, _ given: Given<Project>, by caller: Principal, in tx: Transaction
    ) throws {
        project.name = project.name.trimmed
        try Immutability.checkUpdate(old.isImmutable, given.has(\.options) ? project.options : nil, "project", old.id.text)
        project.options = project.options.merged(into: old.options)
        if !old.isEnabled, project.isEnabled,
            try tree.projects(try tree.above(old.id, in: tx), in: tx).contains(where: { !$0.isEnabled })
        {
            throw CloudError.forbidden("Cannot enable project \(old.id) since it has disabled parents.")
        }
        if old.isEnabled, !project.isEnabled, !old.isDomain,
            try tree.projects(try tree.below(old.id, in: tx), in: tx).contains(where: \.isEnabled)
        {
            throw CloudError.forbidden("Cannot disable project \(old.id) since its subtree contains enabled projects.")
        }
        // Tokens on the project stay invalid when it is enabled again.
        if old.isEnabled, !project.isEnabled {
            var event = Revocation(id: context.world.random.hexID(), at: context.world.now)
            event.projectID = old.id
            try RevocationStore().insert(event, in: tx)
        }
    }

    func willDelete(_ project: Project, by caller: Principal, in tx: Transaction) throws {
        try Immutability.checkDelete(project.isImmutable, "project", project.id.text)
        if project.isDomain {
            guard !project.isEnabled else {
                throw CloudError.badRequest(
                    "Cannot delete an enabled project acting as a domain. Please disable the project \(project.id) first.")
            }
            try removal.contents(of: project.id.asDomain, in: tx)
            return
        }
        guard try tree.below(project.id, in: tx).isEmpty else {
            throw CloudError.forbidden("Cannot delete the project \(project.id) since it is not a leaf in the hierarchy.")
        }
        try removal.dependents(of: project.id, in: tx)
    }

    // MARK: Lists

    func listTarget(_ query: Query, by caller: Principal) -> PolicyTarget {
        caller.domainID.map { ["target.domain_id": $0.text] } ?? [:]
    }

    func narrow(_ list: inout ListQuery, _ query: Query, by caller: Principal, in tx: Transaction) throws {
        if let domain = caller.domainID { list.filter("domain_id", .equals, domain) }
        if !query.has("is_domain") { list.filter("is_domain", .equals, false) }
        try TagFilter.apply(query, to: &list)
    }

    /// Returns the projects on which a user has a role.
    func list(of user: ID<Kind.User>, _ query: Query, by caller: Principal) async throws -> [Project] {
        let asked = try Project.schema.query(from: query)
        return try await context.read { tx in
            let target = try UserService(identity: identity).pathTarget(user, in: tx)
            try context.policy.require(.listUserProjects, caller, target)
            _ = try ResourceStore<User>().require(user, in: tx)
            var list = asked
            let projects = try ScopeService(identity: identity).projects(of: user, in: tx)
            list.filter("id", in: projects.map(\.id))
            return try store.all(list, in: tx)
        }
    }

    // MARK: The tree

    enum Kin: Sendable { case none, list, ids }

    struct Family: Sendable {
        var project: Project
        var parents: [Project]
        var subtree: [Project]
    }

    /// Returns a project with those above and below it. Lists of whole projects have only those on which the caller has
    /// a role, as in the reference.
    func family(_ id: ID<Kind.Project>, parents: Kin, subtree: Kin, by caller: Principal) async throws -> Family {
        try await context.read { tx in
            let project = try authorised("get", id, by: caller, in: tx)
            var family = Family(project: project, parents: [], subtree: [])
            if parents != .none { family.parents = try tree.projects(try tree.above(id, in: tx), in: tx) }
            if subtree != .none { family.subtree = try tree.projects(try tree.below(id, in: tx), in: tx) }
            guard parents == .list || subtree == .list else { return family }
            let own = Set(try ScopeService(identity: identity).projects(of: caller.userID, in: tx).map(\.id))
            if parents == .list { family.parents.removeAll { !own.contains($0.id) } }
            if subtree == .list { family.subtree.removeAll { !own.contains($0.id) } }
            return family
        }
    }

    // MARK: Tags

    func tags(of id: ID<Kind.Project>, _ action: Action, by caller: Principal) async throws -> [String] {
        try await context.read { tx in try project(id, action, by: caller, in: tx).tagTexts }
    }

    /// Replaces a project's tags by the result of `change`.
    func changeTags(
        of id: ID<Kind.Project>, _ action: Action, by caller: Principal, _ change: @escaping @Sendable ([String]) throws -> [String]
    ) async throws -> [String] {
        try await context.write { tx in
            var project = try project(id, action, by: caller, in: tx)
            let tags = JSON.array(try change(project.tagTexts).map { .string($0) })
            try Form<[String]>.tags.shape.check(tags, at: "tags")
            project.tags = tags
            try store.update(project, in: tx)
            return project.tagTexts
        }
    }

    private func project(
        _ id: ID<Kind.Project>, _ action: Action, by caller: Principal, in tx: Transaction
    ) throws -> Project {
        let found = try store.find(id, in: tx)
        try context.policy.require(action, caller, found.map(Self.target) ?? [:])
        guard let found else { throw CloudError.notFound("project", id.text) }
        return found
    }
}

extension Project {
    var tagTexts: [String] { tags.array?.compactMap(\.string) ?? [] }
}

/// The filters by tags that projects and domains have: `tags`, `tags-any`, `not-tags`, `not-tags-any`.
enum TagFilter {
    /// The most tags of one filter, as many as a project may have. Each tag makes the statement longer.
    static let most = Limits.list.projectTags.most

    /// Adds the filters of a query to a list.
    ///
    /// - Throws: `CloudError.badRequest` for a filter with too many tags.
    static func apply(_ query: Query, to list: inout ListQuery) throws {
        for (name, joiner, negated) in [("tags", " AND ", false), ("tags-any", " OR ", false), ("not-tags", " AND ", true), ("not-tags-any", " OR ", true)] {
            guard let text = query[name] else { continue }
            let tags = text.split(separator: ",").map(String.init)
            guard !tags.isEmpty else { continue }
            guard tags.count <= most else {
                throw CloudError.badRequest("\(name) has \(tags.count) tags; it may have \(most).")
            }
            // The column has a JSON array in the format of our own writer, so a tag follows either a bracket or a
            // comma.
            let one = "(replace(tags, ?, '') <> tags OR replace(tags, ?, '') <> tags)"
            let sql = "(" + tags.map { _ in one }.joined(separator: joiner) + ")"
            let arguments = tags.flatMap { tag -> [SQLValue] in
                let json = JSON.string(tag).text
                return [.text("[\(json)"), .text(",\(json)")]
            }
            list.raw.append((negated ? "NOT \(sql)" : sql, arguments))
        }
    }
}

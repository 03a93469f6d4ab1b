import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// The manners of all of Networking's nouns: a resource that the caller may not see is reported as missing, attributes
/// have policy rules, and every row has a project, tags, sharing, a revision and a quota. A noun's special behaviour
/// goes into the methods of `ResourceService` and the two here.
protocol NetworkingService<R>: ResourceService where R: NetworkingResource {
    var networking: NetworkingContext { get }

    /// Returns the condition, as SQL over the table, for the rows that a caller without the right to see all may see.
    /// It applies to lists, to one row by its id, and to rows that a body refers to.
    func visible(to caller: Principal) -> (sql: String, arguments: [SQLValue])
    /// Adds the conditions of a filter that is not a column: one of `R.otherFilters`.
    func filter(_ name: String, _ values: [String], _ list: inout ListQuery, by caller: Principal, in tx: Transaction) throws
}

extension NetworkingService {
    var context: ServiceContext { networking.base }
    var attributeRules: AttributeRules { networking.attributeRules }
    var hidesUnseen: Bool { true }
    func newID() -> ID<R.Noun> { networking.newID() }

    // MARK: Bodies

    func bodies(of body: JSONObject) throws -> (given: [Given<R>], isBulk: Bool) { try NetworkingBody.new(from: body) }
    func change(of body: JSONObject) throws -> Given<R> { try NetworkingBody.changes(from: body) }
    func unreadable(_ field: String, _ value: JSON) -> CloudError {
        .badRequest("Invalid input for \(field). Reason: '\(String(value.text.prefix(200)))' is not what it can be.")
    }

    /// Sets the project of a new resource: the caller's own, or the body's if the caller may name another.
    func complete(_ resource: inout R, _ given: Given<R>, by caller: Principal) throws {
        (resource.standard.createdAt, resource.standard.updatedAt) = (networking.world.now, networking.world.now)
        guard let project = given.members["project_id"]?.string else {
            guard !caller.project.isEmpty else { throw CloudError.badRequest("A project_id is required of a caller without a project.") }
            resource.standard.projectID = caller.project
            return
        }
        guard project == caller.project || networking.seesAll(caller) else {
            throw CloudError.badRequest(
                "Specifying 'project_id' other than the authenticated project in request is not allowed for the current user.")
        }
    }

    // MARK: The policy

    static func target(_ resource: R) -> PolicyTarget {
        var target: PolicyTarget = ["project_id": resource.projectID, "tenant_id": resource.projectID]
        if let isShared = resource.sharing { target.set("shared", to: isShared) }
        return target
    }

    /// Returns the action of a verb; a verb that contains an underscore is already the whole name of an action.
    func action(_ verb: String, _ resource: R?) -> Action { Action(verb.contains("_") ? verb : "\(verb)_\(R.schema.singular)") }

    func require(_ action: Action, _ caller: Principal, _ target: PolicyTarget) throws {
        guard networking.policy.allows(action, caller, target) else {
            throw CloudError.networking(.forbidden, "PolicyNotAuthorized", "rule:\(action.name) is disallowed by policy")
        }
    }

    func missing(_ id: ID<R.Noun>) -> CloudError { .missing(R.self, id.text) }

    // MARK: Reading

    func visible(to caller: Principal) -> (sql: String, arguments: [SQLValue]) {
        guard let type = R.self as? any Shareable.Type else { return ("project_id = ?", [.text(caller.project)]) }
        let (sql, arguments) = SharingStore.granted(type.objectType, to: caller.project)
        return ("project_id = ? OR \(sql)", [.text(caller.project)] + arguments)
    }

    /// Adds the condition of `shared`, the filter that many nouns have in common.
    func filter(_ name: String, _ values: [String], _ list: inout ListQuery, by caller: Principal, in tx: Transaction) throws {
        guard name == "shared" else { return }
        let (sql, arguments) = SharingStore.sharedCondition(caller.project)
        list.raw.append((Bool.isTrue(values) ? sql : "NOT (\(sql))", arguments))
    }

    func listQuery(_ query: Query) throws -> ListQuery { try PageRequest.list(R.self, query) }

    func narrow(_ list: inout ListQuery, _ query: Query, by caller: Principal, in tx: Transaction) throws {
        for (name, values) in PageRequest.filters(query) {
            if R.hasTags, let condition = TagStore.condition(name, values) {
                list.raw.append(condition)
            } else if R.otherFilters.contains(name) {
                try filter(name, values, &list, by: caller, in: tx)
            }
        }
        narrow(&list, to: caller)
    }

    /// Excludes the rows that the caller may not see.
    func narrow(_ list: inout ListQuery, to caller: Principal) {
        if !networking.seesAll(caller) { list.raw.append(visible(to: caller)) }
    }

    func find(_ id: ID<R.Noun>, by caller: Principal, in tx: Transaction) throws -> R? {
        var query = ListQuery(ids: [id.text])
        narrow(&query, to: caller)
        return try store.all(query, in: tx).first
    }

    /// Returns a row that the caller may see.
    ///
    /// - Throws: the noun's "not found" error, also for a row that the caller may not see.
    func require(_ id: ID<R.Noun>, by caller: Principal, in tx: Transaction) throws -> R {
        guard let found = try find(id, by: caller, in: tx) else { throw missing(id) }
        return found
    }

    func load(_ rows: inout [R], for caller: Principal, in tx: Transaction) throws {
        guard !rows.isEmpty else { return }
        try loadParts(of: &rows, for: caller, in: tx)
        if R.hasTags { try TagStore.load(&rows, in: tx) }
    }

    // MARK: Writing

    func write<Value: Sendable>(
        about resource: R?, _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        try await networking.write(body)
    }

    func claim(_ drafts: [R], in tx: Transaction) throws {
        guard let quota = R.quota else { return }
        for (project, some) in Dictionary(grouping: drafts, by: \.projectID).sorted(by: { $0.key < $1.key }) {
            try QuotaStore.claim(quota, some.count, for: project, in: tx)
        }
    }

    func stamp(_ resource: inout R) {
        resource.standard.revision += 1
        resource.standard.updatedAt = networking.world.now
    }

    func insert(_ resource: R, in tx: Transaction) throws {
        try store.insert(resource, in: tx)
        networking.touch(R.touches(from: nil, to: resource), in: tx)
        if R.hasTags, !resource.standard.tags.isEmpty { try TagStore.set(resource.standard.tags, of: resource.id.text, in: tx) }
    }

    func save(_ resource: R, over old: R, in tx: Transaction) throws {
        try store.update(resource, in: tx)
        networking.touch(R.touches(from: old, to: resource), in: tx)
    }

    /// Deletes a row with its tags and its RBAC policies.
    func erase(_ resource: R, in tx: Transaction) throws {
        if R.hasTags { try TagStore.set([], of: resource.id.text, in: tx) }
        if let type = (R.self as? any Shareable.Type)?.objectType { try SharingStore.removeAll(type, resource.id.text, in: tx) }
        try store.delete(resource.id, in: tx)
        networking.touch(R.touches(from: resource, to: nil), in: tx)
    }
}

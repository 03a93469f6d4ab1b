import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// The verbs of all of Networking's nouns, from the description of each. What is special about one goes into the methods that
/// have a default here.
protocol NetworkingService<R>: Sendable {
    associatedtype R: NetworkingResource
    var networking: NetworkingContext { get }

    /// What the policy may look at, of each.
    func targets(of rows: [R], for caller: Principal, in tx: Transaction) throws -> [PolicyTarget]
    /// Fills in what other tables say: one query a table, however many rows there are.
    func loadParts(of rows: inout [R], for caller: Principal, in tx: Transaction) throws
    /// Which rows a caller may see who does not see all, as SQL over the table: of lists, of one by its id, and of what a body names.
    func visible(to caller: Principal) -> (sql: String, arguments: [SQLValue])
    /// Adds the conditions of a filter that is no column: one of `R.otherFilters`.
    func filter(_ name: String, _ values: [String], _ list: inout ListQuery, by caller: Principal, in tx: Transaction) throws
    /// Makes what must be there before anything of a project's is looked at: a default that is made on first use.
    ///
    /// - Parameter asked: the projects that a list's URL names; empty for the caller's own.
    func willLook(at asked: [String], by caller: Principal) async throws

    /// Finds what the policy needs to know of a new one.
    func prepare(_ resource: inout R, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws
    /// Checks and completes all that one request makes, before the first of them is written.
    func willCreate(together drafts: inout [R], by caller: Principal, in tx: Transaction) throws
    func willCreate(_ resource: inout R, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws
    func didCreate(_ resource: R, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws
    func willUpdate(_ resource: inout R, from old: R, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws
    func didUpdate(_ resource: R, from old: R, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws
    /// Refuses, or removes what goes with it.
    func willDelete(_ resource: R, by caller: Principal, in tx: Transaction) throws
    func didDelete(_ resource: R, by caller: Principal, in tx: Transaction) throws
}

/// Rows, and what of them their caller must not see.
struct Shown<R: NetworkingResource>: Sendable {
    var rows: [R]
    var hidden: Set<String> = []
    /// Whether a list has as many as were asked for.
    var isFull = false
    /// The most of a list's page; nil for all there are.
    var limit: Int?
}

extension NetworkingService {
    var store: ResourceStore<R> { ResourceStore() }
    var noun: String { R.schema.singular }

    func target(_ resource: R, for caller: Principal, in tx: Transaction) throws -> PolicyTarget {
        try targets(of: [resource], for: caller, in: tx).first ?? [:]
    }

    func targets(of rows: [R], for caller: Principal, in tx: Transaction) throws -> [PolicyTarget] { rows.map(Self.target) }

    static func target(_ resource: R) -> PolicyTarget {
        var target: PolicyTarget = ["project_id": resource.projectID, "tenant_id": resource.projectID]
        if let isShared = resource.sharing { target.set("shared", to: isShared) }
        return target
    }

    func loadParts(of rows: inout [R], for caller: Principal, in tx: Transaction) throws {}
    func visible(to caller: Principal) -> (sql: String, arguments: [SQLValue]) {
        guard let type = R.self as? any Shareable.Type else { return ("project_id = ?", [.text(caller.project)]) }
        let (sql, arguments) = SharingStore.granted(type.objectType, to: caller.project)
        return ("project_id = ? OR \(sql)", [.text(caller.project)] + arguments)
    }
    /// The one filter that many have.
    func filter(_ name: String, _ values: [String], _ list: inout ListQuery, by caller: Principal, in tx: Transaction) throws {
        guard name == "shared" else { return }
        let (sql, arguments) = SharingStore.sharedCondition(caller.project)
        list.raw.append((Bool.isTrue(values) ? sql : "NOT (\(sql))", arguments))
    }
    func willLook(at asked: [String], by caller: Principal) async throws {}
    func prepare(_ resource: inout R, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws {}
    func willCreate(together drafts: inout [R], by caller: Principal, in tx: Transaction) throws {}
    func willCreate(_ resource: inout R, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws {}
    func didCreate(_ resource: R, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws {}
    func willUpdate(_ resource: inout R, from old: R, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws {}
    func didUpdate(_ resource: R, from old: R, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws {}
    func willDelete(_ resource: R, by caller: Principal, in tx: Transaction) throws {}
    func didDelete(_ resource: R, by caller: Principal, in tx: Transaction) throws {}
}

// MARK: - Reading

extension NetworkingService {
    func list(_ query: Query, by caller: Principal) async throws -> Shown<R> {
        let asked = try ListRequest<R>(query)
        try await willLook(at: asked.projects, by: caller)
        return try await networking.read { tx in
            var list = asked.query
            for (name, values) in asked.others { try narrow(name, values, &list, by: caller, in: tx) }
            narrow(&list, to: caller)
            var rows = try store.page(list, in: tx).rows
            let isFull = list.limit.map { rows.count >= $0 } ?? false
            try load(&rows, for: caller, in: tx)
            let targets = try self.targets(of: rows, for: caller, in: tx)
            let action = Action("get_\(noun)")
            let hidden = targets.first.map { self.hidden(from: caller, $0) } ?? []
            let allowed = zip(rows, targets).filter { networking.policy.allows(action, caller, $0.1) }.map(\.0)
            return Shown(rows: allowed, hidden: hidden, isFull: isFull, limit: list.limit)
        }
    }

    private func narrow(_ name: String, _ values: [String], _ list: inout ListQuery, by caller: Principal, in tx: Transaction) throws {
        if let condition = TagStore.condition(name, values) {
            list.raw.append(condition)
        } else {
            try filter(name, values, &list, by: caller, in: tx)
        }
    }

    /// Leaves out what a caller does not see.
    func narrow(_ list: inout ListQuery, to caller: Principal) {
        if !networking.seesAll(caller) { list.raw.append(visible(to: caller)) }
    }

    /// Returns the row, if there is one and the caller sees it.
    func find(_ id: ID<R.Noun>, by caller: Principal, in tx: Transaction) throws -> R? {
        var query = ListQuery(ids: [id.text])
        narrow(&query, to: caller)
        return try store.all(query, in: tx).first
    }

    /// - Throws: what a caller hears of what is not there, and of what they do not see.
    func require(_ id: ID<R.Noun>, by caller: Principal, in tx: Transaction) throws -> R {
        guard let found = try find(id, by: caller, in: tx) else { throw CloudError.missing(R.self, id.text) }
        return found
    }

    func get(_ id: ID<R.Noun>, by caller: Principal) async throws -> Shown<R> {
        try await willLook(at: [], by: caller)
        return try await networking.read { tx in try shown(require(id, by: caller, in: tx), by: caller, in: tx) }
    }

    func load(_ rows: inout [R], for caller: Principal, in tx: Transaction) throws {
        guard !rows.isEmpty else { return }
        try loadParts(of: &rows, for: caller, in: tx)
        if R.hasTags { try TagStore.load(&rows, in: tx) }
    }

    /// One as its caller may see it; missing where they may not.
    private func shown(_ row: R, by caller: Principal, in tx: Transaction) throws -> Shown<R> {
        var rows = [row]
        try load(&rows, for: caller, in: tx)
        let target = try self.target(rows[0], for: caller, in: tx)
        guard networking.policy.allows(Action("get_\(noun)"), caller, target) else { throw CloudError.missing(R.self, row.id.text) }
        return Shown(rows: rows, hidden: hidden(from: caller, target))
    }

    private func hidden(from caller: Principal, _ target: PolicyTarget) -> Set<String> {
        let guarded = networking.guardedViews[noun] ?? []
        return Set(guarded.filter { !networking.policy.allows($0.action, caller, target) }.map(\.attribute))
    }

    /// The row, if the caller may do this to it: who may not even see it hears that it is not there.
    func authorised(_ verb: String, _ id: ID<R.Noun>, by caller: Principal, in tx: Transaction) throws -> R {
        var rows = [try require(id, by: caller, in: tx)]
        try load(&rows, for: caller, in: tx)
        let target = try self.target(rows[0], for: caller, in: tx)
        let action = Action(verb.contains("_") ? verb : "\(verb)_\(noun)")
        guard networking.policy.allows(action, caller, target) else {
            guard networking.policy.allows(Action("get_\(noun)"), caller, target) else { throw CloudError.missing(R.self, id.text) }
            throw CloudError.networking(.forbidden, "PolicyNotAuthorized", "rule:\(action.name) is disallowed by policy")
        }
        return rows[0]
    }
}

// MARK: - Writing

extension NetworkingService {
    /// Makes all that the body has, or none.
    func create(_ body: JSONObject, by caller: Principal) async throws -> (made: Shown<R>, isBulk: Bool) {
        let (bodies, isBulk) = try NetworkingBody.unwrap(body, R.schema)
        try await willLook(at: [], by: caller)
        let made = try await networking.write { tx in
            var rows = try make(bodies, by: caller, in: tx)
            try load(&rows, for: caller, in: tx)
            let target = try rows.first.map { try self.target($0, for: caller, in: tx) } ?? [:]
            return Shown(rows: rows, hidden: hidden(from: caller, target))
        }
        return (made, isBulk)
    }

    /// Makes them in the caller's transaction: nothing is written before all were looked at.
    private func make(_ bodies: [JSONObject], by caller: Principal, in tx: Transaction) throws -> [R] {
        var drafts = try bodies.map { try draft($0, by: caller, in: tx) }
        if let quota = R.quota {
            for (project, some) in Dictionary(grouping: drafts, by: \.projectID).sorted(by: { $0.key < $1.key }) {
                try QuotaStore.claim(quota, some.count, for: project, in: tx)
            }
        }
        try willCreate(together: &drafts, by: caller, in: tx)
        return try zip(drafts, bodies).map { try write($0, $1, by: caller, in: tx) }
    }

    /// Reads one from a body, and asks the policy.
    private func draft(_ given: JSONObject, by caller: Principal, in tx: Transaction) throws -> R {
        var resource = R()
        try R.schema.shapes.create.check(.object(given), at: noun)
        try NetworkingBody.apply(given, to: &resource)
        resource.id = networking.newID()
        try own(&resource, given, by: caller)
        (resource.standard.createdAt, resource.standard.updatedAt) = (networking.world.now, networking.world.now)
        try prepare(&resource, given, by: caller, in: tx)
        try require("create", given, of: resource, by: caller, unless: R(), in: tx)
        return resource
    }

    private func write(_ draft: R, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws -> R {
        var resource = draft
        try willCreate(&resource, given, by: caller, in: tx)
        try store.insert(resource, in: tx)
        if R.hasTags, !resource.standard.tags.isEmpty { try TagStore.set(resource.standard.tags, of: resource.id.text, in: tx) }
        try didCreate(resource, given, by: caller, in: tx)
        return resource
    }

    /// - Parameter revision: what `If-Match` says it must be still.
    func update(_ id: ID<R.Noun>, _ body: JSONObject, revision: Int64?, by caller: Principal) async throws -> Shown<R> {
        let given = try NetworkingBody.unwrapOne(body, R.schema)
        try R.schema.shapes.update.check(.object(given), at: noun)
        return try await networking.write { tx in
            let old = try authorised("update", id, by: caller, in: tx)
            try check(revision, old)
            var resource = old
            try NetworkingBody.apply(given, to: &resource)
            try require("update", given, of: resource, by: caller, unless: nil, in: tx)
            try willUpdate(&resource, from: old, given, by: caller, in: tx)
            resource.standard.revision += 1
            resource.standard.updatedAt = networking.world.now
            try store.update(resource, in: tx)
            try didUpdate(resource, from: old, given, by: caller, in: tx)
            return try shown(resource, by: caller, in: tx)
        }
    }

    func delete(_ id: ID<R.Noun>, revision: Int64?, by caller: Principal) async throws {
        try await networking.write { tx in
            let resource = try authorised("delete", id, by: caller, in: tx)
            try check(revision, resource)
            try remove(resource, by: caller, in: tx)
        }
    }

    /// Removes one that may be removed, and what hangs on it.
    func remove(_ resource: R, by caller: Principal, in tx: Transaction) throws {
        try willDelete(resource, by: caller, in: tx)
        if R.hasTags { try TagStore.set([], of: resource.id.text, in: tx) }
        if let type = (R.self as? any Shareable.Type)?.objectType { try SharingStore.removeAll(type, resource.id.text, in: tx) }
        try store.delete(resource.id, in: tx)
        try didDelete(resource, by: caller, in: tx)
    }

    private func check(_ revision: Int64?, _ resource: R) throws {
        guard let revision, revision != resource.standard.revision else { return }
        throw CloudError.networking(
            .preconditionFailed, "RevisionNumberConstraintFailed",
            "Constrained to \(revision), but current revision is \(resource.standard.revision)")
    }

    /// Whose it is: the caller's project's, unless the body says another's and the caller may.
    private func own(_ resource: inout R, _ given: JSONObject, by caller: Principal) throws {
        guard let project = given["project_id"]?.string else {
            guard !caller.project.isEmpty else { throw CloudError.badRequest("A project_id is required of a caller without a project.") }
            resource.standard.projectID = caller.project
            return
        }
        guard project == caller.project || networking.seesAll(caller) else {
            throw CloudError.badRequest(
                "Specifying 'project_id' other than the authenticated project in request is not allowed for the current user.")
        }
        resource.standard.projectID = project
    }

    /// Asks the policy for the action, and for each attribute of the body that has a rule.
    ///
    /// - Parameter unset: what a new one is like that says nothing: to say the same needs no permission.
    private func require(
        _ verb: String, _ given: JSONObject, of resource: R, by caller: Principal, unless unset: R?, in tx: Transaction
    ) throws {
        let target = try self.target(resource, for: caller, in: tx)
        var actions = verb == "create" ? [Action("\(verb)_\(noun)")] : []
        for (key, value) in given.members {
            if let unset, let field = R.schema.fields.last(where: { $0.name == key && $0.shown != .never }), field.json(unset) == value { continue }
            let action = "\(verb)_\(noun):\(key)"
            actions.append(Action(action))
            let parts = value.object.map { [$0] } ?? value.array?.compactMap(\.object) ?? []
            actions += Set(parts.flatMap(\.keys)).map { Action("\(action):\($0)") }
        }
        for action in actions where networking.guarded.contains(action) {
            guard networking.policy.allows(action, caller, target) else {
                throw CloudError.networking(.forbidden, "PolicyNotAuthorized", "rule:\(action.name) is disallowed by policy")
            }
        }
    }
}

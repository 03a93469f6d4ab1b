package import Access
package import CloudCore
package import HTTPKit
package import SQL

/// The parts that every service of an API needs.
package struct ServiceContext: Sendable {
    package let database: Database
    package let policy: Policy
    package let world: World
    /// The topic that each write of the API marks as changed.
    package let topic: Topic
    /// The beginning of the API's actions: `identity` of `identity:get_user`.
    package let prefix: String

    package init(database: Database, policy: Policy, world: World, topic: Topic, prefix: String) {
        self.database = database
        self.policy = policy
        self.world = world
        self.topic = topic
        self.prefix = prefix
    }

    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        try await database.read(body)
    }

    /// Runs a write and marks the API's topic as changed, so that copies in memory are refreshed.
    @discardableResult
    package func write<Value: Sendable>(
        _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        try await database.write { [topic] tx in
            tx.changed(topic)
            return try body(tx)
        }
    }

    package func action(_ name: String) -> Action { Action("\(prefix):\(name)") }
}

/// The verbs of a uniform noun. Each verb authorises, checks and changes the row in one transaction. A noun's special
/// behaviour goes into the methods that have a default here. An API's special behaviour goes into its `Manners`.
package protocol ResourceService<R>: Manners {
    // MARK: What the policy knows

    /// Returns the policy's target for one resource, as far as it follows from its row. The default has every text
    /// field as `target.<singular>.<field>`.
    static func target(_ resource: R) -> PolicyTarget
    /// Returns the policy's target for each row.
    func targets(of rows: [R], for caller: Principal, in tx: Transaction) throws -> [PolicyTarget]
    /// Returns the policy's action for a list.
    func listAction(_ query: Query) -> Action
    /// Returns the policy's target for a list.
    func listTarget(_ query: Query, by caller: Principal) -> PolicyTarget

    // MARK: Reading

    /// Loads the values that other tables hold. It runs one query for each table, however many rows there are.
    func loadParts(of rows: inout [R], for caller: Principal, in tx: Transaction) throws
    /// Excludes rows that the caller must not see from a list, and adds filters that are not columns.
    func narrow(_ list: inout ListQuery, _ query: Query, by caller: Principal, in tx: Transaction) throws
    /// Creates rows that must exist before a verb reads anything, such as a default that is created on first use.
    func willLook(_ query: Query, by caller: Principal) async throws

    // MARK: Writing

    /// Does slow work before the transaction begins, such as hashing a password.
    func ready(_ given: inout Given<R>) async throws
    /// Fills in values that the caller left out of a new resource. It runs before the policy is asked.
    func complete(_ resource: inout R, _ given: Given<R>, by caller: Principal) throws
    /// Reads from other tables what the policy needs to know of a new resource.
    func prepare(_ resource: inout R, _ given: Given<R>, by caller: Principal, in tx: Transaction) throws
    /// Checks and completes all resources of one request before the first of them is inserted.
    func willCreate(together drafts: inout [R], by caller: Principal, in tx: Transaction) throws
    /// Checks and changes a new resource just before its row is inserted.
    func willCreate(_ resource: inout R, _ given: Given<R>, by caller: Principal, in tx: Transaction) throws
    /// Writes everything that belongs to a new resource besides its row.
    func didCreate(_ resource: R, _ given: Given<R>, by caller: Principal, in tx: Transaction) throws
    func willUpdate(_ resource: inout R, from old: R, _ given: Given<R>, by caller: Principal, in tx: Transaction) throws
    func didUpdate(_ resource: R, from old: R, _ given: Given<R>, by caller: Principal, in tx: Transaction) throws
    /// Throws if the row must stay. Otherwise it removes the rows that depend on it.
    func willDelete(_ resource: R, by caller: Principal, in tx: Transaction) throws
    func didDelete(_ resource: R, by caller: Principal, in tx: Transaction) throws
    /// Returns the error for a key that is taken.
    func conflict(with resource: R) -> CloudError
    /// Returns an id for a new resource.
    func newID() -> ID<R.Noun>

    // MARK: The verbs

    // A noun that needs other steps or another order implements the verb itself.

    /// Creates all resources of the body, or none.
    func create(_ body: JSONObject, by caller: Principal) async throws -> (made: Shown<R>, isBulk: Bool)
    func get(_ id: ID<R.Noun>, by caller: Principal) async throws -> Shown<R>
    func list(_ query: Query, by caller: Principal) async throws -> Shown<R>
    /// Changes one resource.
    ///
    /// - Parameter condition: throws if the row is not in the state that the caller expects.
    func update(
        _ id: ID<R.Noun>, _ body: JSONObject, if condition: @escaping Condition<R>, by caller: Principal
    ) async throws -> Shown<R>
    func delete(_ id: ID<R.Noun>, if condition: @escaping Condition<R>, by caller: Principal) async throws
}

/// A check of a row that a request asks for before the row is changed.
package typealias Condition<R: Resource> = @Sendable (R) throws -> Void

extension ResourceService {
    package static func target(_ resource: R) -> PolicyTarget {
        var target = PolicyTarget()
        let schema = R.schema
        for (field, name) in zip(schema.visible, schema.targetNames) {
            // A null is left out, because a policy would take it as equal to an attribute that the caller does not
            // have.
            if case .string(let text) = field.json(resource) { target.set(name, to: text) }
        }
        return target
    }

    package func targets(of rows: [R], for caller: Principal, in tx: Transaction) throws -> [PolicyTarget] {
        rows.map(Self.target)
    }
    package func listAction(_ query: Query) -> Action { context.action("list_\(R.schema.plural)") }
    package func listTarget(_ query: Query, by caller: Principal) -> PolicyTarget { [:] }
    package func loadParts(of rows: inout [R], for caller: Principal, in tx: Transaction) throws {}
    package func narrow(_ list: inout ListQuery, _ query: Query, by caller: Principal, in tx: Transaction) throws {}
    package func willLook(_ query: Query, by caller: Principal) async throws {}
    package func ready(_ given: inout Given<R>) async throws {}
    package func complete(_ resource: inout R, _ given: Given<R>, by caller: Principal) throws {}
    package func prepare(_ resource: inout R, _ given: Given<R>, by caller: Principal, in tx: Transaction) throws {}
    package func willCreate(together drafts: inout [R], by caller: Principal, in tx: Transaction) throws {}
    package func willCreate(_ resource: inout R, _ given: Given<R>, by caller: Principal, in tx: Transaction) throws {}
    package func didCreate(_ resource: R, _ given: Given<R>, by caller: Principal, in tx: Transaction) throws {}
    package func willUpdate(
        _ resource: inout R, from old: R, _ given: Given<R>, by caller: Principal, in tx: Transaction
    ) throws {}
    package func didUpdate(
        _ resource: R, from old: R, _ given: Given<R>, by caller: Principal, in tx: Transaction
    ) throws {}
    package func willDelete(_ resource: R, by caller: Principal, in tx: Transaction) throws {}
    package func didDelete(_ resource: R, by caller: Principal, in tx: Transaction) throws {}
    package func newID() -> ID<R.Noun> { ID(context.world.random.hexID()) }

    package func conflict(with resource: R) -> CloudError {
        .conflict("A \(R.schema.singular.replacing("_", with: " ")) like this exists already.")
    }
}

// MARK: - Reading

extension ResourceService {
    package func list(_ query: Query, by caller: Principal) async throws -> Shown<R> {
        if !hidesUnseen { try require(listAction(query), caller, listTarget(query, by: caller)) }
        let asked = try listQuery(query)
        try await willLook(query, by: caller)
        return try await context.read { tx in
            var list = asked
            try narrow(&list, query, by: caller, in: tx)
            let page = try store.page(list, in: tx)
            var shown = try self.shown(page.rows, by: caller, in: tx)
            shown.limit = list.limit
            shown.isFull = list.limit.map { page.rows.count >= $0 } ?? false
            shown.hasMore = page.hasMore
            return shown
        }
    }

    package func get(_ id: ID<R.Noun>, by caller: Principal) async throws -> Shown<R> {
        try await willLook(.none, by: caller)
        return try await context.read { tx in
            let (row, target) = try admitted("get", id, by: caller, in: tx)
            return Shown(rows: [row], hidden: hidden(from: caller, target))
        }
    }

    /// Completes rows, and leaves out the rows and fields that the caller must not see.
    private func shown(_ rows: [R], by caller: Principal, in tx: Transaction) throws -> Shown<R> {
        var rows = rows
        try load(&rows, for: caller, in: tx)
        guard hidesUnseen else { return Shown(rows: rows) }
        let targets = try self.targets(of: rows, for: caller, in: tx)
        let isAllowed = rows.indices.map { context.policy.allows(action("get", rows[$0]), caller, targets[$0]) }
        // Rows are large values. Mostly all of them may be seen, and then none is copied.
        if isAllowed.contains(false) { rows = rows.indices.filter { isAllowed[$0] }.map { rows[$0] } }
        return Shown(rows: rows, hidden: targets.first.map { hidden(from: caller, $0) } ?? [])
    }

    /// Returns the fields of a row that the caller must not see.
    private func hidden(from caller: Principal, _ target: PolicyTarget) -> Set<String> {
        let guarded = attributeRules.views[R.schema.singular] ?? []
        return Set(guarded.filter { !context.policy.allows($0.action, caller, target) }.map(\.attribute))
    }

    private func target(_ resource: R, for caller: Principal, in tx: Transaction) throws -> PolicyTarget {
        try targets(of: [resource], for: caller, in: tx).first ?? [:]
    }

    /// Returns the row with an id, if the caller may do this to it.
    ///
    /// - Throws: the API's error if there is no such row or the caller may not do this.
    package func authorised(_ verb: String, _ id: ID<R.Noun>, by caller: Principal, in tx: Transaction) throws -> R {
        try admitted(verb, id, by: caller, in: tx).row
    }

    /// Returns the row with an id and its policy target, if the caller may do this to it.
    ///
    /// A caller who may not learn whether a row exists gets the same answer in both cases. With `hidesUnseen`, the row
    /// counts as missing. Otherwise the policy is asked before a missing row is reported.
    private func admitted(
        _ verb: String, _ id: ID<R.Noun>, by caller: Principal, in tx: Transaction
    ) throws -> (row: R, target: PolicyTarget) {
        guard let found = try find(id, by: caller, in: tx) else {
            if !hidesUnseen { try require(action(verb, nil), caller, [:]) }
            throw missing(id)
        }
        var rows = [found]
        try load(&rows, for: caller, in: tx)
        let target = try self.target(rows[0], for: caller, in: tx)
        let wanted = action(verb, found)
        if !context.policy.allows(wanted, caller, target) {
            if hidesUnseen, !context.policy.allows(action("get", found), caller, target) { throw missing(id) }
            try require(wanted, caller, target)
        }
        return (rows[0], target)
    }
}

// MARK: - Writing

extension ResourceService {
    package func create(_ body: JSONObject, by caller: Principal) async throws -> (made: Shown<R>, isBulk: Bool) {
        let isHeavy = body.isHeavy
        let asked = try await Elsewhere.run(ifLong: isHeavy) { try bodies(of: body) }
        try await willLook(.none, by: caller)
        var given = asked.given
        for at in given.indices { try await ready(&given[at]) }
        let drafts = try await Elsewhere.run(ifLong: isHeavy) { [given] in try given.map { try draft($0, by: caller) } }
        return (try await create(drafts, given, by: caller), asked.isBulk)
    }

    /// Returns a new resource made from its body, without the values that only the database has.
    package func draft(_ given: Given<R>, by caller: Principal) throws -> R {
        var resource = R()
        resource.id = newID()
        try R.schema.apply(given, to: &resource, unreadable: unreadable)
        try complete(&resource, given, by: caller)
        return resource
    }

    /// Authorises all drafts and inserts them. Nothing is inserted before every draft was authorised.
    package func create(_ drafts: [R], _ bodies: [Given<R>], by caller: Principal) async throws -> Shown<R> {
        try await write(about: drafts.count == 1 ? drafts.first : nil) { tx in
            var rows = drafts
            for at in rows.indices {
                try prepare(&rows[at], bodies[at], by: caller, in: tx)
                try require("create", bodies[at], of: rows[at], by: caller, in: tx)
                // The rest of a long request is not looked at if there is no room for its beginning.
                if at % 128 == 127 { try claim(Array(rows[...at]), in: tx) }
            }
            try claim(rows, in: tx)
            try willCreate(together: &rows, by: caller, in: tx)
            for at in rows.indices {
                try willCreate(&rows[at], bodies[at], by: caller, in: tx)
                try insert(rows[at], in: tx)
                try didCreate(rows[at], bodies[at], by: caller, in: tx)
            }
            try load(&rows, for: caller, in: tx)
            guard hidesUnseen, let first = rows.first else { return Shown(rows: rows) }
            return Shown(rows: rows, hidden: hidden(from: caller, try target(first, for: caller, in: tx)))
        }
    }

    package func update(
        _ id: ID<R.Noun>, _ body: JSONObject, if condition: @escaping Condition<R>, by caller: Principal
    ) async throws -> Shown<R> {
        var asked = try change(of: body)
        try await ready(&asked)
        return try await write(about: nil) { [given = asked] tx in
            let old = try authorised("update", id, by: caller, in: tx)
            try condition(old)
            try R.schema.checkFixed(given, of: old)
            var resource = old
            try R.schema.apply(given, to: &resource, unreadable: unreadable)
            try require("update", given, of: resource, by: caller, in: tx)
            try willUpdate(&resource, from: old, given, by: caller, in: tx)
            stamp(&resource)
            try save(resource, over: old, in: tx)
            try didUpdate(resource, from: old, given, by: caller, in: tx)
            let shown = try self.shown([resource], by: caller, in: tx)
            guard !shown.rows.isEmpty else { throw missing(id) }
            return shown
        }
    }

    package func delete(_ id: ID<R.Noun>, if condition: @escaping Condition<R>, by caller: Principal) async throws {
        try await write(about: nil) { tx in
            let resource = try authorised("delete", id, by: caller, in: tx)
            try condition(resource)
            try remove(resource, by: caller, in: tx)
        }
    }

    /// Removes a row that the caller may delete, and everything that depends on it.
    package func remove(_ resource: R, by caller: Principal, in tx: Transaction) throws {
        try willDelete(resource, by: caller, in: tx)
        try erase(resource, in: tx)
        try didDelete(resource, by: caller, in: tx)
    }

    /// Checks the policy: for the action if the resource is new, and for each attribute of the body that has a rule.
    private func require(
        _ verb: String, _ given: Given<R>, of resource: R, by caller: Principal, in tx: Transaction
    ) throws {
        let (isNew, wanted) = (verb == "create", action(verb, resource))
        guard isNew || !attributeRules.isEmpty else { return }
        let target = try self.target(resource, for: caller, in: tx)
        if isNew { try require(wanted, caller, target) }
        for action in attributeRules.actions(wanted, given, isNew: isNew) { try require(action, caller, target) }
    }
}

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

    package func read<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        try await database.read(body)
    }

    /// Runs a write and marks the API's topic as changed, so that copies in memory are refreshed.
    @discardableResult
    package func write<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        try await database.write { [topic] tx in
            tx.changed(topic)
            return try body(tx)
        }
    }

    package func action(_ name: String) -> Action { Action("\(prefix):\(name)") }
}

/// The verbs of a uniform resource. Each authorizes, checks and changes the row in one transaction. A noun's special
/// rules go into the methods that have a default implementation here; the rest is the same for all nouns.
package protocol ResourceService<R>: Sendable {
    associatedtype R: Resource
    var context: ServiceContext { get }
    var store: ResourceStore<R> { get }

    /// Returns the facts about a resource that the policy may use. By default these are all text fields, as
    /// `target.<singular>.<field>`.
    func target(_ resource: R, in tx: Transaction) throws -> PolicyTarget
    /// Fills in values that the caller left out, before the policy is asked.
    func complete(_ resource: inout R, by caller: Principal) throws
    /// Checks and changes a new resource before its row is written.
    func willCreate(_ resource: inout R, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws
    /// Writes the other data of a new resource after its row.
    func didCreate(_ resource: R, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws
    func willUpdate(_ resource: inout R, from old: R, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws
    func willDelete(_ resource: R, by caller: Principal, in tx: Transaction) throws
    /// Removes rows from a list that the caller must not see, and adds filters that are not columns.
    func narrow(_ list: inout ListQuery, _ query: Query, by caller: Principal, in tx: Transaction) throws
    /// Returns the facts about a list that the policy may use.
    func listTarget(_ query: Query, by caller: Principal) -> PolicyTarget
    /// Returns the error for the caller if a row with the same unique key already exists.
    func conflict(with resource: R) -> CloudError
    /// Returns the id for a new resource.
    func newID() -> ID<R.Noun>

    // The verbs. Each has a default; a noun that needs other steps has its own implementation.
    func create(_ body: JSONObject, by caller: Principal) async throws -> R
    func get(_ id: ID<R.Noun>, by caller: Principal) async throws -> R
    func list(_ query: Query, by caller: Principal) async throws -> (rows: [R], hasMore: Bool)
    func update(_ id: ID<R.Noun>, _ body: JSONObject, by caller: Principal) async throws -> R
    func delete(_ id: ID<R.Noun>, by caller: Principal) async throws
}

extension ResourceService {
    package var store: ResourceStore<R> { ResourceStore() }
    package func complete(_ resource: inout R, by caller: Principal) throws {}
    package func willCreate(_ resource: inout R, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws {}
    package func didCreate(_ resource: R, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws {}
    package func willUpdate(
        _ resource: inout R, from old: R, _ given: JSONObject, by caller: Principal, in tx: Transaction
    ) throws {}
    package func willDelete(_ resource: R, by caller: Principal, in tx: Transaction) throws {}
    package func narrow(_ list: inout ListQuery, _ query: Query, by caller: Principal, in tx: Transaction) throws {}
    package func listTarget(_ query: Query, by caller: Principal) -> PolicyTarget { [:] }
    package func newID() -> ID<R.Noun> { ID(context.world.random.hexID()) }

    package func target(_ resource: R, in tx: Transaction) throws -> PolicyTarget { Self.target(resource) }

    package static func target(_ resource: R) -> PolicyTarget {
        var target = PolicyTarget()
        for field in R.schema.fields where field.shown != .never {
            switch field.json(resource) {
            case .string(let text): target.set("target.\(R.schema.singular).\(field.name)", to: text)
            // A null value is left out: a policy would treat it as equal to a value that the caller does not have.
            default: break
            }
        }
        return target
    }

    package func conflict(with resource: R) -> CloudError {
        .conflict("A \(R.schema.singular.replacing("_", with: " ")) like this exists already.")
    }

    // MARK: The verbs

    package func create(_ body: JSONObject, by caller: Principal) async throws -> R {
        var (made, given) = try R.schema.new(from: body)
        made.id = newID()
        try complete(&made, by: caller)
        return try await create(made, given, by: caller)
    }

    /// Authorizes and writes a resource that is already complete.
    package func create(_ made: R, _ given: JSONObject, by caller: Principal) async throws -> R {
        try await refusingDuplicates(of: made) {
            try await context.write { tx in
                var resource = made
                try context.policy.require(context.action("create_\(R.schema.singular)"), caller, try target(resource, in: tx))
                try willCreate(&resource, given, by: caller, in: tx)
                try store.insert(resource, in: tx)
                try didCreate(resource, given, by: caller, in: tx)
                return resource
            }
        }
    }

    package func get(_ id: ID<R.Noun>, by caller: Principal) async throws -> R {
        try await context.read { tx in try authorised("get", id, by: caller, in: tx) }
    }

    package func list(_ query: Query, by caller: Principal) async throws -> (rows: [R], hasMore: Bool) {
        try context.policy.require(context.action("list_\(R.schema.plural)"), caller, listTarget(query, by: caller))
        let asked = try R.schema.query(from: query)
        return try await context.read { tx in
            var list = asked
            try narrow(&list, query, by: caller, in: tx)
            return try store.page(list, in: tx)
        }
    }

    package func update(_ id: ID<R.Noun>, _ body: JSONObject, by caller: Principal) async throws -> R {
        try await apply(id, body, by: caller)
    }

    /// Changes a resource. This is the default implementation of `update`.
    package func apply(_ id: ID<R.Noun>, _ body: JSONObject, by caller: Principal) async throws -> R {
        let given = try R.schema.changes(from: body)
        return try await refusingDuplicates(of: nil) {
            try await context.write { tx in
                let old = try authorised("update", id, by: caller, in: tx)
                try R.schema.checkFixed(given, of: old)
                var resource = old
                try R.schema.apply(given, to: &resource)
                try willUpdate(&resource, from: old, given, by: caller, in: tx)
                try store.update(resource, in: tx)
                return resource
            }
        }
    }

    package func delete(_ id: ID<R.Noun>, by caller: Principal) async throws {
        try await context.write { tx in
            let resource = try authorised("delete", id, by: caller, in: tx)
            try willDelete(resource, by: caller, in: tx)
            try store.delete(id, in: tx)
        }
    }

    /// Returns the row, if it exists and the caller may do this to it.
    ///
    /// The policy is asked before the code checks that the row exists. A caller who may not learn whether it exists
    /// therefore gets 403 in both cases.
    package func authorised(_ verb: String, _ id: ID<R.Noun>, by caller: Principal, in tx: Transaction) throws -> R {
        let found = try store.find(id, in: tx)
        try context.policy.require(
            context.action("\(verb)_\(R.schema.singular)"), caller, try found.map { try target($0, in: tx) } ?? [:])
        guard let found else { throw CloudError.notFound(R.schema.singular.replacing("_", with: " "), id.text) }
        return found
    }

    package func refusingDuplicates<Value>(of resource: R?, _ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch SQLError.uniqueViolation {
            throw resource.map(conflict) ?? conflict(with: R())
        }
    }
}

package import Access
package import CloudCore
package import HTTPKit
package import SQL

/// What every service of an API is made with.
package struct ServiceContext: Sendable {
    package let database: Database
    package let policy: Policy
    package let world: World
    /// What every write of the API marks as changed.
    package let topic: Topic
    /// How actions begin: `identity` of `identity:get_user`.
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

    /// A write that makes what is kept in memory of the API out of date.
    @discardableResult
    package func write<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        try await database.write { [topic] tx in
            tx.changed(topic)
            return try body(tx)
        }
    }

    package func action(_ name: String) -> Action { Action("\(prefix):\(name)") }
}

/// The verbs of a uniform resource: authorise, check, change the row, in one transaction each. What is special about a noun
/// goes into the methods that have a default here; everything else is as it is for all.
package protocol ResourceService<R>: Sendable {
    associatedtype R: Resource
    var context: ServiceContext { get }
    var store: ResourceStore<R> { get }

    /// What the policy may look at. The default: every text field as `target.<singular>.<field>`.
    func target(_ resource: R, in tx: Transaction) throws -> PolicyTarget
    /// Fills in what the caller left out, before the policy is asked.
    func complete(_ resource: inout R, by caller: Principal) throws
    /// Checks and changes a new one just before its row is written.
    func willCreate(_ resource: inout R, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws
    /// Writes what belongs to a new one besides its row.
    func didCreate(_ resource: R, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws
    func willUpdate(_ resource: inout R, from old: R, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws
    func willDelete(_ resource: R, by caller: Principal, in tx: Transaction) throws
    /// Leaves out of a list what the caller must not see, and adds filters that are not columns.
    func narrow(_ list: inout ListQuery, _ query: Query, by caller: Principal, in tx: Transaction) throws
    /// What the policy of a list may look at.
    func listTarget(_ query: Query, by caller: Principal) -> PolicyTarget
    /// What a caller hears when a row of that key is there already.
    func conflict(with resource: R) -> CloudError
    /// The id of a new one.
    func newID() -> ID<R.Noun>

    // The verbs. All have a default; a noun that needs another order of things writes its own.
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
            // A null is left out: a policy would take it for equal to what the caller does not have.
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

    /// Authorises and writes one that is complete.
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

    /// What `update` does where a noun has none of its own.
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

    /// The row, if there is one and the caller may do this to it.
    ///
    /// Who may not learn whether it exists is told 403 in both cases: the policy is asked before the row's absence is.
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

package import Access
package import CloudCore
package import HTTPKit
package import SQL

/// The behaviour that an API has in common for all of its nouns. The defaults are those of an API that refuses what a
/// caller may not do, and has no rules for single attributes.
package protocol Manners<R>: Sendable {
    associatedtype R: Resource
    var context: ServiceContext { get }
    var store: ResourceStore<R> { get }

    // MARK: Bodies

    /// Reads the body of a `POST`: one object, or several.
    func bodies(of body: JSONObject) throws -> (given: [Given<R>], isBulk: Bool)
    /// Reads the body of a request that changes a resource.
    func change(of body: JSONObject) throws -> Given<R>
    /// Returns the error for a value that fits its shape and that its field cannot have.
    func unreadable(_ field: String, _ value: JSON) -> CloudError
    /// Reads the query of a list.
    func listQuery(_ query: Query) throws -> ListQuery

    // MARK: The policy

    /// Returns the policy's action for a verb.
    ///
    /// - Parameter resource: the resource that the verb is for; nil if none was found.
    func action(_ verb: String, _ resource: R?) -> Action
    /// Checks that the policy allows an action.
    ///
    /// - Throws: the API's error for a caller who may not do this.
    func require(_ action: Action, _ caller: Principal, _ target: PolicyTarget) throws
    /// The rules of single attributes; empty for an API without such rules.
    var attributeRules: AttributeRules { get }
    /// Whether the API treats a resource that the caller may not see as missing. Otherwise the caller is refused, and
    /// lists have a policy rule of their own.
    var hidesUnseen: Bool { get }
    /// Returns the error for an id without a resource.
    func missing(_ id: ID<R.Noun>) -> CloudError

    // MARK: Rows

    /// Returns the row with an id; nil if there is none, or the caller must not see it.
    func find(_ id: ID<R.Noun>, by caller: Principal, in tx: Transaction) throws -> R?
    /// Completes rows after they are read.
    func load(_ rows: inout [R], for caller: Principal, in tx: Transaction) throws
    /// Runs a write.
    ///
    /// - Parameter resource: the one resource that is written, for the message if its key is taken; nil if there is not
    /// exactly one.
    /// - Throws: the API's error if a key is taken.
    func write<Value: Sendable>(
        about resource: R?, _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value
    /// Throws if the new rows exceed a quota. The default allows any number.
    func claim(_ drafts: [R], in tx: Transaction) throws
    /// Marks a row as changed.
    func stamp(_ resource: inout R)
    /// Inserts a new row, together with everything that each noun of the API stores for a row.
    func insert(_ resource: R, in tx: Transaction) throws
    /// Stores a changed row.
    func save(_ resource: R, over old: R, in tx: Transaction) throws
    /// Deletes a row, together with everything that each noun of the API stores for a row.
    func erase(_ resource: R, in tx: Transaction) throws
}

extension Manners {
    package var store: ResourceStore<R> { ResourceStore() }

    package func bodies(of body: JSONObject) throws -> (given: [Given<R>], isBulk: Bool) {
        ([try Given(Shape.unwrap(body, R.schema.singular, R.schema.create), at: R.schema.singular)], false)
    }

    package func change(of body: JSONObject) throws -> Given<R> { try R.schema.changes(from: body) }

    package func unreadable(_ field: String, _ value: JSON) -> CloudError {
        R.schema.unreadable(field, value)
    }

    package func listQuery(_ query: Query) throws -> ListQuery { try R.schema.query(from: query) }
    package func action(_ verb: String, _ resource: R?) -> Action { context.action("\(verb)_\(R.schema.singular)") }

    package func require(_ action: Action, _ caller: Principal, _ target: PolicyTarget) throws {
        try context.policy.require(action, caller, target)
    }

    package var attributeRules: AttributeRules { AttributeRules() }
    package var hidesUnseen: Bool { false }

    package func missing(_ id: ID<R.Noun>) -> CloudError {
        .notFound(R.schema.singular.replacing("_", with: " "), id.text)
    }

    package func find(_ id: ID<R.Noun>, by caller: Principal, in tx: Transaction) throws -> R? {
        try store.find(id, in: tx)
    }
    package func claim(_ drafts: [R], in tx: Transaction) throws {}
    package func stamp(_ resource: inout R) {}
    package func insert(_ resource: R, in tx: Transaction) throws { try store.insert(resource, in: tx) }
    package func save(_ resource: R, over old: R, in tx: Transaction) throws { try store.update(resource, in: tx) }
    package func erase(_ resource: R, in tx: Transaction) throws { try store.delete(resource.id, in: tx) }
}

extension ResourceService {
    package func load(_ rows: inout [R], for caller: Principal, in tx: Transaction) throws {
        if !rows.isEmpty { try loadParts(of: &rows, for: caller, in: tx) }
    }

    /// Runs a write, and turns the database's error for a key that is taken into the noun's conflict.
    package func write<Value: Sendable>(
        about resource: R?, _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        do {
            return try await context.write(body)
        } catch SQLError.uniqueViolation {
            throw conflict(with: resource ?? R())
        }
    }
}

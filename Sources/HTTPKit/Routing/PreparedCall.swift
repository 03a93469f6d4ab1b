package import Access
package import CloudCore

/// A request that got past what all requests of its API have in common. A handler of a `RouteMaker` gets one.
///
/// Each API has a type of its own, with the checks and the words that only this API has.
package protocol PreparedCall: Sendable {
    /// The value that a handler returns.
    associatedtype Answer: Sendable = Reply

    var call: Call { get }
    var principal: Principal { get }
    /// The minor part of the microversion: 79 for 2.79.
    var minor: Int { get }

    /// Makes the call after the checks of the API itself, which come before the microversion's.
    init(_ call: Call, _ principal: Principal, minor: Int, policy: Policy) throws

    /// The words for what is wrong with bodies and queries.
    static var dialect: Dialect { get }
    /// The minor version of a request that names none.
    static var firstMinor: Int { get }
    /// The minor version from which on a query has listed names alone, where a route does not say.
    static var queriesClosedSince: Int { get }

    /// Asks a rule about a target.
    ///
    /// - Throws: `CloudError.forbidden`.
    func require(_ action: Action, _ target: PolicyTarget) throws
    /// Returns the reply that an answer becomes.
    func reply(_ answer: Answer) -> Reply
}

extension PreparedCall {
    package static var queriesClosedSince: Int { .max }

    /// The value of a `{name}` in the route's path.
    package func parameter(_ name: String) -> String { call[parameter: name] }

    /// The first value of a name in the query.
    package func query(_ name: String) -> String? { call.query[name] }

    /// Reads the body.
    ///
    /// - Throws: `CloudError.badRequest`.
    package func read<Value>(_ form: Form<Value>) async throws -> Value {
        try read(form, .object(try await call.body.json()))
    }

    /// Reads a body that was parsed before.
    ///
    /// - Throws: `CloudError.badRequest`.
    package func read<Value>(_ form: Form<Value>, _ body: JSON) throws -> Value {
        try form.parse(body, minor: minor, Self.dialect)
    }
}

extension PreparedCall where Answer == Reply {
    package func reply(_ answer: Reply) -> Reply { answer }
}

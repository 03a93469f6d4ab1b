package import Access
package import CloudCore

/// A request that has passed the checks that all requests of its API share. The handlers of a `RouteMaker` get one.
///
/// Each API has its own type, with the checks and the words of that API.
package protocol PreparedCall: Sendable {
    /// The type of value that a handler returns.
    associatedtype Answer: Sendable = Reply

    var call: Call { get }
    var principal: Principal { get }
    /// The minor part of the microversion: 79 for 2.79.
    var minor: Int { get }

    /// Makes the call and runs the API's own checks. They come before the check of the microversion.
    init(_ call: Call, _ principal: Principal, minor: Int, policy: Policy) throws

    /// The words for faults in bodies and queries.
    static var dialect: Dialect { get }
    /// The minor version of a request that names none.
    static var firstMinor: Int { get }
    /// The first minor version that refuses unlisted names in a query, for routes that do not say otherwise.
    static var queriesClosedSince: Int { get }

    /// Asks a rule about a target.
    ///
    /// - Throws: `CloudError.forbidden`.
    func require(_ action: Action, _ target: PolicyTarget) throws
    /// Returns the reply for an answer.
    func reply(_ answer: Answer) -> Reply
}

extension PreparedCall {
    package static var queriesClosedSince: Int { .max }

    /// Returns the value of a `{name}` in the route's path.
    package func parameter(_ name: String) -> String { call[parameter: name] }

    /// Returns the first value of a name in the query.
    package func query(_ name: String) -> String? { call.query[name] }

    /// Reads the body.
    ///
    /// - Throws: `CloudError.badRequest`.
    package func read<Value>(_ form: Form<Value>) async throws -> Value {
        try read(form, .object(try await call.body.json()))
    }

    /// Reads a body that was already parsed.
    ///
    /// - Throws: `CloudError.badRequest`.
    package func read<Value>(_ form: Form<Value>, _ body: JSON) throws -> Value {
        try form.parse(body, minor: minor, Self.dialect)
    }
}

extension PreparedCall where Answer == Reply {
    package func reply(_ answer: Reply) -> Reply { answer }
}

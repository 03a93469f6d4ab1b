package import Access
package import CloudCore
package import HTTPTypes

/// A maker of the routes of an API. A route is a line of data and a handler. The checks before each handler have one
/// order:
///
/// the token, the checks of the API itself, the microversion, the checks of the route, the rule, the query.
package struct RouteMaker<Prepared: PreparedCall>: Sendable {
    package typealias Handler = @Sendable (Prepared) async throws -> Prepared.Answer

    private let policy: Policy
    private let prefix: String

    /// - Parameter prefix: the beginning of all paths of the API, such as `/v2.1`.
    package init(policy: Policy, prefix: String = "") {
        self.policy = policy
        self.prefix = prefix
    }

    /// Makes a route.
    ///
    /// - Parameters:
    ///   - action: the rule that is asked about the caller's own project; nil if the service asks a rule itself.
    ///   - since: the first minor version that has the route.
    ///   - until: the last minor version that has it.
    ///   - query: the names that the query may have.
    package func route(
        _ method: HTTPRequest.Method, _ path: String, _ action: Action?, since: Int = 0, until: Int = .max,
        query: QueryShape = .none,
        _ handler: @escaping Handler
    ) -> Route {
        route(method, path, RouteRules(action: action, minors: since...until, query: query), handler)
    }

    /// Makes a route with any kind of rule.
    package func route(
        _ method: HTTPRequest.Method, _ path: String, _ rules: RouteRules<Prepared>, _ handler: @escaping Handler
    ) -> Route {
        Route(method, prefix + path) { [policy] call in
            let principal = try await call.caller()
            let minor = call.microversion?.minor ?? Prepared.firstMinor
            let prepared = try Prepared(call, principal, minor: minor, policy: policy)
            guard rules.minors.contains(minor) else { throw rules.otherwise }
            try rules.check(prepared)
            if let action = rules.action { try prepared.require(action, rules.target(call)) }
            try rules.query?.check(prepared)
            return prepared.reply(try await handler(prepared))
        }
    }
}

/// The rules of a route: the conditions that must hold before its handler runs.
package struct RouteRules<Prepared: PreparedCall>: Sendable {
    /// The rule that is asked; nil if the service asks a rule itself.
    package var action: Action?
    /// The minor versions that have the route.
    package var minors: ClosedRange<Int> = 0...Int.max
    /// The error for a client that asks for another minor version.
    package var otherwise = CloudError.notFound("The resource could not be found.")
    /// The checks of the route itself. They come before the rule.
    package var check: @Sendable (Prepared) throws -> Void = { _ in }
    /// The target that the rule is asked about.
    package var target: @Sendable (Call) -> PolicyTarget = { _ in [:] }
    /// The names that the query may have; nil if the handler reads the query itself.
    package var query: QueryShape?

    package init(
        action: Action? = nil, minors: ClosedRange<Int> = 0...Int.max, query: QueryShape? = nil
    ) {
        self.action = action
        self.minors = minors
        self.query = query
    }
}

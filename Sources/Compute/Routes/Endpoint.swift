import Access
import CloudCore
import HTTPKit
import HTTPTypes
import NIOCore

/// A request that got past what all of Compute's have in common.
struct ComputeCall: Sendable {
    let call: Call
    let caller: Caller
    /// The 79 of microversion 2.79.
    var minor: Int { caller.minor }

    func parameter(_ name: String) -> String { call[parameter: name] }

    /// Reads the body.
    ///
    /// - Throws: `CloudError.badRequest`.
    func read<Value>(_ form: Form<Value>) async throws -> Value { try read(form, .object(try await call.body.json())) }

    /// Reads a body that was parsed before.
    ///
    /// - Throws: `CloudError.badRequest`.
    func read<Value>(_ form: Form<Value>, _ body: JSON) throws -> Value { try form.parse(body, minor: minor, .compute) }

    /// The first value of that name in the query.
    func query(_ name: String) -> String? { call.query[name] }

    /// `limit` and `marker`, where the query's shape has let them through.
    ///
    /// - Parameter hasOffset: whether the list also has `offset`. Others pass it over, whatever it is.
    func page(hasOffset: Bool = false) throws -> Page {
        var page = Page()
        if let text = query("limit") { page.limit = max(0, min(Int(text) ?? .max, Page.most)) }
        page.marker = query("marker")
        if hasOffset, let text = query("offset") { page.offset = max(0, Int(text) ?? .max) }
        return page
    }
}

/// Who calls, and which version of the API it wants: what services are given.
struct Caller: Sendable {
    let principal: Principal
    /// The 79 of microversion 2.79.
    let minor: Int
    let requestID: String
    private let policy: Policy

    init(principal: Principal, minor: Int, requestID: String, policy: Policy) {
        self.principal = principal
        self.minor = minor
        self.requestID = requestID
        self.policy = policy
    }

    var isAdministrator: Bool { policy.allows(.isAdministrator, principal) }
    /// Every rule is for a project's token, so there is one.
    var projectID: String { principal.projectID?.text ?? "" }
    var userID: String { principal.userID.text }

    /// - Parameters:
    ///   - projectID: of what is acted upon; nil for the caller's own.
    /// - Throws: `CloudError.forbidden`.
    func require(_ action: Action, projectID: String? = nil, userID: String? = nil) throws {
        do {
            try policy.require(action, principal, target(projectID, userID))
        } catch {
            throw CloudError(.forbidden, "Policy doesn't allow \(action.name) to be performed.", detail: error.detail)
        }
    }

    func may(_ action: Action, projectID: String? = nil) -> Bool { policy.allows(action, principal, target(projectID, nil)) }

    private func target(_ projectID: String?, _ userID: String?) -> PolicyTarget {
        ["project_id": projectID ?? principal.projectID?.text, "user_id": userID ?? principal.userID.text]
    }
}

/// Which part of a list is asked for.
struct Page: Sendable {
    /// The most of a list that is given at once.
    static let most = 1000
    var limit = Self.most
    var marker: String?
    var offset = 0
}

/// What a URL may have behind its `?`.
struct QueryShape: Sendable {
    var named: [(name: String, shape: Shape)] = []
    /// Those that may be given once only.
    var single: Set<String> = []
    /// From this microversion on, a name that is not listed is refused; before it, it is passed over.
    var closedSince: Int

    init(_ named: [(String, Shape)] = [], single: Set<String> = [], closedSince: Int = 102) {
        // A query has texts alone: a shape that no text fits would refuse every value.
        assert(named.allSatisfy { !Set($0.1.typeNames).isDisjoint(with: ["string", "any"]) })
        self.named = named.map { (name: $0.0, shape: $0.1) }
        self.single = single
        self.closedSince = closedSince
    }

    static let none = QueryShape()
    static let noneSince78 = QueryShape(closedSince: 78)
    static let paged: [(String, Shape)] = [("limit", .natural), ("marker", .any)]

    func check(_ query: Query, _ minor: Int) throws {
        for (name, shape) in named {
            let values = query.items.filter { $0.name == name }.map { JSON.string($0.value) }
            if single.contains(name), values.count > 1 { throw Self.wrong(name, .array(values), "\(JSON.array(values).quoted) is too long") }
            for value in values {
                if let mismatch = Dialect.compute.mismatch(value, shape, minor: minor) {
                    throw Self.wrong(name, value, mismatch.schemaWords(limit: 1000))
                }
            }
        }
        guard minor >= closedSince else { return }
        let unknown = Set(query.items.map(\.name)).filter { name in !named.contains { $0.name == name } }
        guard !unknown.isEmpty else { return }
        let names = unknown.sorted().map { "'\($0.prefix(255))'" }.joined(separator: ", ")
        throw CloudError.badRequest("Additional properties are not allowed (\(names) \(unknown.count == 1 ? "was" : "were") unexpected)")
    }

    private static func wrong(_ name: String, _ value: JSON, _ what: String) -> CloudError {
        .badRequest("Invalid input for query parameters \(name). Value: \(value.shown). \(what)")
    }
}

/// Makes the routes, with what comes before and after every handler: who calls, whether the microversion has it, the rule, the query.
struct Endpoint: Sendable {
    let policy: Policy

    /// The parameter of older URLs, which have the project in them.
    static let urlProject = "url_project"

    /// The same routes once more, below the project of who calls.
    static func belowProject(_ routes: [Route]) -> [Route] {
        routes.filter { $0.path.hasPrefix("/v2.1/") }.map { route in
            Route(route.method, "/v2.1/{\(urlProject)}" + route.path.dropFirst("/v2.1".count), route.handler)
        }
    }

    /// - Parameters:
    ///   - action: the rule that is asked with the caller's own project as its target; nil where the service asks another.
    ///   - since: the microversion 2.x that brought it.
    ///   - until: the last that has it.
    func route(
        _ method: HTTPRequest.Method, _ path: String, _ action: Action?, since: Int = 1, until: Int = .max, query: QueryShape = .none,
        _ handler: @escaping @Sendable (ComputeCall) async throws -> Reply
    ) -> Route {
        Route(method, "/v2.1" + path) { [policy] call in
            let minor = call.microversion?.minor ?? 1
            let principal = try await call.caller()
            let caller = Caller(principal: principal, minor: minor, requestID: call.requestID, policy: policy)
            let named = call[parameter: Self.urlProject]
            guard named.isEmpty || named == caller.projectID else {
                throw CloudError.badRequest(
                    "Malformed request URL: URL's project_id '\(named.prefix(255))' doesn't match Context's project_id '\(caller.projectID)'")
            }
            guard (since...until).contains(minor) else { throw CloudError.notFound("The resource could not be found.") }
            if let action { try caller.require(action) }
            try query.check(call.query, minor)
            var reply = try await handler(ComputeCall(call: call, caller: caller))
            reply.headers[.computeRequestID] = call.requestID
            return reply
        }
    }
}

extension Reply {
    static let accepted = Reply(.accepted)
    static let ok = Reply(.ok)
}

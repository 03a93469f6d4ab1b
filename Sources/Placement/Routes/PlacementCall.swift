import Access
import CloudCore
import HTTPKit
import HTTPTypes
import NIOCore

/// A request that got past what all requests of Placement have in common.
struct PlacementCall: PreparedCall {
    let call: Call
    let principal: Principal
    let minor: Int
    private let policy: Policy

    static var dialect: Dialect { .placement("JSON does not validate: ") }
    static let firstMinor = 0
    /// The first minor version whose answers tell when they were last changed.
    private static let cachingSince = 15

    init(_ call: Call, _ principal: Principal, minor: Int, policy: Policy) throws {
        (self.call, self.principal, self.minor, self.policy) = (call, principal, minor, policy)
        let length = call.headers[.contentLength].flatMap { Int($0) } ?? 0
        if (call.headers[.contentType] ?? "").isEmpty, length > 0 {
            throw CloudError.badRequest("content-type header required when content-length > 0")
        }
    }

    var provider: ID<Kind.Provider> { call.id("uuid") }

    func require(_ action: Action, _ target: PolicyTarget) throws { try policy.require(action, principal, target) }

    func reply(_ answer: Answer) -> Reply { Self.reply(answer, minor) }

    static func reply(_ answer: Answer, _ minor: Int) -> Reply {
        var headers = answer.headers
        if minor >= cachingSince, let modified = answer.modified {
            headers[.lastModified] = modified.httpDate
            headers[.cacheControl] = "no-cache"
        }
        guard let bytes = answer.bytes else { return Reply(answer.status, headers: headers) }
        return .json(answer.status, headers: headers, bytes: bytes)
    }

    /// Reads the body.
    ///
    /// - Throws: `CloudError.badRequest`.
    func read<Value>(_ form: Form<Value>) async throws -> Value {
        let body: JSON
        do {
            body = try await call.body.anyJSON()
        } catch let error as JSONSyntaxError {
            throw CloudError.badRequest("Malformed JSON: \(error.description)")
        }
        return try read(form, body)
    }

    /// Reads the body. An error of `exists` comes before what is wrong with the body.
    func read<Value>(_ form: Form<Value>, unless exists: () async throws -> Void) async throws -> Value {
        do {
            return try await read(form)
        } catch {
            try await exists()
            throw error
        }
    }

    /// Checks the query as a JSON object in which the last of several values of a name holds.
    func query(_ shape: Shape) throws {
        let object = JSONObject(call.query.items.map { ($0.name, JSON.string($0.value)) })
        try Dialect.placement("Invalid query string parameters: ").check(.object(object), shape, minor: minor)
    }

    func last(_ name: String) -> String? { call.query.items.last { $0.name == name }?.value }
    func all(_ name: String) -> [String] { call.query.items.filter { $0.name == name }.map(\.value) }

    /// Returns the header of a path below the endpoint. It is right behind any proxy that reaches the endpoint.
    func location(_ path: String) -> HTTPFields { [.location: call.base + path] }

    /// Checks the media types that a request sends and accepts.
    fileprivate func checkMedia(takesBody: Bool, givesBody: Bool) throws {
        if givesBody, let accept = call.headers[.accept], !MediaTypes.acceptsJSON(accept) {
            throw CloudError(.notAcceptable, "Only application/json is provided")
        }
        let essence = (call.headers[.contentType] ?? "").prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
        if takesBody, essence != "application/json" {
            let type = essence.isEmpty ? "None" : String(essence.prefix(80))
            throw CloudError(
                .unsupportedMediaType, "The media type \(type) is not supported, use application/json")
        }
    }
}

extension RouteMaker<PlacementCall> {
    /// Makes a route. The rule is asked before the body is looked at: a caller who may not call learns nothing from it.
    ///
    /// - Parameters:
    ///   - since: the first minor version that has the route.
    ///   - before: the kind of the error for clients of an older one.
    ///   - takesBody: whether it must be called with JSON.
    ///   - givesBody: whether it answers with JSON, which the client must accept; nil for every `GET`.
    ///   - about: the target that the rule is asked about.
    func route(
        _ method: HTTPRequest.Method, _ path: String, _ action: Action, since: Int = 0,
        before: CloudError.Kind = .notFound,
        takesBody: Bool = false, givesBody: Bool? = nil,
        about: @escaping @Sendable (Call) -> PolicyTarget = { _ in [:] },
        _ handler: @escaping Handler
    ) -> Route {
        var rules = RouteRules<PlacementCall>(action: action, minors: since...Int.max)
        if before != .notFound {
            rules.otherwise = CloudError(before, "The method specified is not allowed for this resource.")
        }
        rules.check = { try $0.checkMedia(takesBody: takesBody, givesBody: givesBody ?? (method == .get)) }
        rules.target = about
        return route(method, path, rules, handler)
    }
}

import Access
import CloudCore
import HTTPKit
import HTTPTypes
import NIOCore

/// A request that got past what all of Placement's have in common.
struct PlacementCall: Sendable {
    let call: Call
    /// The 7 of microversion 1.7.
    let minor: Int

    func parameter(_ name: String) -> String { call[parameter: name] }
    var provider: ID<Kind.Provider> { call.id("uuid") }

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
        return try form.parse(body, minor: minor, .placement("JSON does not validate: "))
    }

    /// Reads the body; but what `exists` throws comes before what is wrong with the body.
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

    /// Links are told below the endpoint, so that they are right behind whatever proxy it is reached by.
    func location(_ path: String) -> HTTPFields { [.location: call.base + path] }
}

/// What a handler found out: a status, a body if there is one, and since when it has been so.
struct Answer: Sendable {
    var status: HTTPResponse.Status
    var headers: HTTPFields = [:]
    var bytes: [UInt8]?
    /// Nil for answers that say nothing about it.
    var modified: Timestamp?

    static func json(
        _ status: HTTPResponse.Status = .ok, modified: Timestamp?, headers: HTTPFields = [:], _ members: (inout JSONWriter) throws -> Void
    ) rethrows -> Answer {
        var writer = JSONWriter()
        try writer.object(members)
        return Answer(status: status, headers: headers, bytes: writer.bytes, modified: modified)
    }

    static func empty(_ status: HTTPResponse.Status = .noContent, headers: HTTPFields = [:], modified: Timestamp? = nil) -> Answer {
        Answer(status: status, headers: headers, bytes: nil, modified: modified)
    }
}

/// Makes the routes, with what comes before and after every handler. The policy is asked before the body is looked at: who may not
/// call learns nothing from it.
struct Endpoint: Sendable {
    let policy: Policy

    private static let cachingSince = 15

    /// - Parameters:
    ///   - since: the microversion 1.x that brought it.
    ///   - before: what a client of an older one hears.
    ///   - takesBody: whether it must be called with JSON.
    ///   - givesBody: whether it answers with JSON, which the client must accept; nil for every `GET`.
    ///   - about: what the policy may look at.
    func route(
        _ method: HTTPRequest.Method, _ path: String, _ action: Action, since: Int = 0, before: CloudError.Kind = .notFound,
        takesBody: Bool = false, givesBody: Bool? = nil, about: @escaping @Sendable (Call) -> PolicyTarget = { _ in [:] },
        _ handler: @escaping @Sendable (PlacementCall) async throws -> Answer
    ) -> Route {
        let givesBody = givesBody ?? (method == .get)
        return Route(method, path) { [policy] call in
            let caller = try await call.caller()
            let minor = call.microversion?.minor ?? 0
            try Self.check(call, minor >= since, before, takesBody: takesBody, givesBody: givesBody)
            try policy.require(action, caller, about(call))
            return Self.reply(try await handler(PlacementCall(call: call, minor: minor)), minor)
        }
    }

    private static func check(
        _ call: Call, _ isThere: Bool, _ before: CloudError.Kind, takesBody: Bool, givesBody: Bool
    ) throws {
        let type = call.headers[.contentType] ?? ""
        if type.isEmpty, let length = call.headers[.contentLength].flatMap({ Int($0) }), length > 0 {
            throw CloudError.badRequest("content-type header required when content-length > 0")
        }
        guard isThere else {
            throw before == .notFound
                ? CloudError.notFound("The resource could not be found.")
                : CloudError(before, "The method specified is not allowed for this resource.")
        }
        if givesBody, let accept = call.headers[.accept], !MediaTypes.acceptsJSON(accept) {
            throw CloudError(.notAcceptable, "Only application/json is provided")
        }
        let essence = type.prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
        if takesBody, essence != "application/json" {
            throw CloudError(
                .unsupportedMediaType,
                "The media type \(essence.isEmpty ? "None" : String(essence.prefix(80))) is not supported, use application/json")
        }
    }

    static func reply(_ answer: Answer, _ minor: Int) -> Reply {
        var headers = answer.headers
        if minor >= cachingSince, let modified = answer.modified {
            headers[.lastModified] = modified.httpDate
            headers[.cacheControl] = "no-cache"
        }
        guard let bytes = answer.bytes else { return Reply(answer.status, headers: headers) }
        return .json(answer.status, headers: headers, bytes: bytes)
    }
}

extension Timestamp {
    /// `Tue, 15 Nov 1994 08:12:31 GMT` (RFC 9110 section 5.6.7).
    var httpDate: String {
        // 2026-01-31T23:59:59…
        let text = Array(iso8601Microseconds.utf8)
        func number(_ from: Int, _ count: Int) -> Int { text[from..<from + count].reduce(0) { $0 * 10 + Int($1) - 48 } }
        let days = Int(microseconds.quotientAndRemainder(dividingBy: 86_400_000_000).quotient)
        let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][((days % 7) + 7) % 7]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let clock = String(decoding: text[11..<19], as: UTF8.self)
        let day = String(decoding: text[8..<10], as: UTF8.self)
        return "\(weekday), \(day) \(months[number(5, 2) - 1]) \(number(0, 4)) \(clock) GMT"
    }
}

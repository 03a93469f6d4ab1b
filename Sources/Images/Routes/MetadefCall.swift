import Access
import CloudCore
import HTTPKit
import HTTPTypes

/// A request about metadata definitions, with the caller who makes it.
struct MetadefCall: PreparedCall {
    let call: Call
    let principal: Principal
    let minor: Int

    static let dialect = Dialect.house("metadef")
    static let firstMinor = 0

    init(_ call: Call, _ principal: Principal, minor: Int, policy: Policy) {
        (self.call, self.principal, self.minor) = (call, principal, minor)
    }

    func require(_ action: Action, _ target: PolicyTarget) throws {}

    var namespace: String { call[parameter: "namespace"] }
    var name: String { call[parameter: "name"] }

    /// Returns the body, checked by a schema.
    ///
    /// - Parameter readOnly: the members that only the service sets.
    /// - Throws: `CloudError.forbidden` for a read-only member; `.badRequest` for a body that does not match the
    ///   schema.
    func body(_ schema: JSONObject, readOnly: [String] = ["created_at", "updated_at"]) async throws -> JSONObject {
        let body = try await call.body.json()
        if let name = readOnly.first(where: { body[$0] != nil }) {
            throw CloudError.forbidden("Attribute '\(name)' is read-only.")
        }
        try MetadefSchemaCheck(document: schema).check(body)
        return body
    }

    static let linked = ["self", "schema", "created_at", "updated_at"]

    /// Returns the page of a list that the query asks for.
    ///
    /// - Throws: `CloudError.badRequest` for an invalid limit, key or direction.
    func page(sortKeys: [String], limit: Int? = nil) throws -> MetadefPage {
        var page = MetadefPage(limit: limit, marker: call.query["marker"])
        if let text = call.query["limit"] {
            guard let limit = Int(text) else { throw CloudError.badRequest("limit param must be an integer") }
            guard limit >= 0 else { throw CloudError.badRequest("limit param must be positive") }
            page.limit = min(limit, Self.mostInPage)
        }
        if let key = call.query["sort_key"] {
            guard sortKeys.contains(key) else {
                throw CloudError.badRequest("'\(key.prefix(64))' cannot be sorted by.")
            }
            page.sortKey = key
        }
        if let direction = call.query["sort_dir"] {
            guard ["asc", "desc"].contains(direction) else {
                throw CloudError.badRequest("Invalid sort direction: \(direction.prefix(32))")
            }
            page.isAscending = direction == "asc"
        }
        return page
    }

    private static let mostInPage = Limits.list.page.most
}

extension RouteMaker<MetadefCall> {
    /// Makes a route, whose service asks the rules.
    ///
    /// - Parameter takesBody: whether the request may have a body; nil for every `POST` and `PUT`.
    func route(
        _ method: HTTPRequest.Method, _ path: String, takesBody: Bool? = nil, _ handler: @escaping Handler
    ) -> Route {
        var rules = RouteRules<MetadefCall>()
        if !(takesBody ?? (method == .post || method == .put)) {
            rules.check = { request in
                guard let length = request.call.headers[.contentLength], length != "0" else { return }
                throw CloudError.badRequest("A body is not expected with this request.")
            }
        }
        return route(method, path, rules, handler)
    }
}

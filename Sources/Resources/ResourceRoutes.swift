import CloudCore
package import HTTPKit
package import HTTPTypes

/// The way in which an API addresses its nouns and writes its answers.
package protocol ResourceViews: Sendable {
    /// The HTTP method that changes a resource.
    static var changes: HTTPRequest.Method { get }
    /// Returns the name of the path's segment that holds the id.
    static func parameter<R: Resource>(of type: R.Type) -> String
    /// Returns the condition that a request sets for the row that it changes.
    static func condition<R: Resource>(_ call: Call) throws -> Condition<R>
    /// Writes the answer with one resource.
    ///
    /// - Parameter path: the path of the collection, for links.
    static func one<R: Resource>(
        _ shown: Shown<R>, _ status: HTTPResponse.Status, _ call: Call, _ path: String
    ) throws -> Reply
    /// Writes the answer to a request that created several resources at once.
    static func many<R: Resource>(_ made: Shown<R>, _ call: Call, _ path: String) -> Reply
    static func list<R: Resource>(_ shown: Shown<R>, _ call: Call, _ path: String) -> Reply
}

/// The five routes of a uniform noun.
package struct ResourceRoutes<S: ResourceService, V: ResourceViews>: Sendable {
    private let service: S
    /// The path of the collection, such as `/v3/users`.
    private let path: String
    private let parameter: String

    /// - Parameter parameter: the name of the path's segment that holds the id; nil for the API's usual name.
    package init(_ service: S, at path: String, as _: V.Type, parameter: String? = nil) {
        self.service = service
        self.path = path
        self.parameter = parameter ?? V.parameter(of: S.R.self)
    }

    private var member: String { "\(path)/{\(parameter)}" }
    package var all: [Route] { [list, create, show, update, delete] }

    package var list: Route {
        .get(path) { call in
            let caller = try await call.caller()
            let shown = try await service.list(call.query, by: caller)
            return try await .page(of: shown.rows.count) { V.list(shown, call, path) }
        }
    }

    package var create: Route {
        .post(path) { call in
            let caller = try await call.caller()
            let (made, isBulk) = try await service.create(call.body.json(), by: caller)
            return try await .page(of: made.rows.count) {
                isBulk ? V.many(made, call, path) : try V.one(made, .created, call, path)
            }
        }
    }

    package var show: Route {
        .get(member) { call in
            let caller = try await call.caller()
            return try V.one(try await service.get(call.id(parameter), by: caller), .ok, call, path)
        }
    }

    package var update: Route {
        Route(V.changes, member) { call in
            let caller = try await call.caller()
            let body = try await call.body.json()
            let changed = try await service.update(call.id(parameter), body, if: V.condition(call), by: caller)
            return try V.one(changed, .ok, call, path)
        }
    }

    package var delete: Route {
        .delete(member) { call in
            let caller = try await call.caller()
            try await service.delete(call.id(parameter), if: V.condition(call), by: caller)
            return .noContent
        }
    }
}

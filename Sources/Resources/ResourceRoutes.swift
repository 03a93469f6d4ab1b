import CloudCore
package import HTTPKit
package import HTTPTypes

/// An API's way of addressing its nouns, and of writing one row and many.
package protocol ResourceViews: Sendable {
    /// The method that changes one.
    static var changes: HTTPRequest.Method { get }
    /// Returns the name of the segment that has the id.
    static func parameter<R: Resource>(of type: R.Type) -> String
    /// Reads what a request asks of the row that it changes.
    static func condition<R: Resource>(_ call: Call) throws -> Condition<R>
    /// - Parameter path: the place of the collection, for links.
    static func one<R: Resource>(
        _ shown: Shown<R>, _ status: HTTPResponse.Status, _ call: Call, _ path: String
    ) throws -> Reply
    /// Writes what one request has made.
    static func many<R: Resource>(_ made: Shown<R>, _ call: Call, _ path: String) -> Reply
    static func list<R: Resource>(_ shown: Shown<R>, _ call: Call, _ path: String) -> Reply
}

/// The five routes of a uniform noun.
package struct ResourceRoutes<S: ResourceService, V: ResourceViews>: Sendable {
    private let service: S
    /// The place of the collection, as `/v3/users`.
    private let path: String
    private let parameter: String

    /// - Parameter parameter: the name of the segment that has the id; nil for the API's usual one.
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
            return V.list(try await service.list(call.query, by: caller), call, path)
        }
    }

    package var create: Route {
        .post(path) { call in
            let caller = try await call.caller()
            let (made, isBulk) = try await service.create(call.body.json(), by: caller)
            return isBulk ? V.many(made, call, path) : try V.one(made, .created, call, path)
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

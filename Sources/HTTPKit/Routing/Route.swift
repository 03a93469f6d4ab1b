package import HTTPTypes

/// One line of a service's route table.
package struct Route: Sendable {
    package typealias Handler = @Sendable (Call) async throws -> Reply

    package let method: HTTPRequest.Method
    /// The path, such as `/users/{user_id}`. `{name}` stands for one segment; `{name...}` at the end stands for all
    /// remaining segments, or for none.
    package let path: String
    package let handler: Handler
    /// `GET /users/{user_id}`: the name in metrics, logs, spans and tests.
    package let name: String
    package private(set) var pace = Pace.whole

    /// The way in which a request's time is limited.
    package enum Pace: Sendable {
        /// The request has one time for all.
        case whole
        /// The request carries data. It may last as long as its client keeps the pace of bodies and answers.
        case data
    }

    package init(_ method: HTTPRequest.Method, _ path: String, _ handler: @escaping Handler) {
        name = "\(method.rawValue) \(path)"
        self.method = method
        self.path = path
        self.handler = handler
    }

    package static func get(_ path: String, _ handler: @escaping Handler) -> Route { Route(.get, path, handler) }
    package static func head(_ path: String, _ handler: @escaping Handler) -> Route { Route(.head, path, handler) }
    package static func post(_ path: String, _ handler: @escaping Handler) -> Route { Route(.post, path, handler) }
    package static func put(_ path: String, _ handler: @escaping Handler) -> Route { Route(.put, path, handler) }
    package static func patch(_ path: String, _ handler: @escaping Handler) -> Route { Route(.patch, path, handler) }
    package static func delete(_ path: String, _ handler: @escaping Handler) -> Route { Route(.delete, path, handler) }

    /// Returns the same route below a prefix.
    package func below(_ prefix: String) -> Route {
        var route = Route(method, prefix + path, handler)
        route.pace = pace
        return route
    }

    /// The same route for requests that carry data.
    package var carryingData: Route {
        var route = self
        route.pace = .data
        return route
    }
}

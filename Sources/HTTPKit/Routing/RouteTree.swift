import CloudCore
package import HTTPTypes

/// The routes of a service as a tree of path segments. A literal segment is tried before a parameter.
package struct RouteTree: Sendable {
    private final class Node: Sendable {
        let words: [String: Node]
        let parameter: (name: String, node: Node)?
        /// The parameter `{name...}`, which takes all remaining segments.
        let rest: (name: String, routes: [HTTPRequest.Method: Route])?
        let routes: [HTTPRequest.Method: Route]

        init(_ builder: Builder) {
            words = builder.words.mapValues(Node.init)
            parameter = builder.parameter.map { ($0.name, Node($0.node)) }
            rest = builder.rest
            routes = builder.routes
        }
    }

    private final class Builder {
        var words: [String: Builder] = [:]
        var parameter: (name: String, node: Builder)?
        var rest: (name: String, routes: [HTTPRequest.Method: Route])?
        var routes: [HTTPRequest.Method: Route] = [:]

        func add(_ route: Route, _ segments: ArraySlice<Substring>) throws {
            guard let first = segments.first else {
                guard routes.updateValue(route, forKey: route.method) == nil else { throw RouteConflict(route: route.name) }
                return
            }
            guard first.hasPrefix("{") else {
                let next = words[String(first)] ?? Builder()
                words[String(first)] = next
                return try next.add(route, segments.dropFirst())
            }
            let name = String(first.dropFirst().dropLast())
            if name.hasSuffix("...") {
                var routes = rest?.routes ?? [:]
                routes[route.method] = route
                rest = (String(name.dropLast(3)), routes)
                return
            }
            if let parameter, parameter.name != name { throw RouteConflict(route: route.name) }
            let next = parameter?.node ?? Builder()
            parameter = (name, next)
            try next.add(route, segments.dropFirst())
        }
    }

    package enum Match: Sendable {
        case found(Route, parameters: [(name: String, value: String)])
        case wrongMethod(allowed: [HTTPRequest.Method])
        case notFound
    }

    private let root: Node
    private let answersUnlisted: Bool
    private let ignoresTrailingSlash: Bool

    /// - Parameter ignoresTrailingSlash: whether `/users/` is the same path as `/users`. If not, it is a user with an
    ///   empty id, which does not exist.
    ///
    /// - Throws: `RouteConflict` if two routes are the same, or name the same segment differently.
    package init(_ routes: [Route], answersUnlisted: Bool = true, ignoresTrailingSlash: Bool = true) throws {
        self.answersUnlisted = answersUnlisted
        self.ignoresTrailingSlash = ignoresTrailingSlash
        let builder = Builder()
        for route in routes { try builder.add(route, Self.segments(route.path)[...]) }
        root = Node(builder)
    }

    package func match(_ method: HTTPRequest.Method, _ path: some StringProtocol) -> Match {
        let segments = Self.segments(path)
        if !ignoresTrailingSlash, segments.count > 1, path.hasSuffix("/") { return .notFound }
        var parameters: [(name: String, value: String)] = []
        guard let routes = Self.find(root, segments[...], &parameters) else { return .notFound }
        if let route = routes[method] ?? (method == .head && answersUnlisted ? routes[.get] : nil) {
            return .found(route, parameters: parameters)
        }
        var allowed = Set(routes.keys)
        guard answersUnlisted else { return .wrongMethod(allowed: allowed.sorted { $0.rawValue < $1.rawValue }) }
        if allowed.contains(.get) { allowed.insert(.head) }
        return .wrongMethod(allowed: allowed.union([.options]).sorted { $0.rawValue < $1.rawValue })
    }

    /// Returns the segments of a path. Empty segments (double or trailing slashes) are left out.
    private static func segments(_ path: some StringProtocol) -> [Substring] {
        // By bytes: to split by characters costs ten times as much.
        Substring(path).utf8.split(separator: UInt8(ascii: "/")).map { Substring($0) }
    }

    private static func find(
        _ node: Node, _ segments: ArraySlice<Substring>, _ parameters: inout [(name: String, value: String)]
    ) -> [HTTPRequest.Method: Route]? {
        guard let first = segments.first else {
            if !node.routes.isEmpty { return node.routes }
            guard let rest = node.rest else { return nil }
            parameters.append((rest.name, ""))
            return rest.routes
        }
        if let word = node.words[String(first)] {
            let before = parameters.count
            if let routes = find(word, segments.dropFirst(), &parameters) { return routes }
            parameters.removeSubrange(before...)
        }
        if let parameter = node.parameter, let value = Percent.decode(first) {
            let before = parameters.count
            parameters.append((parameter.name, value))
            if let routes = find(parameter.node, segments.dropFirst(), &parameters) { return routes }
            parameters.removeSubrange(before...)
        }
        if let rest = node.rest, let value = Percent.decode(segments.joined(separator: "/")) {
            parameters.append((rest.name, value))
            return rest.routes
        }
        return nil
    }
}

/// An error: two lines of a route table contradict each other.
package struct RouteConflict: Error, Sendable {
    package let route: String
}

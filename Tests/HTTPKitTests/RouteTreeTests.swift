import HTTPKit
import HTTPTypes
import Testing

@Suite("Routes")
struct RouteTreeTests {
    private static func route(_ method: HTTPRequest.Method, _ path: String) -> Route { Route(method, path) { _ in .noContent } }

    private let tree = try! RouteTree([
        route(.get, "/v3/users"), route(.post, "/v3/users"), route(.get, "/v3/users/{user_id}"),
        route(.delete, "/v3/users/{user_id}"), route(.get, "/v3/users/{user_id}/groups"), route(.get, "/v3/users/me"),
        route(.put, "/files/{path...}"),
    ])

    private func name(_ method: HTTPRequest.Method, _ path: String) -> String? {
        if case .found(let route, _) = tree.match(method, path) { route.path } else { nil }
    }

    @Test("A fixed segment matches before a parameter, and extra slashes are ignored")
    func order() {
        #expect(name(.get, "/v3/users/me") == "/v3/users/me")
        #expect(name(.get, "/v3/users/me/groups") == "/v3/users/{user_id}/groups")
        #expect(name(.get, "//v3/users/") == "/v3/users")
        #expect(name(.get, "/v3/nothing") == nil)
    }

    @Test("A route may treat a trailing slash as a missing id and answer that it is not found")
    func trailingSlash() throws {
        let tree = try RouteTree([Self.route(.get, "/v2"), Self.route(.get, "/v2/images")], ignoresTrailingSlash: false)
        func isFound(_ method: HTTPRequest.Method, _ path: String) -> Bool? {
            switch tree.match(method, path) {
            case .found: true
            case .wrongMethod: nil
            case .notFound: false
            }
        }
        #expect(isFound(.get, "/v2/") == true)
        #expect(isFound(.get, "/v2/images") == true)
        #expect(isFound(.delete, "/v2/images") == nil)
        #expect(isFound(.get, "/v2/images/") == false)
        #expect(isFound(.delete, "/v2/images/") == false)
    }

    @Test("Parameters are decoded segment by segment")
    func parameters() {
        guard case .found(_, let parameters) = tree.match(.get, "/v3/users/a%2Fb%20c") else {
            Issue.record("not found")
            return
        }
        #expect(parameters.map(\.value) == ["a/b c"])
        guard case .found(_, let rest) = tree.match(.put, "/files/a/b/c") else {
            Issue.record("not found")
            return
        }
        #expect(rest.map(\.value) == ["a/b/c"])
    }

    @Test("HEAD is routed like GET, and a wrong method gets the list of allowed ones")
    func methods() {
        #expect(name(.head, "/v3/users") == "/v3/users")
        guard case .wrongMethod(let allowed) = tree.match(.patch, "/v3/users/x") else {
            Issue.record("not refused")
            return
        }
        #expect(allowed.map(\.rawValue) == ["DELETE", "GET", "HEAD", "OPTIONS"])
    }

    @Test("A path that is not percent-encoded UTF-8 matches no route", arguments: ["/v3/users/%ff", "/v3/users/%zz", "/v3/users/%00", "/v3/users/%"])
    func encoding(path: String) { #expect(name(.get, path) == nil) }

    @Test("Routes that contradict each other are refused")
    func conflicts() {
        #expect(throws: RouteConflict.self) { try RouteTree([Self.route(.get, "/a"), Self.route(.get, "/a/")]) }
        #expect(throws: RouteConflict.self) { try RouteTree([Self.route(.get, "/a/{x}"), Self.route(.get, "/a/{y}/b")]) }
    }
}

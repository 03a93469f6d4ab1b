import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import ServiceKit
import TestSupport
import Testing

/// Properties that every route of every service must have, also future ones.
@Suite("Every route", .timeLimit(.minutes(15)))
struct RouteTests {
    static func expectations(_ service: String) throws -> RouteExpectations {
        try #require(RouteExpectations.all[service], "RouteExpectations says nothing of \(service)")
    }

    /// The names of all services, and of the operator's tools.
    static let names = Cloud.services.map { $0.name } + ["Operator"]

    static func service(_ name: String, _ cloud: TestCloud) throws -> APIService {
        if name == "Operator" { return cloud.cloud.operatorTools }
        return try #require(cloud.cloud.assemblies.first { type(of: $0).name == name }).service
    }

    /// Returns the path of a route, with an id or a word for each brace.
    static func path(
        _ route: Route, _ service: APIService, _ word: String, _ things: RouteExpectations.Things = [:]
    ) -> String {
        var before = ""
        let segments = route.path.split(separator: "/").map { segment in
            defer { before = String(segment) }
            guard segment.hasPrefix("{") else { return String(segment) }
            return things[before] ?? things[String(segment.dropFirst().dropLast())] ?? word
        }
        return service.prefixes[0] + "/" + segments.joined(separator: "/")
    }

    static func hasBody(_ route: Route) -> Bool { [.post, .put, .patch].contains(route.method) }

    @Test("The list of services is complete: a cloud has exactly these assemblies")
    func services() async throws {
        try await TestCloud.run { cloud in
            #expect(cloud.cloud.assemblies.map { type(of: $0).name } == Cloud.services.map { $0.name })
        }
    }

    @Test("Every route requires a valid token before anything else", arguments: RouteTests.names)
    func unauthenticated(service: String) async throws {
        let expected = try Self.expectations(service)
        try await TestCloud.run { cloud in
            let api = try Self.service(service, cloud)
            #expect(expected.open.keys.allSatisfy { name in api.routes.contains { $0.name == name } })
            for route in api.routes where expected.open[route.name] == nil {
                for token in [nil, "nv1-forged"] {
                    let path = Self.path(route, api, expected.word)
                    let body: JSON? = Self.hasBody(route) ? [:] : nil
                    let reply = await cloud.send(route.method, path, token: token, json: body)
                    #expect(reply.status == .unauthorized, "\(route.name): \(reply.status) \(reply.text)")
                }
            }
        }
    }

    @Test(
        "Every route that changes something refuses a caller who may only read",
        arguments: RouteTests.names)
    func unprivileged(service: String) async throws {
        let expected = try Self.expectations(service)
        try await TestCloud.run({ $0.simulate.enabled = true }) { cloud in
            let api = try Self.service(service, cloud)
            let stage = try await RouteStage(cloud)
            let token = try await stage.token(expected.role)
            let things = try await expected.make(stage)
            var unneeded = Set(expected.exceptions.map(\.route))
            for route in api.routes where Self.changes(route) && expected.open[route.name] == nil {
                let request = Request(route: route, path: Self.path(route, api, expected.word, things), token: token)
                let statuses = await request.statuses(expected, things, stage)
                if statuses.contains(403) { continue }
                let exception = expected.exceptions.first { $0.route == route.name && statuses.contains($0.status) }
                #expect(exception != nil, "\(route.name): \(statuses)")
                unneeded.remove(route.name)
            }
            #expect(unneeded.isEmpty, "exceptions that no route needs")
        }
    }

    /// Returns whether the route changes something. Compute's routes below the caller's project are left out: they have
    /// the same handlers.
    private static func changes(_ route: Route) -> Bool {
        route.method != .get && route.method != .head && !route.path.contains("{url_project}")
    }

    private struct Request {
        let route: Route
        let path: String
        let token: String

        /// Returns the status of the route in each version of `expected`, since some versions lack the route.
        func statuses(
            _ expected: RouteExpectations, _ things: RouteExpectations.Things, _ stage: RouteStage
        ) async -> [Int] {
            let json = expected.body(route, things) ?? [:]
            let body = RouteTests.hasBody(route) && json != .null ? Array(json.text.utf8) : nil
            var statuses: [Int] = []
            for version in expected.versions.isEmpty ? [""] : expected.versions {
                // A route about a token gets the administrator's.
                var headers: HTTPFields = [.subjectToken: stage.admin]
                if !version.isEmpty { headers[.apiVersion] = version }
                let reply = await stage.cloud.send(
                    route.method, path, token: token, bytes: body, type: expected.type(route), headers: headers)
                statuses.append(reply.status.code)
            }
            return statuses
        }
    }

    @Test("A long body is not read from a caller without a token or without a role", arguments: RouteTests.names)
    func longBodies(service: String) async throws {
        let expected = try Self.expectations(service)
        try await TestCloud.run { cloud in
            let api = try Self.service(service, cloud)
            let unscoped = try await cloud.token(user: "demo", password: TestCloud.demoPassword, project: nil)
            // A route that read it would answer that it is no JSON.
            let body = [UInt8](repeating: UInt8(ascii: "x"), count: Limits.request.longBody.most + 1)
            for route in api.routes where Self.hasBody(route) {
                let path = Self.path(route, api, expected.word)
                for token in [nil, unscoped] {
                    let type = expected.type(route)
                    let reply = await cloud.send(route.method, path, token: token, bytes: body, type: type)
                    let isOpen = expected.open[route.name] != nil
                    if token == nil, !isOpen { #expect(reply.status == .unauthorized, "\(route.name)") }
                    let isRead = [400, 413].contains(reply.status.code) && reply.text.contains("JSON")
                    #expect(!isRead && reply.status.code < 500, "\(route.name): \(reply.status) \(reply.text)")
                }
            }
        }
    }

    @Test(
        "No wrong body makes a route answer with a 5xx", arguments: RouteTests.names,
        ["[]", "5", "\"x\"", "{}", "{\"user\": 5}", "{\"a\": {\"b\": null}}"])
    func wrongBodies(service: String, body: String) async throws {
        try await TestCloud.run { cloud in
            let token = try await cloud.token()
            let json = try JSON.parse(body)
            let api = try Self.service(service, cloud)
            for route in api.routes where Self.hasBody(route) {
                let path = Self.path(route, api, try Self.expectations(service).word)
                let reply = await cloud.send(route.method, path, token: token, json: json)
                let isOurs = reply.status.code >= 500 && reply.status != .notImplemented
                #expect(!isOurs, "\(route.name) with \(body): \(reply.status) \(reply.text)")
            }
        }
    }
}

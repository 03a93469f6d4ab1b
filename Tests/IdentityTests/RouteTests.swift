import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import Identity
import TestSupport
import Testing

/// What must hold of every route, also of those that are still to be written.
@Suite("Every route")
struct RouteTests {
    /// Routes that ask for no token, and why. A new one that forgets to ask fails here.
    private static let open: Set<String> = [
        "GET /", "GET /v3",  // Clients find out what there is before they can have a token.
        "POST /v3/auth/tokens",  // This is where a token comes from.
        "POST /v3/users/{user_id}/password",  // An expired password must be changed to get one; the old one is the proof.
        "POST /v3/OS-OAUTH1/request_token", "POST /v3/OS-OAUTH1/access_token",  // The consumer's signature is the proof.
        "GET /v3/OS-SIMPLE-CERT/ca", "GET /v3/OS-SIMPLE-CERT/certificates",  // Gone, and says so to everybody.
        "GET /v3/auth/tokens/OS-PKI/revoked",
    ]

    private static func path(_ route: Route) -> String {
        route.path.replacing(/\{[^}]*\}/, with: "0123456789abcdef0123456789abcdef")
    }

    private static func hasBody(_ route: Route) -> Bool { [.post, .put, .patch].contains(route.method) }

    @Test("asks who calls, before anything else")
    func unauthenticated() async throws {
        try await TestCloud.run { cloud in
            let routes = cloud.cloud.identity.service.routes
            #expect(routes.count > 100)
            for route in routes where !Self.open.contains(route.name) {
                for token in [nil, "nv1-forged"] {
                    let reply = await cloud.send(
                        route.method, Self.path(route), token: token, json: Self.hasBody(route) ? .object([:]) : nil)
                    #expect(reply.status == .unauthorized, "\(route.name): \(reply.status) \(reply.text)")
                    if route.method != .head { #expect(reply.json["error"]?["code"] == 401, "\(route.name)") }
                }
            }
        }
    }

    @Test("gives somebody with a role on one project nothing to change")
    func unprivileged() async throws {
        try await TestCloud.run { cloud in
            let token = try await cloud.token(user: "demo", password: TestCloud.demoPassword, project: "demo")
            for route in cloud.cloud.identity.service.routes where route.method != .get && !Self.open.contains(route.name) {
                let reply = await cloud.send(
                    route.method, Self.path(route), token: token, json: Self.hasBody(route) ? .object([:]) : nil)
                #expect((400..<500).contains(reply.status.code), "\(route.name): \(reply.status)")
            }
        }
    }

    @Test("answers every wrong body with a 400 that names the member, or less", arguments: ["[]", "5", "\"x\"", "{}", "{\"user\": 5}", "{\"a\": {\"b\": null}}"])
    func wrongBodies(body: String) async throws {
        try await TestCloud.run { cloud in
            let token = try await cloud.token()
            let json = try JSON.parse(body)
            for route in cloud.cloud.identity.service.routes where Self.hasBody(route) {
                let reply = await cloud.send(route.method, Self.path(route), token: token, json: json)
                #expect(reply.status.code < 500, "\(route.name) with \(body): \(reply.status) \(reply.text)")
            }
        }
    }
}

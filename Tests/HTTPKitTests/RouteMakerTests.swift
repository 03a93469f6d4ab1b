import Access
import CloudCore
import HTTPKit
import HTTPTypes
import Logging
import TestSupport
import Testing

@Suite("The route maker")
struct RouteMakerTests {
    /// A call of an API that refuses every header `X-Refused`.
    private struct SampleCall: PreparedCall {
        let call: Call
        let principal: Principal
        let minor: Int
        let policy: Policy

        static let dialect = Dialect.house("sample")
        static let firstMinor = 1
        static let queriesClosedSince = 9

        init(_ call: Call, _ principal: Principal, minor: Int, policy: Policy) throws {
            (self.call, self.principal, self.minor, self.policy) = (call, principal, minor, policy)
            if call.headers[HTTPField.Name("X-Refused")!] != nil { throw CloudError(.conflict, "the API") }
        }

        func require(_ action: Action, _ target: PolicyTarget) throws { try policy.require(action, principal, target) }
    }

    private struct Verifier: TokenVerifier {
        func principal(of token: String) throws -> Principal {
            Principal(
                userID: ID("u"), userName: "u", userDomain: .init(id: "d", name: "d"),
                scope: .project(id: ID("p"), name: "p", domain: .init(id: "d", name: "d")), roles: [],
                expiresAt: Timestamp(seconds: 4_000_000_000))
        }
    }

    private let responder: Responder

    init() throws {
        let policy = try Policy(defaults: [PolicyDefault("take", "@"), PolicyDefault("leave", "!")])
        let maker = RouteMaker<SampleCall>(policy: policy, prefix: "/v2")
        let query = QueryShape([("limit", .natural)], single: ["limit"])
        var checked = RouteRules<SampleCall>(action: "leave", minors: 3...5)
        checked.otherwise = CloudError(.methodNotAllowed, "not yet")
        checked.check = { _ in throw CloudError(.unsupportedMediaType, "the route") }
        let routes = [
            maker.route(.get, "/taken", "take", since: 2, until: 9, query: query) { call in
                .json { $0.member("minor", call.minor) }
            },
            maker.route(.get, "/left", "leave", query: query) { _ in .noContent },
            maker.route(.get, "/checked", checked) { _ in .noContent },
        ]
        let service = APIService(
            name: "sample", prefixes: ["/sample"], envelope: SampleEnvelope(),
            microversions: MicroversionRange(serviceType: "sample", Microversion(1, 1)...Microversion(1, 10)),
            routes: routes + Route.belowProject(routes, prefix: "/v2"))
        responder = try Responder(
            services: [service], verifier: Verifier(), world: .test(),
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func status(_ path: String, _ minor: Int, refused: Bool = false, token: String? = "t") async -> Int {
        var headers: HTTPFields = [.apiVersion: "sample 1.\(minor)"]
        headers[.authToken] = token
        if refused { headers[HTTPField.Name("X-Refused")!] = "yes" }
        let head = HTTPRequest(
            method: .get, scheme: "http", authority: "here", path: "/sample/v2" + path, headerFields: headers)
        return await responder.respond(to: head, .init()).status.code
    }

    @Test("A route answers in its minor versions, and is not found in the others")
    func versions() async {
        for (minor, expected) in [(1, 404), (2, 200), (9, 200), (10, 404)] {
            #expect(await status("/taken", minor) == expected)
        }
    }

    @Test("The checks come in one order: token, API, version, route, rule, query")
    func order() async {
        #expect(await status("/checked?limit=x", 1, refused: true, token: nil) == 401)
        #expect(await status("/checked?limit=x", 1, refused: true) == 409)
        #expect(await status("/checked?limit=x", 1) == 405)
        #expect(await status("/checked?limit=x", 3) == 415)
        #expect(await status("/left?limit=x", 3) == 403)
        #expect(await status("/taken?limit=x", 3) == 400)
    }

    @Test("A query has the listed names alone from the version that says so")
    func queries() async {
        #expect(await status("/taken?limit=1&other=1", 8) == 200)
        #expect(await status("/taken?limit=1&other=1", 9) == 400)
        #expect(await status("/taken?limit=1&limit=2", 2) == 400)
    }

    @Test("A route is there below the project of the URL too")
    func belowProject() async { #expect(await status("/p/taken", 2) == 200) }
}

import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import SQL
import TestSupport
import Testing

@testable import Identity

/// The limits of log-ins that fail, by account and by address.
@Suite("Failed log-ins") struct FailedLogInTests {
    /// A client at an address of its own.
    private struct Client {
        let cloud: TestCloud
        var address = "198.51.100.7"

        func logIn(_ user: String, _ password: String) async -> TestCloud.Response {
            await cloud.from(address).send(.post, "/v3/auth/tokens", json: SecurityTests.password(user, password))
        }

        func demo(_ password: String = TestCloud.demoPassword) async -> HTTPResponse.Status {
            await logIn("demo", password).status
        }

        func fail(_ count: Int, as user: String = "demo") async {
            for _ in 0..<count { #expect(await logIn(user, "wrong").status == .unauthorized) }
        }
    }

    private func run(
        _ change: @Sendable (inout Configuration) -> Void = { _ in }, _ body: (Client) async throws -> Void
    ) async throws {
        try await TestCloud.run({
            ($0.logIn.accountFailures, $0.logIn.addressFailures) = (3, 8)
            change(&$0)
        }) { try await body(Client(cloud: $0)) }
    }

    @Test("An account waits after as many failures as allowed, with the right password too, until the window ends")
    func account() async throws {
        try await run { client in
            await client.fail(3)
            client.cloud.clock.advance(by: .seconds(100))
            let refused = await client.logIn("demo", TestCloud.demoPassword)
            #expect(refused.status == .tooManyRequests)
            #expect(refused.headers[.retryAfter] == "200")
            #expect(
                refused.json == [
                    "error": [
                        "code": 429, "message": "Too many log-ins have failed. Please try again in 200 seconds.",
                        "title": "Too Many Requests",
                    ]
                ])
            client.cloud.clock.advance(by: .seconds(200))
            #expect(await client.demo() == .created)
        }
    }

    @Test("The answer is the same for an account that does not exist")
    func unknown() async throws {
        try await run { client in
            await client.fail(3)
            await client.fail(3, as: "nobody")
            let (known, unknown) = (await client.logIn("demo", "wrong"), await client.logIn("nobody", "wrong"))
            #expect(known.status == .tooManyRequests)
            #expect(known.text == unknown.text)
        }
    }

    @Test("An account is one account, by whatever name a log-in has for it")
    func names() async throws {
        try await run { client in
            let id = try await client.cloud.database.read { tx in
                try UserDirectory().find(.init(name: "demo", domain: .init(name: "Default")), in: tx)?.id.text
            }
            let (byID, byName): (JSONObject, JSONObject) = (
                ["id": .string(try #require(id))], ["name": "demo", "domain": ["name": "Default"]]
            )
            for user in [byID, byName] { #expect(await send(user, "wrong", client) == .unauthorized) }
            await client.fail(1)
            #expect(await client.demo() == .tooManyRequests)
        }
    }

    private func send(_ user: JSONObject, _ password: String, _ client: Client) async -> HTTPResponse.Status {
        var user = user
        user["password"] = .string(password)
        let identity: JSON = ["methods": ["password"], "password": ["user": .object(user)]]
        let body: JSON = ["auth": ["identity": identity]]
        return await client.cloud.from(client.address).send(.post, "/v3/auth/tokens", json: body).status
    }

    @Test("Log-ins that succeed never count, however many there are")
    func successes() async throws {
        try await run { client in
            for _ in 0..<20 { #expect(await client.demo() == .created) }
            await client.fail(2)
            for _ in 0..<20 { #expect(await client.demo() == .created) }
        }
    }

    @Test("An address waits after as many failures as allowed; an account that has logged in there does not")
    func address() async throws {
        try await run { client in
            #expect(await client.demo() == .created)
            for number in 0..<8 { await client.fail(1, as: "nobody\(number)") }
            #expect(await client.logIn("admin", TestCloud.adminPassword).status == .tooManyRequests)
            #expect(await client.logIn("nobody9", "x").status == .tooManyRequests)
            #expect(await client.demo() == .created)
            let neighbour = Client(cloud: client.cloud, address: "198.51.100.8")
            #expect(await neighbour.logIn("admin", TestCloud.adminPassword).status == .created)
            client.cloud.clock.advance(by: .seconds(300))
            #expect(await client.logIn("admin", TestCloud.adminPassword).status == .created)
        }
    }

    @Test("Nobody can lock a user out who has logged in from another address")
    func elsewhere() async throws {
        try await run { client in
            #expect(await client.demo() == .created)
            let attacker = Client(cloud: client.cloud, address: "203.0.113.9")
            await attacker.fail(3)
            #expect(await attacker.demo() == .tooManyRequests)
            #expect(await client.demo() == .created)
        }
    }

    @Test("A known account is limited, too, by its own failures at its address")
    func knownAccount() async throws {
        try await run { client in
            #expect(await client.demo() == .created)
            await client.fail(3)
            #expect(await client.demo() == .tooManyRequests)
            client.cloud.clock.advance(by: .seconds(300))
            #expect(await client.demo() == .created)
        }
    }

    @Test("Guesses side by side are no more than guesses in a row")
    func parallel() async throws {
        try await run { client in
            let statuses = await withTaskGroup(of: HTTPResponse.Status.self) { group in
                for number in 0..<40 { group.addTask { await client.demo("wrong\(number)") } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.allSatisfy { $0 == .unauthorized || $0 == .tooManyRequests })
            #expect(await client.demo() == .tooManyRequests)
        }
    }

    @Test("With the limits off, nobody waits")
    func off() async throws {
        try await run({ ($0.logIn.accountFailures, $0.logIn.addressFailures) = (0, 0) }) { client in
            await client.fail(20)
            #expect(await client.demo() == .created)
        }
    }

    @Test("A change of a password counts as a log-in, since it needs no token")
    func changedPassword() async throws {
        try await run { client in
            let id = try await client.cloud.database.read { tx in
                try UserDirectory().find(.init(name: "demo", domain: .init(id: "default")), in: tx)?.id.text
            }
            let path = "/v3/users/\(try #require(id))/password"
            func change(_ original: String) async -> HTTPResponse.Status {
                let body: JSON = ["user": ["original_password": .string(original), "password": "a-new-password"]]
                return await client.cloud.from(client.address).send(.post, path, json: body).status
            }
            for _ in 0..<3 { #expect(await change("wrong") == .unauthorized) }
            #expect(await change(TestCloud.demoPassword) == .tooManyRequests)
        }
    }

    @Test("Addresses of IPv6 count by their /64, and those of IPv4 as they are, also inside of IPv6")
    func places() {
        let places = [
            "192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8:1:2:3::4": "2001:db8:1:2::/64",
            "2001:db8:1:2:ffff::": "2001:db8:1:2::/64", "-": "-",
        ]
        for (address, place) in places { #expect(FailedLogIns.place(of: address) == place) }
    }

    @Test("Any number of accounts and addresses takes bounded memory")
    func memory() throws {
        let world = World.test()
        let guarded = FailedLogIns(settings: LogInSettings(), world: world)
        for number in 0..<100_000 {
            let address = "10.\(number >> 16).\(number >> 8 & 255).\(number & 255)"
            guarded.noteFailure(.init(ID<Kind.User>("u\(number)")), from: address)
        }
        #expect(guarded.keys <= 3 * Limits.logIn.counters.most)
    }
}

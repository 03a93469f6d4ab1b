import CloudCore
import ControlPlane
import HTTPTypes
import SQL
import TestSupport
import Testing

@testable import Identity

/// Tests of the guards against guessing passcodes, which are short.
@Suite("Passcodes") struct PasscodeTests {
    private static let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    private static let password = "secret-of-ann"

    /// The user Ann, who has a password and a secret for passcodes.
    private struct Ann {
        let cloud: TestCloud
        let id: String

        init(_ cloud: TestCloud) async throws {
            self.cloud = cloud
            let admin = try await cloud.token()
            let made = await cloud.send(.post, "/v3/users", token: admin, json: ["user": ["name": "ann", "password": .string(PasscodeTests.password)]])
            id = try #require(made.json["user"]?["id"]?.string)
            let credential: JSON = ["type": "totp", "user_id": .string(id), "blob": .string(PasscodeTests.secret)]
            _ = await cloud.send(.post, "/v3/credentials", token: admin, json: ["credential": credential])
        }

        /// Returns the valid passcode of now, or of the given number of windows ago.
        func passcode(_ back: Int64 = 0) -> String {
            TOTPMethod.passcode(Base32.decode(PasscodeTests.secret) ?? [], window: cloud.clock.now.seconds / 30 - back)
        }

        func signIn(_ passcode: String, password: String? = PasscodeTests.password, first: String = "password") async -> HTTPResponse.Status {
            let user: JSON = ["id": .string(id), "passcode": .string(passcode)]
            var identity: JSONObject = ["totp": ["user": user]]
            if let password {
                identity["methods"] = first == "password" ? ["password", "totp"] : ["totp", "password"]
                identity["password"] = ["user": ["id": .string(id), "password": .string(password)]]
            } else {
                identity["methods"] = ["totp"]
            }
            return await cloud.send(.post, "/v3/auth/tokens", json: ["auth": ["identity": .object(identity)]]).status
        }
    }

    private func run(_ configure: (inout Configuration) -> Void = { _ in }, _ body: (Ann) async throws -> Void) async throws {
        try await TestCloud.run(configure) { try await body(Ann($0)) }
    }

    @Test("A passcode alone gives no token, and together with a password it does, in either order")
    func besideAPassword() async throws {
        try await run { ann in
            #expect(await ann.signIn(ann.passcode(), password: nil) == .unauthorized)
            #expect(await ann.signIn(ann.passcode()) == .created)
            ann.cloud.clock.advance(by: .seconds(30))
            #expect(await ann.signIn(ann.passcode(), first: "totp") == .created)
        }
    }

    @Test("If configured, a passcode alone gives a token")
    func alone() async throws {
        try await run { $0.totp.soleMethod = true } _: { ann in
            #expect(await ann.signIn("000000", password: nil) == .unauthorized)
            #expect(await ann.signIn(ann.passcode(), password: nil) == .created)
        }
    }

    @Test("A passcode is valid once, and none older than a used one is valid")
    func once() async throws {
        try await run { ann in
            let first = ann.passcode()
            #expect(await ann.signIn(first) == .created)
            #expect(await ann.signIn(first) == .unauthorized)
            #expect(await ann.signIn(ann.passcode(1)) == .unauthorized)
            ann.cloud.clock.advance(by: .seconds(30))
            #expect(await ann.signIn(first) == .unauthorized)
            #expect(await ann.signIn(ann.passcode()) == .created)
        }
    }

    @Test("Five wrong passcodes lock passcodes for a while, and concurrent guesses get no more than five tries", arguments: [false, true])
    func lockout(isAlone: Bool) async throws {
        try await run { $0.totp.soleMethod = isAlone } _: { ann in
            let password = isAlone ? nil : Self.password
            await withTaskGroup(of: HTTPResponse.Status.self) { group in
                for guess in 0..<20 { group.addTask { await ann.signIn("00000\(guess % 10)", password: password) } }
                for await status in group { #expect(status == .unauthorized) }
            }
            #expect(await ann.signIn(ann.passcode(), password: password) == .unauthorized)
            let record = try await ann.cloud.database.read { tx in try PasscodeStore().find(ID(ann.id), in: tx) }
            #expect(record.failedAttempts == TOTPMethod.mostFailures)
            ann.cloud.clock.advance(by: .seconds(1801))
            #expect(await ann.signIn(ann.passcode(), password: password) == .created)
        }
    }

    @Test("A caller without another proof learns nothing about a passcode and locks out nobody")
    func strangers() async throws {
        try await run { ann in
            for _ in 0..<10 { #expect(await ann.signIn("000000", password: nil) == .unauthorized) }
            for _ in 0..<10 { #expect(await ann.signIn("000000", password: "wrong") == .unauthorized) }
            // The password of another user is no proof for Ann.
            let demo: JSON = ["user": ["name": "demo", "domain": ["id": "default"], "password": .string(TestCloud.demoPassword)]]
            for _ in 0..<10 {
                let identity: JSON = [
                    "methods": ["password", "totp"], "password": demo, "totp": ["user": ["id": .string(ann.id), "passcode": "000000"]],
                ]
                #expect(await ann.cloud.send(.post, "/v3/auth/tokens", json: ["auth": ["identity": identity]]).status == .unauthorized)
            }
            #expect(await ann.signIn(ann.passcode()) == .created)
        }
    }
}

import CloudCore
import HTTPKit
import HTTPTypes
import Identity
import SQL
import TestSupport
import Testing

@testable import ControlPlane

/// Several control processes on one PostgreSQL: what one commits holds for the next request to another. No test moves a
/// clock in between, so nothing may hold only after a delay.
@Suite struct ProcessesTests {
    /// The ways in which a token that is used at another process becomes invalid.
    enum Loss: CaseIterable {
        case userDisabled, userDeleted, roleRevoked, tokenRevoked, passwordSet, projectDisabled
    }

    @Test func aTokenIssuedByOneProcessIsValidAtTheOthers() async throws {
        try await TestCloud.runProcesses(3) { clouds in
            for issuer in clouds {
                let token = try await issuer.token()
                for other in clouds { #expect(await other.send(.get, "/v3/users", token: token).status == .ok) }
            }
        }
    }

    @Test(arguments: Loss.allCases)
    func aChangeThatInvalidatesATokenHoldsAtOnceAtTheOtherProcess(loss: Loss) async throws {
        try await TestCloud.runProcesses { clouds in
            let (here, there) = (clouds[0], clouds[1])
            let admin = try await here.token()
            let victim = try await there.memberToken()
            let seen = await there.send(.get, "/v3/auth/tokens", token: victim, headers: [.subjectToken: victim])
            // The second request puts the token into the memory of the process that must forget it.
            #expect(await there.send(.get, "/v3/auth/projects", token: victim).status == .ok)
            let user = try #require(seen.json["token"]?["user"]?["id"]?.string)
            let project = try #require(seen.json["token"]?["project"]?["id"]?.string)
            let role = try #require(seen.json["token"]?["roles"]?.array?.first { $0["name"]?.string == "member" }?["id"]?.string)

            let done =
                switch loss {
                case .userDisabled: await here.send(.patch, "/v3/users/\(user)", token: admin, json: ["user": ["enabled": false]])
                case .userDeleted: await here.send(.delete, "/v3/users/\(user)", token: admin)
                case .roleRevoked: await here.send(.delete, "/v3/projects/\(project)/users/\(user)/roles/\(role)", token: admin)
                case .tokenRevoked: await here.send(.delete, "/v3/auth/tokens", token: victim, headers: [.subjectToken: victim])
                case .passwordSet: await here.send(.patch, "/v3/users/\(user)", token: admin, json: ["user": ["password": "another-one"]])
                case .projectDisabled: await here.send(.patch, "/v3/projects/\(project)", token: admin, json: ["project": ["enabled": false]])
                }
            #expect(done.status == .ok || done.status == .noContent, "\(done.text)")
            #expect(await there.send(.get, "/v3/auth/projects", token: victim).status == .unauthorized)
            #expect(await here.send(.get, "/v3/auth/projects", token: victim).status == .unauthorized)
        }
    }

    @Test func aNewKeyOfOneProcessIsUnderstoodAndUsedByTheOther() async throws {
        try await TestCloud.runProcesses { clouds in
            let (here, there) = (clouds[0], clouds[1])
            let before = try await here.token()
            for _ in 1...3 {
                try await here.cloud.identity.rotateKeys()
                let fresh = try await here.token()
                for cloud in clouds {
                    #expect(await cloud.send(.get, "/v3/users", token: fresh).status == .ok)
                    #expect(await cloud.send(.get, "/v3/users", token: before).status == .ok)
                }
                // The other process has met the key and seals with it from now on.
                #expect(try await there.token().prefix(14) == fresh.prefix(14))
            }
            #expect(try await keys(of: "token", here) == 4)
        }
    }

    @Test func aForgedTokenDoesNotMakeTheProcessReadTheKeysAgain() async throws {
        try await TestCloud.runProcesses { clouds in
            let madeUp = "nv1-" + String(repeating: "A", count: 120)
            let before = clouds[0].database.transactions
            for _ in 1...20 { #expect(await clouds[0].send(.get, "/v3/users", token: madeUp).status == .unauthorized) }
            #expect(clouds[0].database.transactions == before)
        }
    }

    @Test(arguments: 1...4)
    func processesThatStartAtOnceMakeOneCloud(round: Int) async throws {
        try await TestCloud.runProcesses(3, isMade: false) { clouds in
            let made = try await withThrowingTaskGroup(of: (Int, Bool).self) { group in
                for (number, cloud) in clouds.enumerated() {
                    group.addTask { (number, try await cloud.make(adminPassword: "password-of-process-\(number)")) }
                }
                return try await group.reduce(into: [Int]()) { if $1.1 { $0.append($1.0) } }
            }
            #expect(made.count == 1, "one of them says that its passwords count")
            let first = try #require(made.first)
            for cloud in clouds {
                let token = try await cloud.token(password: "password-of-process-\(first)")
                for other in clouds { #expect(await other.send(.get, "/v3/users", token: token).status == .ok) }
                let users = await cloud.send(.get, "/v3/users", token: token).json["users"]?.array ?? []
                #expect(users.compactMap { $0["name"]?.string }.sorted() == ["admin", "demo"])
                let domains = await cloud.send(.get, "/v3/domains", token: token).json["domains"]?.array ?? []
                #expect(domains.compactMap { $0["id"]?.string } == ["default"])
                let services = await cloud.send(.get, "/v3/services", token: token).json["services"]?.array ?? []
                #expect(Set(services.map { $0["type"] }).count == services.count && !services.isEmpty)
                let endpoints = await cloud.send(.get, "/v3/endpoints", token: token).json["endpoints"]?.array ?? []
                #expect(endpoints.count == services.count * 3)
            }
            for purpose in ["token", "secret"] { #expect(try await keys(of: purpose, clouds[0]) == 1, "\(purpose)") }
        }
    }

    private func keys(of purpose: String, _ cloud: TestCloud) async throws -> Int? {
        try await cloud.database.read { tx in try tx.value("SELECT count(*) FROM identity_key WHERE purpose = ?", purpose) }
    }
}

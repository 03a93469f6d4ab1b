import CloudCore
import HTTPTypes
import TestSupport
import Testing

@testable import ControlPlane

@Suite struct TestCloudTests {
    @Test func aCloudAnswersWithoutASocket() async throws {
        try await TestCloud.run { cloud in
            let health = await cloud.send(.get, "/healthz")
            #expect(health.status == .ok)
            #expect(health.json["database"]?.string == "ok")
            #expect(await cloud.send(.get, "/healthz/more").status == .notFound)
            #expect(await cloud.send(.post, "/metrics").status == .methodNotAllowed)
            #expect(await cloud.send(.get, "/v3").status == .ok)
            #expect(await cloud.send(.get, "/identity/v3").status == .ok)
        }
    }

    @Test func aTestCloudTakesItsOwnConfiguration() async throws {
        try await TestCloud.run { $0.cloud.regionName = "elsewhere" } _: { cloud in
            #expect(await cloud.send(.get, "/healthz").status == .ok)
        }
    }

    @Test func aUserGetsATokenAndIsIdentifiedByIt() async throws {
        try await TestCloud.run { cloud in
            let token = try await cloud.token()
            let users = await cloud.send(.get, "/v3/users", token: token)
            #expect(users.status == .ok)
            let names = users.json["users"]?.array?.compactMap { $0["name"]?.string } ?? []
            #expect(Set(names).isSuperset(of: ["admin", "demo"]))
            #expect(await cloud.send(.get, "/v3/users").status == .unauthorized)
            _ = try await cloud.memberToken()
        }
    }

    @Test func aManualClockStandsStillUntilItIsAdvanced() {
        let clock = ManualClock()
        let before = clock.now
        clock.advance(by: .seconds(5))
        #expect(clock.now - before == .seconds(5))
    }
}

import CloudCore
import HTTPTypes
import TestSupport
import Testing

@Suite struct RevocationTests {
    @Test func eventsSinceAGivenTimeAreListed() async throws {
        try await Stage.run { stage in
            _ = await stage.send(.patch, "/v3/users/\(stage.demoID)", ["user": ["enabled": false]], as: stage.admin, .ok)
            let listed = await stage.send(.get, "/v3/OS-REVOKE/events", as: stage.admin, .ok)
            let event = try #require(listed["events"]?.array?.first { $0["user_id"]?.string == stage.demoID })
            #expect(Set(event.object?.keys ?? []) == ["user_id", "issued_before", "revoked_at"])
            #expect(listed["links"]?["self"]?.string == "\(TestCloud.url)/v3/OS-REVOKE/events")
            let now = stage.cloud.clock.now
            let later = (now + .seconds(1)).iso8601Microseconds
            #expect(await stage.send(.get, "/v3/OS-REVOKE/events?since=\(later)", as: stage.admin, .ok)["events"] == [])
            #expect(await stage.send(.get, "/v3/OS-REVOKE/events?since=\(now.iso8601Seconds)", as: stage.admin, .ok)["events"]?.array?.isEmpty == false)
            _ = await stage.send(.get, "/v3/OS-REVOKE/events?since=yesterday", as: stage.admin, .badRequest)
        }
    }

    @Test func onlyServicesAndAdministratorsSeeEvents() async throws {
        try await Stage.run { stage in
            await stage.guarded(.get, "/v3/OS-REVOKE/events")
            _ = await stage.send(.get, "/v3/OS-REVOKE/events", as: try await stage.user("nova", role: "service").token, .ok)
        }
    }

    @Test func routesOfCertificatesAreGoneOrForbidden() async throws {
        try await Stage.run { stage in
            _ = await stage.send(.get, "/v3/OS-SIMPLE-CERT/ca", as: nil, .gone)
            _ = await stage.send(.get, "/v3/OS-SIMPLE-CERT/certificates", as: nil, .gone)
            _ = await stage.send(.get, "/v3/auth/tokens/OS-PKI/revoked", as: nil, .forbidden)
        }
    }
}

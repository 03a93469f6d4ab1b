import CloudCore
import HTTPTypes
import TestSupport
import Testing

@Suite("Compute's quotas")
struct QuotaTests {
    private func withQuotas(
        _ body: @Sendable (_ admin: ComputeClient, _ path: String) async throws -> Void
    ) async throws {
        try await ComputeClient.runAsAdmin { _, admin in
            try await body(admin, "/os-quota-sets/\(await ServerCountTests.project(admin))")
        }
    }

    @Test("A limit holds until it is deleted; then the default holds again")
    func limits() async throws {
        try await withQuotas { admin, path in
            let usual = await admin.good(.get, path)["quota_set"]?["cores"]
            await admin.good(.put, path, ["quota_set": ["cores": 7, "ram": -1]])
            let set = await admin.good(.get, path)["quota_set"]
            #expect(set?["cores"] == 7 && set?["ram"] == -1)
            #expect(await admin.good(.get, path + "/detail")["quota_set"]?["cores"]?["limit"] == 7)
            #expect(await admin.good(.get, path + "/defaults")["quota_set"]?["cores"] == usual)
            await admin.good(.delete, path)
            #expect(await admin.good(.get, path)["quota_set"]?["cores"] == usual)
        }
    }

    @Test("The limit of a user is within the project's, unless it is forced")
    func users() async throws {
        try await withQuotas { admin, path in
            await admin.good(.put, path, ["quota_set": ["cores": 7]])
            let user = path + "?user_id=someone"
            for limit in [8, -1] as [JSON] {
                let message = await admin.refused(.badRequest, .put, user, ["quota_set": ["cores": limit]])
                #expect(message.hasPrefix("Quota limit"), "\(message)")
            }
            await admin.good(.put, user, ["quota_set": ["cores": 3]])
            #expect(await admin.good(.get, user)["quota_set"]?["cores"] == 3)
            #expect(await admin.good(.get, path)["quota_set"]?["cores"] == 7)
            await admin.good(.put, user, ["quota_set": ["cores": 8, "force": true]])
            #expect(await admin.good(.get, user)["quota_set"]?["cores"] == 8)
        }
    }

    @Test("The default class gives the limits of every project that has none of its own")
    func classes() async throws {
        try await withQuotas { admin, path in
            await admin.good(.put, "/os-quota-class-sets/default", ["quota_class_set": ["cores": 5]])
            #expect(await admin.good(.get, path)["quota_set"]?["cores"] == 5)
            await admin.good(.put, path, ["quota_set": ["cores": 6]])
            #expect(await admin.good(.get, path)["quota_set"]?["cores"] == 6)
        }
    }
}

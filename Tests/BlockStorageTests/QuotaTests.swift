import CloudCore
import HTTPTypes
import TestSupport
import Testing

@Suite("Quotas of volumes")
struct QuotaTests {
    private static func project(_ client: VolumeClient) async throws -> String {
        let id = try await client.volume()
        return await client.show(id)["os-vol-tenant-attr:tenant_id"]?.string ?? ""
    }

    @Test(
        "A project has no more volumes, gigabytes and snapshots than its quota allows", arguments: DatabaseKind.allCases
    )
    func limits(_ kind: DatabaseKind) async throws {
        try await VolumeClient.run(on: kind) { _, admin, client in
            let project = try await Self.project(client)
            let path = "/os-quota-sets/\(project)"
            #expect(await client.good(.get, path)["quota_set"]?["gigabytes"] == 1000)
            await client.refused(.forbidden, .put, path, ["quota_set": ["volumes": 1]])
            await admin.good(.put, path, ["quota_set": ["volumes": 2, "gigabytes": 3, "per_volume_gigabytes": 2]])
            let usage = await client.good(.get, path + "?usage=true")["quota_set"]
            #expect(usage?["volumes"] == ["limit": 2, "in_use": 1, "reserved": 0])
            #expect(usage?["volumes___DEFAULT__"]?["in_use"] == 1)
            func make(_ size: Int64) -> JSON { ["volume": ["size": .integer(size)]] }
            #expect(
                await client.refused(.contentTooLarge, .post, "/volumes", make(3))
                    == "Requested volume size 3G is larger than maximum allowed limit 2G.")
            await client.good(.post, "/volumes", make(2))
            #expect(
                await client.refused(.contentTooLarge, .post, "/volumes", make(1)).hasPrefix(
                    "Requested volume or snapshot exceeds allowed gigabytes quota. Requested 1G, quota is 3G and 3G"))
            await admin.good(.put, path, ["quota_set": ["gigabytes": -1]])
            #expect(
                await client.refused(.contentTooLarge, .post, "/volumes", make(1))
                    == "Maximum number of volumes allowed (2) exceeded for quota 'volumes'.")
            await admin.refused(.badRequest, .put, path, ["quota_set": ["volumes": 1]])
            await admin.refused(.badRequest, .put, path, ["quota_set": ["colors": 1]])
            await admin.good(.delete, path)
            #expect(await client.good(.get, path)["quota_set"]?["volumes"] == 10)
            let absolute = await client.good(.get, "/limits")["limits"]?["absolute"]
            #expect(absolute?["totalVolumesUsed"] == 2 && absolute?["totalGigabytesUsed"] == 3)
        }
    }

    @Test("A type has limits of its own, which keep their value when it is renamed")
    func types() async throws {
        try await VolumeClient.run { _, admin, client in
            let type = try await admin.type("gold")
            let project = try await Self.project(client)
            let path = "/os-quota-sets/\(project)"
            await admin.good(.put, path, ["quota_set": ["volumes_gold": 0]])
            let body: JSON = ["volume": ["size": 1, "volume_type": "gold"]]
            await client.refused(.contentTooLarge, .post, "/volumes", body)
            await admin.good(.put, "/types/\(type)", ["volume_type": ["name": "silver"]])
            #expect(await client.good(.get, path)["quota_set"]?["volumes_silver"] == 0)
            _ = try await client.volume()
        }
    }

    @Test("The default class gives the limits of projects for which nothing is set")
    func classes() async throws {
        try await VolumeClient.run { _, admin, client in
            await admin.good(.put, "/os-quota-class-sets/default", ["quota_class_set": ["volumes": 1]])
            let project = try await Self.project(client)
            #expect(await client.good(.get, "/os-quota-sets/\(project)/defaults")["quota_set"]?["volumes"] == 1)
            await client.refused(.contentTooLarge, .post, "/volumes", ["volume": ["size": 1]])
        }
    }
}

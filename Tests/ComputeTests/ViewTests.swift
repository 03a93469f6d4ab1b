import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

@Suite("Compute's views by microversion")
struct ViewTests {
    /// The minors of 2.1-2.104 at which a view of these nouns changes.
    private static let breaks: [(path: String, minors: [Int])] = [
        ("/flavors?limit=1", [1, 55, 102]), ("/flavors/detail?limit=1", [1, 55, 61, 75, 102]), ("/flavors/1", [1, 55, 61, 75, 102]),
        ("/flavors/1/os-extra_specs", [1]), ("/flavors/1/os-extra_specs/hw:cpu_policy", [1]), ("/flavors/2/os-flavor-access", [1]),
        ("/os-keypairs?limit=1", [1, 2, 35]), ("/os-keypairs/key", [1, 2]),
        ("/os-server-groups", [1, 13, 64]), ("/os-aggregates", [1, 41]), ("/os-aggregates/1", [1, 41]),
        ("/os-availability-zone", [1]), ("/os-availability-zone/detail", [1]),
        ("/os-quota-sets/PROJECT", [1, 36, 57]), ("/os-quota-sets/PROJECT/detail", [1, 36, 57]),
        ("/os-quota-class-sets/default", [1, 50, 57]), ("/limits", [1, 36, 39, 57]),
        ("/os-services", [1, 11, 53]), ("/os-hypervisors", [1, 33, 53]), ("/os-hypervisors/detail", [1, 28, 33, 53, 88]),
        ("/os-hypervisors/statistics", [1]), ("/os-migrations", [1]), ("/os-simple-tenant-usage?start=2020-01-01T00:00:00", [1]),
    ]

    @Test("Each view has the fields of its microversion")
    func views() async throws {
        try await TestCloud.run({ $0.simulate.enabled = true; $0.simulate.hosts = 1 }) { cloud in
            let client = try await ComputeClient(cloud)
            await client.flavor("1")
            await client.flavor("2", isPublic: false)
            await client.good(.post, "/flavors/1/os-extra_specs", ["extra_specs": ["hw:cpu_policy": "shared"]])
            let project = await project(client)
            await client.good(.post, "/flavors/2/action", ["addTenantAccess": ["tenant": .string(project)]])
            await client.good(.post, "/os-keypairs", ["keypair": ["name": "key", "public_key": .string(KeyPairTests.ed25519)]])
            await client.good(
                .post, "/os-server-groups",
                ["server_group": ["name": "group", "policy": "anti-affinity", "rules": ["max_server_per_host": 2]]])
            await client.good(.post, "/os-aggregates", ["aggregate": ["name": "rack", "availability_zone": "east"]])
            await client.good(.post, "/os-aggregates/1/action", ["add_host": ["host": "host-1"]])
            var text = ""
            for (path, minors) in Self.breaks {
                for minor in minors {
                    let body = await client.good(.get, path.replacing("PROJECT", with: project), minor: minor)
                    text += "GET \(path) 2.\(minor)\n    \(body.text)\n"
                }
            }
            try Golden.check("views", text)
        }
    }

    private func project(_ client: ComputeClient) async -> String {
        let reply = await client.cloud.send(.get, "/v3/auth/tokens", token: client.token, headers: [.subjectToken: client.token])
        return reply.json["token"]?["project"]?["id"]?.string ?? ""
    }
}

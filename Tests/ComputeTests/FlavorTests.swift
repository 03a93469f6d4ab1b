import CloudCore
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

@Suite("Flavors")
struct FlavorTests {
    @Test("A private flavor is visible to the projects that have access to it, and to administrators who ask for it")
    func access() async throws {
        try await ComputeClient.run { cloud, admin, demo in
            await admin.flavor("open")
            await admin.flavor("own", isPublic: false)
            func seen(_ client: ComputeClient, _ query: String = "") async -> [String] {
                await client.good(.get, "/flavors\(query)")["flavors"]?.array?.compactMap { $0["id"]?.string } ?? []
            }
            #expect(await seen(demo) == ["open"])
            #expect(await seen(admin) == ["open"])
            #expect(await seen(admin, "?is_public=None") == ["open", "own"])
            #expect(await seen(admin, "?is_public=false") == ["own"])
            #expect(await seen(demo, "?is_public=None") == ["open"])
            await demo.refused(.notFound, .get, "/flavors/own")
            let limits = await cloud.send(.get, "/v3/auth/tokens", token: demo.token, headers: [.subjectToken: demo.token])
            let project = limits.json["token"]?["project"]?["id"]?.string ?? ""
            await admin.good(.post, "/flavors/own/action", ["addTenantAccess": ["tenant": .string(project)]])
            await admin.refused(.conflict, .post, "/flavors/own/action", ["addTenantAccess": ["tenant": .string(project)]])
            await admin.refused(.conflict, .post, "/flavors/open/action", ["addTenantAccess": ["tenant": .string(project)]])
            #expect(await seen(demo) == ["open", "own"])
            await admin.good(.post, "/flavors/own/action", ["removeTenantAccess": ["tenant": .string(project)]])
            #expect(await seen(demo) == ["open"])
            await admin.refused(.badRequest, .post, "/flavors/own/action", ["addTenantAccess": ["tenant": "nobody"]])
        }
    }

    @Test("Lists of flavors are filtered, sorted and paged")
    func lists() async throws {
        try await ComputeClient.runAsAdmin { cloud, client in
            for (id, ram) in [("c", 1024), ("a", 2048), ("b", 512)] as [(String, Int64)] { await client.flavor(id, ram: ram) }
            func ids(_ query: String) async -> [String] {
                await client.good(.get, "/flavors?\(query)")["flavors"]?.array?.compactMap { $0["id"]?.string } ?? []
            }
            #expect(await ids("") == ["a", "b", "c"])
            #expect(await ids("sort_key=memory_mb") == ["b", "c", "a"])
            #expect(await ids("sort_key=memory_mb&sort_dir=desc") == ["a", "c", "b"])
            #expect(await ids("minRam=1000") == ["a", "c"])
            #expect(await ids("limit=1&marker=a") == ["b"])
            #expect(await ids("name=r%20[ab]") == ["a", "b"])
            #expect(await ids("limit=0") == [])
            await client.refused(.badRequest, .get, "/flavors?marker=x")
            await client.refused(.badRequest, .get, "/flavors?minRam=x")
            await client.refused(.badRequest, .get, "/flavors?name=a", minor: 75)
            await client.good(.get, "/flavors?whatever=1", minor: 74)
            let links = await client.good(.get, "/flavors?limit=2&sort_dir=asc")["flavors_links"]?.array?.first
            #expect(links?["href"] == "http://cloud.test:5000/compute/v2.1/flavors?limit=2&marker=b&sort_dir=asc")
        }
    }

    @Test(
        "An invalid flavor is refused with the reference's message",
        arguments: [
            (["name": "x", "vcpus": 1, "disk": 1], "Invalid input for field/attribute flavor. Value: {'name': 'x', 'vcpus': 1, 'disk': 1}. 'ram' is a required property"),
            (["name": "", "ram": 1, "vcpus": 1, "disk": 1], "Invalid input for field/attribute name. Value: . '' should be non-empty"),
            (["name": "x", "ram": 0, "vcpus": 1, "disk": 1], "Invalid input for field/attribute ram. Value: 0. 0 is less than the minimum of 1"),
            (["name": "x", "ram": "a", "vcpus": 1, "disk": 1], "Invalid input for field/attribute ram. Value: a. 'a' does not match '^[0-9]*$'"),
            (["name": "x", "ram": 1, "vcpus": 1, "disk": 1, "rxtx_factor": 1], "Additional properties are not allowed ('rxtx_factor' was unexpected)"),
        ] as [(JSON, String)])
    func bodies(_ flavor: JSON, _ message: String) async throws {
        try await ComputeClient.runAsAdmin { _, client in
            #expect(await client.refused(.badRequest, .post, "/flavors", ["flavor": flavor]).hasSuffix(message))
        }
    }

    @Test(
        "Extra specs are validated from microversion 2.86 on",
        arguments: [
            ("hw:cpu_policy", "shared", true), ("hw:cpu_policy", "other", false), ("hw:unknown", "x", false), ("own", "x", true),
            ("own:word", "x", true), ("trait:CUSTOM_A", "required", true), ("trait1:HW_CPU_X86_AVX", "forbidden", true),
            ("trait:CUSTOM_A", "x", false), ("resources:VCPU", "2", true), ("resources:VCPU", "x", false), ("quota:cpu_quota", "-1", true),
            ("hw:numa_cpus.0", "0-3,^2", true), ("hw:numa_cpus.x", "1", false), ("hw:mem_page_size", "2MB", true), ("hw:cpu_cores", "0", false),
            ("aggregate_instance_extra_specs:ssd", "true", true), ("hw:boot_menu", "maybe", false),
        ])
    func extraSpecs(_ key: String, _ value: String, _ isRight: Bool) async throws {
        try await ComputeClient.runAsAdmin { _, client in
            await client.flavor("1")
            let reply = await client.send(.post, "/flavors/1/os-extra_specs", ["extra_specs": [key: .string(value)]], minor: 86)
            #expect(reply.status == (isRight ? .ok : .badRequest), "\(reply.text)")
            await client.good(.post, "/flavors/1/os-extra_specs", ["extra_specs": [key: .string(value)]], minor: 85)
            #expect(await client.good(.get, "/flavors/1")["flavor"]?["extra_specs"] == [key: .string(value)])
        }
    }
}

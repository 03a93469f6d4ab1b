import CloudCore
import Compute
import ControlPlane
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

@Suite("Servers")
struct ServerTests {
    private static let image = "/image/v2/images"

    /// Runs the body in a cloud with simulated hosts, two flavors and an image.
    static func run(hosts: Int = 2, _ body: (ComputeClient, _ image: String) async throws -> Void) async throws {
        try await TestCloud.run({ $0.simulate.enabled = true; $0.simulate.hosts = hosts }) { cloud in
            let client = try await ComputeClient(cloud)
            await client.flavor("small")
            await client.flavor("large", ram: 1024, vcpus: 2)
            let made = await cloud.send(
                .post, Self.image, token: client.token,
                json: ["name": "disk", "disk_format": "raw", "container_format": "bare", "visibility": "public"])
            let id = made.json["id"]?.string ?? ""
            let filled = await cloud.send(
                .put, "\(Self.image)/\(id)/file", token: client.token, bytes: [UInt8](repeating: 0, count: 1024),
                type: "application/octet-stream")
            #expect(filled.status == .noContent, "\(filled.text)")
            try await body(client, id)
        }
    }

    /// Runs everything that is due, until nothing is left.
    static func settle(_ client: ComputeClient) async throws {
        for _ in 0..<200 { if try await !client.cloud.cloud.runner.runDue() { return } }
        Issue.record("the workflows do not come to an end")
    }

    @discardableResult
    static func boot(_ client: ComputeClient, _ image: String, _ extra: JSONObject = [:]) async throws -> String {
        var server: JSONObject = ["name": "one", "imageRef": .string(image), "flavorRef": "small", "networks": "none"]
        for (key, value) in extra.members { server[key] = value }
        let id = await client.good(.post, "/servers", ["server": .object(server)])["server"]?["id"]?.string ?? ""
        try await settle(client)
        return id
    }

    private func status(_ client: ComputeClient, _ id: String) async -> String {
        await client.good(.get, "/servers/\(id)")["server"]?["status"]?.string ?? ""
    }

    @Test("ossa_2012_008 Files that a user wants in a server's disk are ignored, and refused from microversion 2.57 on")
    func ossa_2012_008() async throws {
        try await Self.run(hosts: 1) { client, image in
            let contents = "Y3Jvbg=="
            let server: JSON = [
                "name": "../../etc/passwd", "imageRef": .string(image), "flavorRef": "small", "networks": "none", "config_drive": true,
                "personality": [["path": "/../../../etc/cron.d/x", "contents": .string(contents)]],
            ]
            let id = await client.good(.post, "/servers", ["server": server], minor: 56)["server"]?["id"]?.string ?? ""
            try await Self.settle(client)
            #expect(await status(client, id) == "ACTIVE")
            // The machine has an unchanged disk of the image and a config drive, which contains no such files.
            let disks = client.cloud.cloud.fleet.simulatedMachines.first { $0.id == id }?.disks.map { $0.prefix { $0 != " " } }
            #expect(disks == ["root", "config"])
            await client.refused(.badRequest, .post, "/servers", ["server": server], minor: 57)
        }
    }

    @Test("A server is created, shown, listed and deleted")
    func life() async throws {
        try await Self.run { client, image in
            let body: JSON = ["server": ["name": "one", "imageRef": .string(image), "flavorRef": "small", "networks": "none"]]
            let made = await client.good(.post, "/servers", body)["server"]
            let id = made?["id"]?.string ?? ""
            #expect(made?["adminPass"]?.string?.count == 12)
            #expect(await client.good(.get, "/servers/\(id)")["server"]?["OS-EXT-STS:task_state"] == "scheduling")
            #expect(await status(client, id) == "BUILD")
            try await Self.settle(client)
            let shown = await client.good(.get, "/servers/\(id)")["server"]
            #expect(shown?["status"] == "ACTIVE")
            #expect(shown?["OS-EXT-STS:task_state"] == .null)
            #expect(shown?["OS-EXT-STS:power_state"] == 1)
            #expect(await client.good(.get, "/servers")["servers"]?.array?.count == 1)
            #expect(await client.good(.get, "/limits")["limits"]?["absolute"]?["totalInstancesUsed"] == 1)
            #expect(client.cloud.cloud.fleet.simulatedMachines.map(\.power) == ["running"])
            client.cloud.clock.advance(by: .seconds(1))
            #expect(await client.send(.delete, "/servers/\(id)").status == .noContent)
            #expect(await client.good(.get, "/servers/\(id)")["server"]?["OS-EXT-STS:task_state"] == "deleting")
            try await Self.settle(client)
            await client.refused(.notFound, .get, "/servers/\(id)")
            #expect(client.cloud.cloud.fleet.simulatedMachines.isEmpty)
            #expect(await client.good(.get, "/servers?deleted=True&all_tenants=1")["servers"]?.array?.count == 1)
            #expect(await client.good(.get, "/servers/detail?changes-since=2020-01-01T00:00:00Z")["servers"]?.array?.first?["status"] == "DELETED")
            let actions = await client.good(.get, "/servers/\(id)/os-instance-actions")["instanceActions"]?.array ?? []
            #expect(actions.compactMap { $0["action"]?.string } == ["delete", "create"])
            #expect(await client.good(.get, "/limits")["limits"]?["absolute"]?["totalInstancesUsed"] == 0)
        }
    }

    @Test("Each action changes the state as Nova does, and is refused in other states")
    func verbs() async throws {
        try await Self.run { client, image in
            let id = try await Self.boot(client, image)
            func act(_ body: JSON) async throws {
                #expect(await client.send(.post, "/servers/\(id)/action", body).status == .accepted)
                try await Self.settle(client)
            }
            try await act(["os-stop": nil])
            #expect(await status(client, id) == "SHUTOFF")
            #expect(
                await client.refused(.conflict, .post, "/servers/\(id)/action", ["os-stop": nil])
                    == "Cannot 'stop' instance \(id) while it is in vm_state stopped")
            try await act(["os-start": nil])
            try await act(["pause": nil])
            #expect(await status(client, id) == "PAUSED")
            try await act(["unpause": nil])
            try await act(["suspend": nil])
            #expect(await status(client, id) == "SUSPENDED")
            try await act(["resume": nil])
            try await act(["reboot": ["type": "SOFT"]])
            try await act(["reboot": ["type": "HARD"]])
            #expect(await status(client, id) == "ACTIVE")
            await client.refused(.badRequest, .post, "/servers/\(id)/action", ["reboot": ["type": "other"]])
            await client.refused(.badRequest, .post, "/servers/\(id)/action", ["unknown": nil])
        }
    }

    @Test("A resize can be confirmed or reverted")
    func resize() async throws {
        try await Self.run { client, image in
            let id = try await Self.boot(client, image)
            func act(_ body: JSON) async throws {
                await client.good(.post, "/servers/\(id)/action", body)
                try await Self.settle(client)
            }
            func flavor() async -> JSON? { await client.good(.get, "/servers/\(id)")["server"]?["flavor"]?["original_name"] }
            try await act(["resize": ["flavorRef": "large"]])
            #expect(await status(client, id) == "VERIFY_RESIZE")
            #expect(await flavor() == "flavor large")
            try await act(["revertResize": nil])
            #expect(await status(client, id) == "ACTIVE")
            #expect(await flavor() == "flavor small")
            try await act(["resize": ["flavorRef": "large"]])
            #expect(await client.send(.post, "/servers/\(id)/action", ["confirmResize": nil]).status == .noContent)
            try await Self.settle(client)
            #expect(await status(client, id) == "ACTIVE")
            await client.refused(.badRequest, .post, "/servers/\(id)/action", ["resize": ["flavorRef": "large"]])
            let migrations = await client.good(.get, "/os-migrations")["migrations"]?.array ?? []
            #expect(migrations.compactMap { $0["status"]?.string }.sorted() == ["confirmed", "reverted"])
        }
    }

    @Test("A rebuild gives a server another image, and a snapshot makes an image of it")
    func images() async throws {
        try await Self.run { client, image in
            let id = try await Self.boot(client, image)
            let made = await client.good(.post, "/servers/\(id)/action", ["createImage": ["name": "copy"]])["image_id"]?.string ?? ""
            try await Self.settle(client)
            let copy = await client.cloud.send(.get, "\(Self.image)/\(made)", token: client.token).json
            #expect(copy["status"] == "active")
            #expect(copy["base_image_ref"] == .string(image))
            let rebuilt = await client.good(.post, "/servers/\(id)/action", ["rebuild": ["imageRef": .string(made), "name": "two"]])["server"]
            #expect(rebuilt?["status"] == "REBUILD")
            try await Self.settle(client)
            let shown = await client.good(.get, "/servers/\(id)")["server"]
            #expect(shown?["status"] == "ACTIVE")
            #expect(shown?["name"] == "two")
            #expect(shown?["image"]?["id"] == .string(made))
        }
    }

    @Test("Without a valid host the server is in error, and operators see the reason of each host")
    func noHost() async throws {
        try await Self.run(hosts: 1) { client, image in
            await client.flavor("huge", disk: 1_000_000)
            let id = try await Self.boot(client, image, ["flavorRef": "huge"])
            let fault = await client.good(.get, "/servers/\(id)")["server"]
            #expect(fault?["status"] == "ERROR")
            #expect(fault?["fault"]?["message"]?.string?.hasPrefix("No valid host was found.") == true, "\(fault?.text ?? "")")
            #expect(fault?["fault"]?["details"]?.string?.contains("host-1: placement") == true)
            await client.good(.delete, "/servers/\(id)")
            try await Self.settle(client)
            await client.refused(.notFound, .get, "/servers/\(id)")
        }
    }

    @Test("Quotas are checked in the transaction that creates the servers")
    func quotas() async throws {
        try await Self.run { client, image in
            let reply = await client.cloud.send(.get, "/v3/auth/tokens", token: client.token, headers: [.subjectToken: client.token])
            let project = reply.json["token"]?["project"]?["id"]?.string ?? ""
            await client.good(.put, "/os-quota-sets/\(project)", ["quota_set": ["instances": 2]])
            let server: JSONObject = ["name": "many", "imageRef": .string(image), "flavorRef": "small", "networks": "none"]
            var three = server
            three["min_count"] = 3
            #expect(
                await client.refused(.forbidden, .post, "/servers", ["server": .object(three)])
                    == "Quota exceeded for instances: Requested 3, but already used 0 of 2 instances")
            three["min_count"] = 1
            three["max_count"] = 3
            await client.good(.post, "/servers", ["server": .object(three)])
            try await Self.settle(client)
            let names = await client.good(.get, "/servers?sort_key=display_name&sort_dir=asc")["servers"]?.array?.compactMap { $0["name"]?.string }
            #expect(names == ["many-1", "many-2"])
            await client.refused(.badRequest, .put, "/os-quota-sets/\(project)", ["quota_set": ["instances": 1]])
        }
    }

    @Test("Members see only their project's servers, and only administrators change a locked one")
    func owners() async throws {
        try await Self.run { admin, image in
            let demo = try await ComputeClient.member(admin.cloud)
            let id = try await Self.boot(admin, image)
            let own = try await Self.boot(demo, image)
            await demo.refused(.notFound, .get, "/servers/\(id)")
            await demo.refused(.notFound, .delete, "/servers/\(id)")
            #expect(await demo.good(.get, "/servers")["servers"]?.array?.count == 1)
            #expect(await admin.good(.get, "/servers?all_tenants=true")["servers"]?.array?.count == 2)
            await demo.refused(.forbidden, .get, "/servers?all_tenants=true")
            await demo.good(.post, "/servers/\(own)/action", ["lock": ["locked_reason": "mine"]])
            #expect(await demo.refused(.conflict, .delete, "/servers/\(own)") == "Instance \(own) is locked")
            #expect(await demo.good(.get, "/servers/\(own)")["server"]?["locked_reason"] == "mine")
            await demo.good(.post, "/servers/\(own)/action", ["unlock": nil])
            #expect(await demo.good(.get, "/servers/\(own)")["server"]?["OS-EXT-SRV-ATTR:host"] == nil)
            await demo.good(.delete, "/servers/\(own)")
        }
    }

    @Test("Metadata and tags are set, replaced, deleted and used as filters")
    func parts() async throws {
        try await Self.run { client, image in
            let id = try await Self.boot(client, image, ["metadata": ["a": "1"], "tags": ["x"]])
            let path = "/servers/\(id)"
            #expect(await client.good(.post, path + "/metadata", ["metadata": ["b": "2"]])["metadata"] == ["a": "1", "b": "2"])
            #expect(await client.good(.put, path + "/metadata", ["metadata": ["c": "3"]])["metadata"] == ["c": "3"])
            #expect(await client.good(.put, path + "/metadata/d", ["meta": ["d": "4"]])["meta"] == ["d": "4"])
            await client.refused(.badRequest, .put, path + "/metadata/d", ["meta": ["e": "4"]])
            #expect(await client.send(.delete, path + "/metadata/d").status == .noContent)
            await client.refused(.notFound, .get, path + "/metadata/d")
            #expect(await client.send(.put, path + "/tags/y").status == .created)
            #expect(await client.send(.put, path + "/tags/y").status == .noContent)
            #expect(await client.good(.get, path + "/tags")["tags"] == ["x", "y"])
            #expect(await client.good(.get, "/servers?tags=x,y")["servers"]?.array?.count == 1)
            #expect(await client.good(.get, "/servers?not-tags-any=x")["servers"]?.array?.count == 0)
            await client.refused(.notFound, .delete, path + "/tags/z")
            #expect(await client.send(.delete, path + "/tags").status == .noContent)
        }
    }
}

import CloudCore
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

@Suite("Compute's proxies for other services")
struct OlderTests {
    @Test("Compute's security group routes manage Networking's groups in Nova's old format")
    func securityGroups() async throws {
        try await TestCloud.run { cloud in
            let client = try await ComputeClient(cloud)
            let body: JSON = ["security_group": ["name": "web", "description": "d"]]
            let made = await client.good(.post, "/os-security-groups", body, minor: 35)["security_group"]
            let id = made?["id"]?.string ?? ""
            #expect(made?["rules"] == [])
            let rule: JSON = ["parent_group_id": .string(id), "ip_protocol": "tcp", "from_port": 80, "to_port": 80]
            let ruled = await client.good(.post, "/os-security-group-rules", ["security_group_rule": rule], minor: 35)["security_group_rule"]
            #expect(ruled?["ip_range"] == ["cidr": "0.0.0.0/0"])
            #expect(ruled?["parent_group_id"] == .string(id))
            let same: JSON = ["parent_group_id": .string(id), "group_id": .string(id), "ip_protocol": "udp"]
            let fromGroup = await client.good(.post, "/os-security-group-rules", ["security_group_rule": same], minor: 35)["security_group_rule"]
            #expect(fromGroup?["from_port"] == 1)
            #expect(fromGroup?["group"]?["name"] == "web")
            await client.refused(.badRequest, .post, "/os-security-group-rules", ["security_group_rule": rule], minor: 35)
            await client.refused(
                .badRequest, .post, "/os-security-group-rules", ["security_group_rule": ["parent_group_id": .string(id)]], minor: 35)
            let shown = await client.good(.get, "/os-security-groups/\(id)", minor: 35)["security_group"]
            #expect(shown?["rules"]?.array?.count == 2)
            let all = await client.good(.get, "/os-security-groups", minor: 35)["security_groups"]?.array ?? []
            #expect(all.compactMap { $0["name"]?.string } == ["default", "web"])
            await client.refused(.badRequest, .get, "/os-security-groups/web", minor: 35)
            #expect(await client.send(.delete, "/os-security-groups/\(id)", minor: 35).status == .accepted)
            await client.refused(.notFound, .get, "/os-security-groups/\(id)", minor: 35)
            await client.refused(.notFound, .get, "/os-security-groups", minor: 36)
            let member = try await ComputeClient.member(cloud)
            let usual = await member.good(.get, "/os-security-groups", minor: 35)["security_groups"]?.array?.first?["id"]?.string ?? ""
            await member.refused(.badRequest, .delete, "/os-security-groups/\(usual)", minor: 35)
            await member.refused(.forbidden, .post, "/os-security-groups", ["security_group": ["name": "default", "description": ""]], minor: 35)
        }
    }

    @Test("Compute's image routes manage images and their metadata in Nova's old format")
    func images() async throws {
        try await ServerTests.run { client, image in
            let shown = await client.good(.get, "/images/\(image)", minor: 35)["image"]
            #expect(shown?["status"] == "ACTIVE")
            #expect(shown?["progress"] == 100)
            #expect(shown?["metadata"] == [:])
            #expect(await client.good(.get, "/images/detail?name=disk&status=ACTIVE", minor: 35)["images"]?.array?.count == 1)
            #expect(await client.good(.get, "/images?name=other", minor: 35)["images"] == [])
            let path = "/images/\(image)/metadata"
            #expect(await client.good(.post, path, ["metadata": ["a": "1", "b:c": "2"]], minor: 38)["metadata"]?["a"] == "1")
            #expect(await client.good(.put, path + "/a", ["meta": ["a": "3"]], minor: 38) == ["meta": ["a": "3"]])
            #expect(await client.good(.put, path, ["metadata": ["d": "4"]], minor: 38) == ["metadata": ["d": "4"]])
            #expect(await client.send(.delete, path + "/d", minor: 38).status == .noContent)
            await client.refused(.notFound, .get, path + "/d", minor: 38)
            #expect(await client.send(.delete, "/images/\(image)", minor: 35).status == .noContent)
            #expect(await client.refused(.notFound, .get, "/images/\(image)", minor: 35) == "Image not found.")
            await client.refused(.notFound, .get, "/images", minor: 36)
        }
    }

    @Test("Backups of each type are kept up to the given rotation, and rotation 0 deletes all")
    func backups() async throws {
        try await ServerTests.run { client, image in
            let id = try await ServerTests.boot(client, image)
            func backup(_ name: String, _ kind: String, _ rotation: JSON) async throws {
                client.cloud.clock.advance(by: .seconds(1))
                await client.good(
                    .post, "/servers/\(id)/action",
                    ["createBackup": ["name": .string(name), "backup_type": .string(kind), "rotation": rotation]])
                try await ServerTests.settle(client)
            }
            for (name, kind) in [("d1", "daily"), ("w1", "weekly"), ("d2", "daily"), ("d3", "daily")] { try await backup(name, kind, 2) }
            let kept = await client.good(.get, "/images?type=backup", minor: 35)["images"]?.array ?? []
            #expect(Set(kept.compactMap { $0["name"]?.string }) == ["w1", "d2", "d3"])
            try await backup("none", "daily", 0)
            #expect(await client.good(.get, "/images?type=backup", minor: 35)["images"]?.array?.count == 1)
            #expect(await client.good(.get, "/servers/\(id)/os-instance-actions")["instanceActions"]?.array?.first?["action"] == "createBackup")
        }
    }

    @Test("A snapshot whose image is deleted meanwhile makes no other image")
    func deletedMeanwhile() async throws {
        try await ServerTests.run { client, image in
            let id = try await ServerTests.boot(client, image)
            let made = await client.good(.post, "/servers/\(id)/action", ["createImage": ["name": "copy"]])["image_id"]?.string ?? ""
            #expect(await client.send(.delete, "/images/\(made)", minor: 35).status == .noContent)
            try await ServerTests.settle(client)
            await client.refused(.notFound, .get, "/images/\(made)", minor: 35)
            let shown = await client.good(.get, "/servers/\(id)")["server"]
            #expect(shown?["status"] == "ACTIVE")
            #expect(shown?["OS-EXT-STS:task_state"] == .null)
        }
    }

    @Test("A URL may contain the caller's project, then links do too; another project is refused")
    func projectInURL() async throws {
        try await TestCloud.run { cloud in
            let client = try await ComputeClient(cloud)
            await client.flavor("small")
            let reply = await cloud.send(.get, "/v3/auth/tokens", token: client.token, headers: [.subjectToken: client.token])
            let project = reply.json["token"]?["project"]?["id"]?.string ?? ""
            let flavor = await client.good(.get, "/\(project)/flavors/small")["flavor"]
            #expect(flavor?["links"]?.array?.first?["href"]?.string?.hasSuffix("/compute/v2.1/\(project)/flavors/small") == true)
            await client.refused(.badRequest, .get, "/00000000000000000000000000000000/flavors/small")
            await client.refused(.notFound, .get, "/flavors/small/")
        }
    }

    @Test("A key pair of type x509 has a certificate, and a PKCS #12 file with its key")
    func certificates() async throws {
        try await TestCloud.run { cloud in
            let client = try await ComputeClient(cloud)
            let made = await client.good(.post, "/os-keypairs", ["keypair": ["name": "c", "type": "x509"]], minor: 2)["keypair"]
            #expect(made?["public_key"]?.string?.hasPrefix("-----BEGIN CERTIFICATE-----\n") == true)
            #expect(made?["private_key"]?.string?.hasPrefix("MII") == true)
            #expect(made?["fingerprint"]?.string?.split(separator: ":").count == 20)
            #expect(await client.good(.get, "/os-keypairs/c", minor: 2)["keypair"]?["type"] == "x509")
        }
    }
}

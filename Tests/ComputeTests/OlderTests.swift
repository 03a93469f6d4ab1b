import CloudCore
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

@Suite("Compute's proxies for other services")
struct OlderTests {
    @Test("Compute's security group routes manage Networking's groups in Nova's old format")
    func securityGroups() async throws {
        try await ComputeClient.runAsAdmin { cloud, client in
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

    @Test("Compute's volume routes manage Block Storage's volumes in Nova's old format")
    func volumes() async throws {
        try await VolumeStory.run(hosts: 1) { story in
            let client = story.compute
            func send(_ wish: JSON) async -> TestCloud.Response {
                await client.send(.post, "/os-volumes", ["volume": wish], minor: 35)
            }
            let made = await send([
                "size": "1", "display_name": "a", "display_description": "d", "metadata": ["k": "v"],
            ])
            let id = made.json["volume"]?["id"]?.string ?? ""
            #expect(made.status == .ok, "\(made.text)")
            #expect(made.headers[.location]?.hasSuffix("/compute/v2.1/os-volumes/\(id)") == true)
            try await story.settle()
            let shown = await client.good(.get, "/os-volumes/\(id)", minor: 35)["volume"]
            #expect(shown?["displayName"] == "a" && shown?["displayDescription"] == "d" && shown?["size"] == 1)
            #expect(shown?["metadata"] == ["k": "v"] && shown?["attachments"] == [[:]])
            #expect(shown?["status"] == "available")
            #expect(shown?["snapshotId"] == .null && shown?["availabilityZone"] == "nova")
            let own = await story.show(id)
            #expect(shown?["volumeType"] == own["volume_type"] && shown?["createdAt"] == own["created_at"])

            let server = try await story.server()
            _ = await story.attach(id, to: server)
            try await story.settle()
            let attached: JSON = [
                ["id": .string(id), "volumeId": .string(id), "serverId": .string(server), "device": "/dev/vdb"]
            ]
            #expect(await client.good(.get, "/os-volumes/\(id)", minor: 35)["volume"]?["attachments"] == attached)
            let refusal = await client.refused(.badRequest, .delete, "/os-volumes/\(id)", minor: 35)
            #expect(refusal.hasPrefix("Invalid input received: "))

            let second = await send(["size": 2]).json["volume"]?["id"]?.string ?? ""
            try await story.settle()
            for path in ["/os-volumes", "/os-volumes/detail"] {
                func ids(_ query: String) async -> [String?] {
                    let found = await client.good(.get, path + query, minor: 35)["volumes"]?.array ?? []
                    return found.map { $0["id"]?.string }
                }
                let all = await ids("")
                #expect(Set(all) == [id, second])
                #expect(await ids("?limit=1&offset=1") == [all[1]])
                #expect(await ids("?limit=0") == all)
                #expect(await ids("?offset=9999999999") == [])
                await client.refused(.badRequest, .get, path + "?limit=-1", minor: 35)
                await client.refused(.notFound, .get, path, minor: 36)
            }
            #expect(await client.send(.delete, "/os-volumes/\(second)", minor: 35).status == .accepted)
            try await story.settle()
            let gone = await client.refused(.notFound, .get, "/os-volumes/\(second)", minor: 35)
            #expect(gone == "Volume \(second) could not be found.")
            await client.refused(.notFound, .delete, "/os-volumes/\(second)", minor: 35)
            // A word that names another resource of Block Storage is no volume.
            for word in ["summary", "x"] {
                await client.refused(.notFound, .delete, "/os-volumes/\(word)", minor: 35)
            }
            await client.refused(.notFound, .get, "/os-volumes/\(id)", minor: 36)
        }
    }

    @Test("What Compute's volume routes refuse is refused as Nova does")
    func volumeRefusals() async throws {
        try await VolumeStory.run { story in
            let client = story.compute
            func status(_ wish: JSON) async -> HTTPResponse.Status {
                await client.send(.post, "/os-volumes", ["volume": wish], minor: 35).status
            }
            for size: JSON in ["", "#$%", "0", 0, -1, .null, 1.5, .integer(1 << 40)] {
                #expect(await status(["size": size]) == .badRequest, "\(size)")
            }
            #expect(await status([:]) == .badRequest)
            #expect(await status(["size": 1, "image": "x"]) == .badRequest)
            #expect(await status(["size": 1, "display_name": .null]) == .badRequest)
            #expect(await status(["size": 1, "snapshot_id": "none"]) == .notFound)
            #expect(await status(["size": 1, "volume_type": "none"]) == .notFound)
            let quota: JSON = ["quota_set": ["volumes": 1]]
            let project = try await story.project()
            #expect(await story.storage(.put, "/os-quota-sets/\(project)", quota).status == .ok)
            #expect(await status(["size": 1]) == .forbidden)
            let reader = try await ComputeClient.member(client.cloud)
            #expect(await reader.good(.get, "/os-volumes", minor: 35)["volumes"] == [])
        }
    }

    @Test("Compute's snapshot routes manage Block Storage's snapshots in Nova's old format")
    func snapshots() async throws {
        try await VolumeStory.run(hosts: 1) { story in
            let client = story.compute
            let volume = try await story.volume()
            func send(_ more: JSONObject = [:]) async -> TestCloud.Response {
                var wish: JSONObject = ["volume_id": .string(volume), "display_name": "s", "display_description": "d"]
                for (name, value) in more.members { wish[name] = value }
                return await client.send(.post, "/os-snapshots", ["snapshot": .object(wish)], minor: 35)
            }
            let made = await send()
            #expect(made.status == .ok, "\(made.text)")
            let id = made.json["snapshot"]?["id"]?.string ?? ""
            try await story.settle()
            let shown = await client.good(.get, "/os-snapshots/\(id)", minor: 35)["snapshot"]
            #expect(shown?.object?.keys.sorted() == [
                "createdAt", "displayDescription", "displayName", "id", "size", "status", "volumeId",
            ])
            #expect(shown?["displayName"] == "s" && shown?["volumeId"] == .string(volume) && shown?["size"] == 1)
            #expect(shown?["status"] == "available")
            for path in ["/os-snapshots", "/os-snapshots/detail"] {
                let found = await client.good(.get, path, minor: 35)["snapshots"]
                #expect(found == .array([shown ?? .null]))
                await client.refused(.notFound, .get, path, minor: 36)
            }
            let from: JSON = ["volume": ["size": 1, "snapshot_id": .string(id)]]
            let copy = await client.good(.post, "/os-volumes", from, minor: 35)["volume"]
            #expect(copy?["snapshotId"] == .string(id))

            let server = try await story.server()
            _ = await story.attach(volume, to: server)
            try await story.settle()
            #expect(await send().status == .badRequest)
            #expect(await send(["force": "maybe"]).status == .badRequest)
            let forced = await send(["force": "True"]).json["snapshot"]?["id"]?.string ?? ""
            try await story.settle()
            for each in [id, forced] {
                #expect(await client.send(.delete, "/os-snapshots/\(each)", minor: 35).status == .accepted)
            }
            try await story.settle()
            let gone = await client.refused(.notFound, .get, "/os-snapshots/\(id)", minor: 35)
            #expect(gone == "Snapshot \(id) could not be found.")
            await client.refused(.notFound, .delete, "/os-snapshots/\(id)", minor: 35)
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
        try await ComputeClient.runAsAdmin { cloud, client in
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
        try await ComputeClient.runAsAdmin { _, client in
            let made = await client.good(.post, "/os-keypairs", ["keypair": ["name": "c", "type": "x509"]], minor: 2)["keypair"]
            #expect(made?["public_key"]?.string?.hasPrefix("-----BEGIN CERTIFICATE-----\n") == true)
            #expect(made?["private_key"]?.string?.hasPrefix("MII") == true)
            #expect(made?["fingerprint"]?.string?.split(separator: ":").count == 20)
            #expect(await client.good(.get, "/os-keypairs/c", minor: 2)["keypair"]?["type"] == "x509")
        }
    }
}

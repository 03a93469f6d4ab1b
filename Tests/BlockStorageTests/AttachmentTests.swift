@testable import BlockStorage
import CloudCore
import ControlPlane
import HTTPTypes
import HostModel
import SQL
import TestSupport
import Testing

@Suite("Attachments")
struct AttachmentTests {
    private static let server = "0aa0aaaa-0000-4000-8000-00000000000a"
    private static let otherServer = "0bb0bbbb-0000-4000-8000-00000000000b"

    private static func wish(_ volume: String, _ server: String? = server, connector: JSON? = nil) -> JSON {
        var wish: JSONObject = ["volume_uuid": .string(volume)]
        if let server { wish["instance_uuid"] = .string(server) }
        if let connector { wish["connector"] = connector }
        return ["attachment": .object(wish)]
    }

    private static func id(_ body: JSON) throws -> String { try #require(body["attachment"]?["id"]?.string) }

    /// Attaches a volume as Compute does, in one transaction, and returns the attachment's id.
    private static func attachAsCompute(_ volume: String, _ cloud: TestCloud, project: String) async throws -> String {
        let storage = cloud.cloud.blockStorage
        let use = use(volume, project: project)
        try await cloud.database.write { tx in try storage.reserve(use, in: tx) }
        _ = try await storage.connect(use, on: "host-1")
        try await cloud.database.write { tx in try storage.complete(use.attachment, in: tx) }
        return use.attachment.text
    }

    private static func use(_ volume: String, project: String, number: Int = 0) -> VolumeUse {
        VolumeUse(
            attachment: ID(UUIDText.derived(from: "attachment-\(number)", in: volume)), volume: ID(volume),
            server: ID(server), projectID: project, device: "/dev/vdb")
    }

    private static func project(_ client: VolumeClient, _ volume: String) async -> String {
        await client.show(volume)["os-vol-tenant-attr:tenant_id"]?.string ?? ""
    }

    @Test("An attachment is reserved, connected, completed and deleted, and the volume says so")
    func life() async throws {
        try await VolumeClient.runAsMember { _, client in
            let volume = try await client.volume()
            let id = try Self.id(await client.good(.post, "/attachments", Self.wish(volume)))
            #expect(await client.status(volume) == "reserved")
            #expect(
                await client.refused(.badRequest, .post, "/attachments", Self.wish(volume, Self.otherServer)).contains(
                    "to reserve"))
            let connector: JSON = ["attachment": ["connector": ["host": "h", "mountpoint": "/dev/vdb"]]]
            let changed = await client.good(.put, "/attachments/\(id)", connector)
            #expect(changed["attachment"]?["connection_info"]?["attachment_id"] == .string(id))
            #expect(await client.status(volume) == "attaching")
            await client.good(.post, "/attachments/\(id)/action", ["os-complete": .null])
            let shown = await client.show(volume)
            #expect(shown["status"] == "in-use")
            #expect(shown["attachments"]?.array?.first?["server_id"] == .string(Self.server))
            #expect(shown["attachments"]?.array?.first?["device"] == "/dev/vdb")
            let found = await client.good(.get, "/attachments?instance_id=\(Self.server)")["attachments"]?.array
            #expect(found?.map { $0["id"] } == [.string(id)])
            #expect(await client.refused(.badRequest, .delete, "/volumes/\(volume)").contains("must not be"))
            #expect(await client.good(.delete, "/attachments/\(id)")["attachments"] == [])
            #expect(await client.status(volume) == "available")
        }
    }

    @Test("A volume of a multiattach type is attached several times, and is in use until the last one ends")
    func multiattach() async throws {
        try await VolumeClient.run { _, admin, client in
            _ = try await admin.type("many", ["multiattach": "<is> True"])
            let volume = try await client.volume(["volume_type": "many"])
            var ids: [String] = []
            for server in [Self.server, Self.otherServer] {
                let wish = Self.wish(volume, server, connector: ["host": "h"])
                ids.append(try Self.id(await client.good(.post, "/attachments", wish)))
                await client.good(.post, "/attachments/\(ids.last ?? "")/action", ["os-complete": .null])
            }
            #expect(await client.show(volume)["attachments"]?.array?.count == 2)
            await client.good(.delete, "/attachments/\(ids[0])")
            #expect(await client.status(volume) == "in-use")
            await client.good(.delete, "/attachments/\(ids[1])")
            #expect(await client.status(volume) == "available")
        }
    }

    // MARK: CVE-2023-2088, the five branches

    @Test("cve_2023_2088 An attachment without a server or without a connection may be deleted")
    func unconnected() async throws {
        try await VolumeClient.runAsMember { _, client in
            let volume = try await client.volume()
            let free = try Self.id(
                await client.good(.post, "/attachments", Self.wish(volume, nil, connector: ["host": "h"])))
            await client.good(.delete, "/attachments/\(free)")
            let reserved = try Self.id(await client.good(.post, "/attachments", Self.wish(volume)))
            await client.good(.delete, "/attachments/\(reserved)")
            #expect(await client.status(volume) == "available")
        }
    }

    @Test("cve_2023_2088 An attachment that a server uses is deleted by no user and no administrator")
    func used() async throws {
        try await VolumeClient.run { cloud, admin, client in
            let volume = try await client.volume()
            let id = try await Self.attachAsCompute(volume, cloud, project: await Self.project(client, volume))
            let words = "Detach volume from instance \(Self.server) using the Compute API"
            #expect(await client.refused(.conflict, .delete, "/attachments/\(id)") == words)
            for (word, value) in [
                ("os-detach", [:]), ("os-terminate_connection", ["connector": [:]]), ("os-force_detach", [:]),
            ] as [(String, JSON)] {
                #expect(await admin.refused(.conflict, .post, "/volumes/\(volume)/action", [word: value]) == words)
            }
            // No reset skips the host either.
            let reset: JSON = ["os-reset_status": ["status": "available", "attach_status": "detached"]]
            #expect(await admin.refused(.conflict, .post, "/volumes/\(volume)/action", reset) == words)
            #expect(await client.status(volume) == "in-use")
        }
    }

    @Test("cve_2023_2088 Compute itself ends the attachment, in its own transaction")
    func byCompute() async throws {
        try await VolumeClient.runAsMember { cloud, client in
            let volume = try await client.volume()
            let id = try await Self.attachAsCompute(volume, cloud, project: await Self.project(client, volume))
            let storage = cloud.cloud.blockStorage
            try await cloud.database.write { tx in
                try storage.beginDetaching(ID(id), in: tx)
                try storage.end(ID(id), in: tx)
            }
            #expect(await client.status(volume) == "available")
            await client.refused(.notFound, .get, "/attachments/\(id)")
        }
    }

    @Test("cve_2023_2088 An attachment for a server that Compute does not know may be deleted")
    func unknownServer() async throws {
        try await VolumeClient.runAsMember { _, client in
            let volume = try await client.volume()
            let wish = Self.wish(volume, connector: ["host": "h"])
            let id = try Self.id(await client.good(.post, "/attachments", wish))
            await client.good(.post, "/attachments/\(id)/action", ["os-complete": .null])
            await client.good(.delete, "/attachments/\(id)")
        }
    }

    @Test("cve_2023_2088 Beside the attachment of Compute, another one for the same server may be deleted")
    func otherAttachment() async throws {
        try await VolumeClient.runAsMember { cloud, client in
            let volume = try await client.volume()
            let own = try await Self.attachAsCompute(volume, cloud, project: await Self.project(client, volume))
            let other = try Self.id(await client.good(.post, "/attachments", Self.wish(volume)))
            await client.good(.delete, "/attachments/\(other)")
            #expect(await client.status(volume) == "in-use")
            await client.refused(.conflict, .delete, "/attachments/\(own)")
        }
    }

    @Test("Each attachment has a higher epoch than those before it, and a volume of another project is not found")
    func epochs() async throws {
        try await VolumeClient.runAsMember { cloud, client in
            let volume = try await client.volume()
            let project = await Self.project(client, volume)
            let storage = cloud.cloud.blockStorage
            var epochs: [Int64] = []
            for number in 0..<3 {
                let use = Self.use(volume, project: project, number: number)
                try await cloud.database.write { tx in try storage.reserve(use, in: tx) }
                epochs.append(try #require(try await storage.link(of: use.attachment)).connection.epoch)
                try await cloud.database.write { tx in try storage.end(use.attachment, in: tx) }
            }
            #expect(epochs == epochs.sorted() && Set(epochs).count == 3)
            await #expect(throws: CloudError.self) {
                try await cloud.database.write { tx in
                    try storage.reserve(Self.use(volume, project: "other"), in: tx)
                }
            }
        }
    }

    // MARK: The old way

    @Test("The old way of attaching to a host works step by step")
    func old() async throws {
        try await VolumeClient.runAsMember { _, client in
            let volume = try await client.volume()
            await client.act(volume, "os-reserve")
            #expect(await client.status(volume) == "attaching")
            await client.act(volume, "os-unreserve")
            #expect(await client.status(volume) == "available")
            let connector: JSON = ["connector": ["host": "h"]]
            let info = await client.act(volume, "os-initialize_connection", connector)["connection_info"]
            #expect(info?["data"]?["volume_id"] == .string(volume))
            await client.act(volume, "os-attach", ["host_name": "h", "mountpoint": "/mnt", "mode": "rw"], minor: 0)
            let shown = await client.show(volume)
            #expect(shown["status"] == "in-use")
            let id = try #require(shown["attachments"]?.array?.first?["attachment_id"]?.string)
            await client.act(volume, "os-begin_detaching")
            #expect(await client.status(volume) == "detaching")
            await client.act(volume, "os-roll_detaching")
            #expect(await client.status(volume) == "in-use")
            await client.act(volume, "os-terminate_connection", connector)
            await client.act(volume, "os-detach", ["attachment_id": .string(id)])
            #expect(await client.status(volume) == "available")
        }
    }
}

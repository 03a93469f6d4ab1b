import CloudCore
import ControlPlane
import HTTPTypes
import TestSupport
import Testing

@Suite("Actions on servers whose root disk is a volume")
struct VolumeBackedActionTests {
    /// Makes another image with some properties; returns its id.
    private static func image(_ story: VolumeStory, _ properties: JSONObject = [:]) async throws -> String {
        var wish: JSONObject = [
            "name": "other", "disk_format": "raw", "container_format": "bare", "visibility": "public",
        ]
        for (name, value) in properties.members { wish[name] = value }
        let (cloud, token) = (story.compute.cloud, story.compute.token)
        let made = await cloud.send(.post, "/image/v2/images", token: token, json: .object(wish))
        let id = try #require(made.json["id"]?.string, "\(made.text)")
        let filled = await cloud.send(
            .put, "/image/v2/images/\(id)/file", token: token, bytes: [UInt8](repeating: 1, count: 1024),
            type: "application/octet-stream")
        #expect(filled.status == .noContent, "\(filled.text)")
        return id
    }

    @Test("A shelved server leaves its host at once and keeps its volumes, and comes back with them")
    func shelve() async throws {
        try await VolumeStory.run { story in
            let server = try await story.volumeBacked()
            let data = try await story.volume()
            _ = await story.attach(data, to: server)
            try await story.settle()
            for _ in 0..<2 {
                try await story.act(server, ["shelve": .null])
                #expect(await story.serverStatus(server) == "SHELVED_OFFLOADED")
                #expect(story.machines(server) == [])
                for (_, id) in await story.volumes(server) { #expect(await story.status(id) == "reserved") }
                #expect(await story.storage(.delete, "/volumes/\(data)").status == .badRequest)
                let images = await story.compute.cloud.send(.get, "/image/v2/images", token: story.compute.token)
                #expect(images.json["images"]?.array?.count == 1)
                try await story.act(server, ["unshelve": .null])
                let back = await story.shown(server)
                #expect(back["status"] == "ACTIVE", "\(back["fault"] ?? .null)")
                for (_, id) in await story.volumes(server) { #expect(await story.status(id) == "in-use") }
                #expect(story.disks(server).contains(data))
                #expect(try await story.held("DISK_GB") == 0)
            }
        }
    }

    @Test("A volume that is attached to a server without a host is in use at once, and is there when the server is")
    func attachWithoutHost() async throws {
        try await VolumeStory.run { story in
            let server = try await story.volumeBacked()
            let (first, second) = (try await story.volume(), try await story.volume())
            try await story.act(server, ["shelve": .null])
            for volume in [first, second] {
                #expect(await story.attach(volume, to: server).status == .ok)
                try await story.settle()
                #expect(await story.status(volume) == "in-use")
            }
            await story.compute.good(.delete, "/servers/\(server)/os-volume_attachments/\(second)")
            try await story.settle()
            #expect(await story.status(second) == "available")
            try await story.act(server, ["unshelve": .null])
            #expect(await story.status(first) == "in-use")
            #expect(story.disks(server).contains(first))
            await story.compute.good(.delete, "/servers/\(server)")
            try await story.settle()
            #expect(await story.status(first) == "available")
        }
    }

    @Test("A rebuild gives the root volume the bytes of the image from 2.93 on, and before leaves the volume as it is")
    func rebuild() async throws {
        try await VolumeStory.run(hosts: 1) { story in
            let server = try await story.volumeBacked()
            let data = try await story.volume()
            _ = await story.attach(data, to: server)
            try await story.settle()
            let other = try await Self.image(story, ["hw_disk_bus": "scsi"])
            let root = await story.volumes(server)["/dev/vda"] ?? ""
            func imageOfRoot() async -> String? { await story.show(root)["volume_image_metadata"]?["image_id"]?.string }
            let path = "/servers/\(server)/action"
            let rebuild: JSON = ["rebuild": ["imageRef": .string(other), "name": "two"]]
            let refusal = await story.compute.refused(.badRequest, .post, path, rebuild, minor: 92)
            #expect(refusal.hasPrefix("Image \(other) is unacceptable: Unable to rebuild with a different image"))
            try await story.act(server, ["rebuild": ["imageRef": .string(story.image), "name": "one"]], minor: 92)
            #expect(await story.serverStatus(server) == "ACTIVE")
            #expect(await imageOfRoot() == story.image)
            for _ in 0..<2 {
                await story.compute.good(.post, path, rebuild)
                #expect(await story.serverStatus(server) == "REBUILD")
                try await story.settle()
                let shown = await story.shown(server)
                #expect(shown["status"] == "ACTIVE" && shown["name"] == "two" && shown["image"] == "", "\(shown.text)")
                #expect(await imageOfRoot() == other)
                for volume in [root, data] { #expect(await story.status(volume) == "in-use") }
                #expect(story.disks(server) == [root, data])
            }
            await story.compute.good(.delete, "/servers/\(server)")
            try await story.settle()
            #expect(await story.status(root) == "gone")
            #expect(await story.status(data) == "available")
        }
    }

    @Test("A rescue from 2.87 on leaves the disks in their places, and wants an image that says which device it is")
    func rescue() async throws {
        try await VolumeStory.run(hosts: 1) { story in
            let server = try await story.volumeBacked()
            let root = await story.volumes(server)["/dev/vda"] ?? ""
            let device: JSONObject = ["hw_rescue_device": "disk", "hw_rescue_bus": "virtio"]
            let (plain, able) = (try await Self.image(story), try await Self.image(story, device))
            let path = "/servers/\(server)/action"
            func rescue(_ image: String) -> JSON { ["rescue": ["rescue_image_ref": .string(image)]] }
            let words = "Instance \(server) cannot be rescued: Cannot rescue a volume-backed instance"
            #expect(await story.compute.refused(.badRequest, .post, path, rescue(able), minor: 86) == words)
            #expect(await story.compute.refused(.badRequest, .post, path, rescue(plain)) == words)
            #expect(await story.compute.refused(.badRequest, .post, path, ["rescue": .null]) == words)
            try await story.act(server, rescue(able))
            #expect(await story.serverStatus(server) == "RESCUE")
            #expect(story.disks(server) == [root, "rescue"])
            try await story.act(server, ["unrescue": .null])
            #expect(await story.serverStatus(server) == "ACTIVE")
            #expect(story.disks(server) == [root])
        }
    }

    @Test("A resize may lead to a flavor with a smaller disk, or with none")
    func resize() async throws {
        try await VolumeStory.run(hosts: 1) { story in
            await story.compute.flavor("diskless", ram: 1024, vcpus: 1, disk: 0)
            let server = try await story.volumeBacked()
            try await story.act(server, ["resize": ["flavorRef": "diskless"]])
            #expect(await story.serverStatus(server) == "VERIFY_RESIZE")
            try await story.act(server, ["confirmResize": .null])
            #expect(await story.serverStatus(server) == "ACTIVE")
            let root = await story.volumes(server)["/dev/vda"] ?? ""
            #expect(await story.status(root) == "in-use")
        }
    }
}

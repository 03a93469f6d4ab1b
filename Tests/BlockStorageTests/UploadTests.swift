import CloudCore
import HTTPTypes
import TestSupport
import Testing

@Suite("Images of volumes")
struct UploadTests {
    private static func image(_ cloud: TestCloud, _ client: VolumeClient, _ id: String) async -> JSON {
        await cloud.send(.get, "/image/v2/images/\(id)", token: client.token).json
    }

    @Test("A volume becomes an image with the properties of its own image, and is as before then")
    func upload() async throws {
        try await VolumeClient.runAsMember { cloud, client in
            let id = try await client.volume()
            await client.act(id, "os-set_image_metadata", ["metadata": ["hw_disk_bus": "scsi", "min_disk": "7"]])
            let wish: JSON = ["image_name": "copy", "disk_format": "qcow2", "protected": true, "visibility": "shared"]
            let made = await client.act(id, "os-volume_upload_image", wish)["os-volume_upload_image"]
            #expect(made?["status"] == "uploading" && made?["disk_format"] == "qcow2", "\(made ?? .null)")
            #expect(made?["protected"] == true && made?["visibility"] == "shared" && made?["size"] == 1)
            #expect(await client.status(id) == "uploading")
            try await cloud.settleAll()
            #expect(await client.status(id) == "available")
            let image = await Self.image(cloud, client, made?["image_id"]?.string ?? "")
            #expect(image["status"] == "active" && image["name"] == "copy", "\(image.text)")
            #expect(image["disk_format"] == "qcow2" && image["container_format"] == "bare")
            #expect(image["protected"] == true && image["visibility"] == "shared" && image["min_disk"] == 1)
            #expect(image["hw_disk_bus"] == "scsi")
        }
    }

    @Test("Visibility and protection are known from 3.1 on, and a volume in use needs force")
    func parameters() async throws {
        try await VolumeClient.runAsMember { cloud, client in
            let id = try await client.volume()
            let path = "/volumes/\(id)/action"
            func wish(_ more: JSONObject) -> JSON {
                var wish: JSONObject = ["image_name": "copy"]
                for (name, value) in more.members { wish[name] = value }
                return ["os-volume_upload_image": .object(wish)]
            }
            await client.refused(.badRequest, .post, path, wish(["visibility": "private"]), minor: 0)
            await client.refused(.badRequest, .post, path, wish(["disk_format": "floppy"]))
            await client.refused(.forbidden, .post, path, wish(["visibility": "public"]))
            await client.act(id, "os-attach", ["host_name": "h", "mountpoint": "/mnt"])
            await client.refused(.badRequest, .post, path, wish([:]))
            await client.good(.post, path, wish(["force": true]))
            try await cloud.settleAll()
            #expect(await client.status(id) == "in-use")
        }
    }

    @Test("A copy that fails leaves the volume as it was and no image, and a message says why")
    func failed() async throws {
        try await VolumeClient.runAsMember { cloud, client in
            let id = try await client.volume(["metadata": ["simulate:fault": "export-fails"]])
            let made = await client.act(id, "os-volume_upload_image", ["image_name": "copy"])["os-volume_upload_image"]
            try await cloud.settleAll()
            #expect(await client.status(id) == "available")
            let image = made?["image_id"]?.string ?? ""
            let found = await cloud.send(.get, "/image/v2/images/\(image)", token: client.token)
            #expect(found.status == .notFound, "\(found.text)")
            let message = await client.good(.get, "/messages")["messages"]?.array?.first
            #expect(message?["event_id"]?.string?.hasPrefix("VOLUME_VOLUME_") == true, "\(message ?? .null)")
        }
    }
}

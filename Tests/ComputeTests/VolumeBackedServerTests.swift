import CloudCore
import ControlPlane
import HTTPTypes
import HostModel
import TestSupport
import Testing

@Suite("Servers whose root disk is a volume")
struct VolumeBackedServerTests {
    private static let live: JSON = ["os-migrateLive": ["host": nil, "block_migration": "auto"]]

    @Test("The QoS of a volume's type bounds the machine's use of the volume, at the boot and when it is attached")
    func qualityOfService() async throws {
        try await VolumeStory.run(hosts: 1) { story in
            let made = await story.storage(
                .post, "/qos-specs",
                ["qos_specs": ["name": "q", "consumer": "front-end", "total_iops_sec_per_gb": "100"]])
            let qos = try #require(made.json["qos_specs"]?["id"]?.string, "\(made.text)")
            let type = await story.storage(.post, "/types", ["volume_type": ["name": "fast"]])
            let id = try #require(type.json["volume_type"]?["id"]?.string, "\(type.text)")
            #expect(await story.storage(.get, "/qos-specs/\(qos)/associate?vol_type_id=\(id)").status == .accepted)
            let second: JSON = [
                "source_type": "blank", "destination_type": "volume", "volume_size": 3, "volume_type": "fast",
            ]
            let server = try await story.volumeBacked(devices: [second])
            let third = try await story.volume(["volume_type": "fast", "size": 5])
            _ = await story.attach(third, to: server)
            try await story.settle()
            let rates = story.compute.cloud.cloud.fleet.simulatedMachines.first { $0.id == server }?.rates ?? [:]
            #expect(rates.values.map { $0.operations.total }.sorted { $0 ?? 0 < $1 ?? 0 } == [300, 500])
            #expect(rates[third]?.operations.total == 500)
        }
    }

    @Test("A root disk that is a volume takes nothing of a host's disk, also after a resize, a move and an evacuation")
    func diskShare() async throws {
        try await VolumeStory.run(hosts: 2) { story in
            let server = try await story.volumeBacked()
            let root = await story.volumes(server)["/dev/vda"] ?? ""
            func expect(_ status: String, _ location: SourceLocation = #_sourceLocation) async throws {
                let shown = await story.shown(server)
                #expect(shown["status"]?.string == status, "\(shown["fault"]?.text ?? "")", sourceLocation: location)
                #expect(try await story.held("DISK_GB") == 0, sourceLocation: location)
                let hypervisors = await story.compute.good(.get, "/os-hypervisors/detail", minor: 87)["hypervisors"]
                for host in hypervisors?.array ?? [] { #expect(host["local_gb_used"] == 0, sourceLocation: location) }
            }
            try await expect("ACTIVE")
            try await story.act(server, ["resize": ["flavorRef": "large"]])
            try await expect("VERIFY_RESIZE")
            try await story.act(server, ["confirmResize": .null])
            try await expect("ACTIVE")
            try await story.act(server, ["migrate": .null])
            try await story.act(server, ["revertResize": .null])
            try await expect("ACTIVE")
            try await story.act(server, Self.live)
            try await expect("ACTIVE")
            #expect(await story.status(root) == "in-use")
            // The machine may still use its volumes on the new host.
            let data = try await story.volume()
            #expect(await story.attach(data, to: server).status == .ok)
            try await story.settle()
            #expect(await story.status(data) == "in-use")
            #expect(story.disks(server) == [root, data])
            await story.compute.good(.delete, "/servers/\(server)/os-volume_attachments/\(data)")
            try await story.settle()
            #expect(await story.status(data) == "available")
            // The host that is lost is not the one that has the volume.
            let place = await story.show(root)["os-vol-host-attr:host"]?.string ?? ""
            var lost = await story.shown(server)["OS-EXT-SRV-ATTR:host"]?.string ?? ""
            if place.hasPrefix("\(lost)@") { try await story.act(server, Self.live) }
            lost = await story.shown(server)["OS-EXT-SRV-ATTR:host"]?.string ?? ""
            story.compute.cloud.cloud.fleet.setCut(true, lost)
            let services = await story.compute.good(.get, "/os-services")["services"]?.array ?? []
            let service = services.first { $0["host"]?.string == lost }?["id"]?.string ?? ""
            await story.compute.good(.put, "/os-services/\(service)", ["forced_down": true])
            try await story.act(server, ["evacuate": [:]], minor: 94)
            try await expect("ACTIVE")
            #expect(await story.shown(server)["OS-EXT-SRV-ATTR:host"]?.string != lost)
            story.compute.cloud.cloud.fleet.setCut(false, lost)
            await story.compute.good(.put, "/os-services/\(service)", ["forced_down": false])
            try await story.compute.cloud.cloud.look()
            await story.compute.good(.delete, "/servers/\(server)")
            try await story.settle()
            #expect(await story.status(root) == "gone")
        }
    }

    @Test("An image of such a server has no bytes and names snapshots of all its volumes, and servers boot from it")
    func image() async throws {
        try await VolumeStory.run(hosts: 1) { story in
            let second: JSON = [
                "source_type": "blank", "destination_type": "volume", "volume_size": 2, "boot_index": -1,
            ]
            let server = try await story.volumeBacked(devices: [second])
            let wish: JSON = ["createImage": ["name": "copy", "metadata": ["own": "yes"]]]
            let made = await story.compute.good(.post, "/servers/\(server)/action", wish)
            let id = try #require(made["image_id"]?.string)
            func image() async -> JSON {
                await story.compute.cloud.send(.get, "/image/v2/images/\(id)", token: story.compute.token).json
            }
            #expect(await image()["status"] == "queued")
            try await story.settle()
            let shown = await image()
            #expect(shown["status"] == "active" && shown["size"] == 0, "\(shown.text)")
            #expect(shown["disk_format"] == "raw" && shown["own"] == "yes" && shown["bdm_v2"] == "True")
            #expect(shown["root_device_name"] == "/dev/vda" && shown["image_id"]?.string == nil)
            let devices = try #require((try JSON.parse(shown["block_device_mapping"]?.string ?? "")).array)
            #expect(devices.map { $0["source_type"] } == ["snapshot", "snapshot"])
            #expect(devices.map { $0["volume_size"] } == [1, 2])
            #expect(devices.map { $0["boot_index"] } == [0, .null])
            for device in devices {
                let snapshot = await story.storage(.get, "/snapshots/\(device["snapshot_id"]?.string ?? "")").json
                #expect(snapshot["snapshot"]?["status"] == "available")
                #expect(snapshot["snapshot"]?["name"] == "snapshot for copy")
            }
            let other = try await ServerTests.boot(story.compute, id)
            try await story.settle()
            let copy = await story.shown(other)
            #expect(copy["status"] == "ACTIVE" && copy["image"]?["id"]?.string == id, "\(copy.text)")
            #expect(await story.volumes(other).keys.sorted() == ["/dev/vda", "/dev/vdb"])
            let root = await story.volumes(other)["/dev/vda"] ?? ""
            #expect(await story.show(root)["snapshot_id"] == devices[0]["snapshot_id"])
            #expect(try await story.held("DISK_GB") == 0)
            // A root disk that clients make of the image is the same.
            let devices2: JSON = [
                [
                    "source_type": "image", "destination_type": "volume", "uuid": .string(id), "volume_size": 1,
                    "boot_index": 0,
                ]
            ]
            let third = await story.compute.good(
                .post, "/servers",
                [
                    "server": [
                        "name": "3", "flavorRef": "small", "networks": "none", "block_device_mapping_v2": devices2,
                    ]
                ])
            try await story.settle()
            let thirdID = third["server"]?["id"]?.string ?? ""
            #expect(await story.serverStatus(thirdID) == "ACTIVE")
            #expect(await story.volumes(thirdID).count == 2)
        }
    }

    @Test("Snapshots over the quota make no image, and a backup of such a server is refused")
    func noImage() async throws {
        try await VolumeStory.run(hosts: 1) { story in
            let server = try await story.volumeBacked()
            let project = await story.shown(server)["tenant_id"]?.string ?? ""
            let limit: JSON = ["quota_set": ["snapshots": 0]]
            #expect(await story.storage(.put, "/os-quota-sets/\(project)", limit).status == .ok)
            let path = "/servers/\(server)/action"
            await story.compute.refused(.forbidden, .post, path, ["createImage": ["name": "copy"]])
            let images = await story.compute.cloud.send(.get, "/image/v2/images?name=copy", token: story.compute.token)
            #expect(images.json["images"]?.array?.isEmpty == true, "\(images.text)")
            #expect(await story.storage(.get, "/snapshots").json["snapshots"]?.array?.isEmpty == true)
            let backup: JSON = ["createBackup": ["name": "b", "backup_type": "daily", "rotation": 1]]
            #expect(
                await story.compute.refused(.badRequest, .post, path, backup)
                    == "Backup is not supported for volume-backed instances.")
        }
    }

    @Test("Devices in an image's properties are checked like those in a body")
    func wrongDevices() async throws {
        try await VolumeStory.run(hosts: 1) { story in
            let snapshot = UUIDText.derived(from: "none", in: story.image)
            let texts = [
                "x", "{}", "[1]", #"[{"source_type": "snapshot"}]"#,
                #"[{"source_type": "snapshot", "snapshot_id": "\#(snapshot)", "boot_index": 0}]"#,
                #"[{"source_type": "image", "image_id": "\#(story.image)", "destination_type": "volume"}]"#,
                #"[{"source_type": "blank", "volume_size": -1}]"#,
            ]
            for text in texts {
                let patch: JSON = [
                    ["op": "add", "path": "/block_device_mapping", "value": .string(text)],
                    ["op": "add", "path": "/bdm_v2", "value": "True"],
                ]
                let changed = await story.compute.cloud.send(
                    .patch, "/image/v2/images/\(story.image)", token: story.compute.token,
                    bytes: Array(patch.text.utf8), type: "application/openstack-images-v2.1-json-patch")
                #expect(changed.status == .ok, "\(changed.text)")
                let wish: JSON = [
                    "server": [
                        "name": "one", "imageRef": .string(story.image), "flavorRef": "small", "networks": "none",
                    ]
                ]
                #expect(await story.compute.send(.post, "/servers", wish).status == .badRequest, "\(text)")
            }
        }
    }
}

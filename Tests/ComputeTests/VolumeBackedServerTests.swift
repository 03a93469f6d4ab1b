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
            let lost = await story.shown(server)["OS-EXT-SRV-ATTR:host"]?.string ?? ""
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
            #expect(await story.status(data) == "available")
        }
    }
}

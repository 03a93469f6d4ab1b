import CloudCore
import ControlPlane
import HTTPTypes
import HostModel
import TestSupport
import Testing

@Suite("Servers whose root disk is a volume")
struct VolumeBackedServerTests {
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
}

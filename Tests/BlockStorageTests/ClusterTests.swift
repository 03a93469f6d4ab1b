import CloudCore
import HTTPTypes
import TestSupport
import Testing

@Suite("Clusters, workers, logs and replication")
struct ClusterTests {
    @Test("There is no cluster, and nothing waits to be cleaned up")
    func clusters() async throws {
        try await VolumeClient.run { cloud, admin, demo in
            #expect(await admin.good(.get, "/clusters")["clusters"] == [])
            #expect(await admin.good(.get, "/clusters/detail?is_up=true")["clusters"] == [])
            await admin.refused(.badRequest, .get, "/clusters?color=red")
            await admin.refused(.badRequest, .get, "/clusters?frozen=true", minor: 25)
            await admin.refused(.notFound, .get, "/clusters", minor: 6)
            #expect(await admin.refused(.notFound, .get, "/clusters/c") == "Cluster c could not be found.")
            await admin.refused(.notFound, .put, "/clusters/enable", ["name": "c"])
            await admin.refused(.notFound, .put, "/clusters/disable", ["name": "c", "disabled_reason": "r"])
            await admin.refused(.badRequest, .put, "/clusters/disable", [:])
            await demo.refused(.forbidden, .get, "/clusters")

            #expect(await admin.good(.post, "/workers/cleanup", [:]) == ["cleaning": [], "unavailable": []])
            let up = await admin.good(.post, "/workers/cleanup", ["is_up": true, "binary": "cinder-volume"])
            #expect(up["cleaning"]?.array?.map { $0["host"] } == ["host-1@volumes"])
            await admin.refused(.badRequest, .post, "/workers/cleanup", ["resource_type": "cloud"])
            let unknown: JSON = ["resource_id": "11111111-2222-4333-8444-555555555555"]
            await admin.refused(.badRequest, .post, "/workers/cleanup", unknown)
            await demo.refused(.forbidden, .post, "/workers/cleanup", [:])
        }
    }

    @Test("The log has one level, which an administrator changes")
    func logs() async throws {
        try await VolumeClient.run { _, admin, demo in
            let path = "/os-services/get-log"
            let all = await admin.good(.put, path, [:])["log_levels"]?.array ?? []
            #expect(all.map { $0["binary"] } == ["cinder-api", "cinder-scheduler", "cinder-backup", "cinder-volume"])
            let before = try #require(all.first?["levels"]?["novella"]?.string)
            for level in ["debug", "ERROR", before] {
                await admin.good(.put, "/os-services/set-log", ["level": .string(level), "binary": "*"])
                let question: JSON = ["binary": "cinder-volume", "server": "host-1", "prefix": "nov"]
                let levels = await admin.good(.put, path, question)["log_levels"]
                let wanted: JSON = [
                    "host": "host-1@volumes", "binary": "cinder-volume",
                    "levels": ["novella": .string(level.uppercased())],
                ]
                #expect(levels == [wanted])
            }
            let other = await admin.good(.put, path, ["prefix": "cinder", "binary": "cinder-api"])
            #expect(other["log_levels"]?.array?.first?["levels"] == [:])
            for wrong in [["level": "loud"], ["level": "INFO", "binary": "nova"], [:]] as [JSON] {
                await admin.refused(.badRequest, .put, "/os-services/set-log", wrong)
            }
            await admin.refused(.notFound, .put, path, [:], minor: 31)
            await demo.refused(.forbidden, .put, path, [:])
        }
    }

    @Test("No pool is replicated, and who asks for it hears so in the reference's words")
    func replication() async throws {
        try await VolumeClient.run { _, admin, demo in
            let host: JSON = ["host": "host-1@volumes"]
            for path in ["/os-services/failover_host", "/os-services/failover"] {
                #expect(await admin.refused(.badRequest, .put, path, host).contains("must be up to failover"))
                #expect(
                    await admin.refused(.badRequest, .put, path, ["host": "h"]).contains("service found with host=h"))
                #expect(
                    await admin.refused(.badRequest, .put, path, ["cluster": "c"]).contains("with cluster=c"))
                await demo.refused(.forbidden, .put, path, host)
            }
            await admin.refused(.badRequest, .put, "/os-services/failover_host", [:])

            let actions: [(String, JSON)] = [
                ("enable_replication", [:]), ("disable_replication", [:]),
                ("failover_replication", ["allow_attached_volume": true, "secondary_backend_id": "b"]),
                ("list_replication_targets", [:]),
            ]
            func group(_ specs: JSONObject, _ type: String) async throws -> String {
                let body: JSON = ["group_type": ["name": .string("g-\(type)"), "group_specs": .object(specs)]]
                let kind = try #require(await admin.good(.post, "/group_types", body)["group_type"]?["id"]?.string)
                let wish: JSON = ["group": ["group_type": .string(kind), "volume_types": [.string(type)]]]
                return try #require(await demo.good(.post, "/groups", wish)["group"]?["id"]?.string)
            }
            let plain = try await group([:], "__DEFAULT__")
            for (word, value) in actions {
                let message = await demo.refused(.badRequest, .post, "/groups/\(plain)/action", [word: value])
                #expect(message == "Invalid group type: Group \(plain) is not a replication group type.")
                await demo.refused(.badRequest, .post, "/groups/\(plain)/action", [word: value], minor: 37)
            }
            let type = try await admin.type("copied", ["replication_enabled": "<is> True"])
            let copied = try await group(["group_replication_enabled": "<is> True"], type)
            for (word, value) in actions.dropLast() {
                let message = await demo.refused(.badRequest, .post, "/groups/\(copied)/action", [word: value])
                #expect(message.hasPrefix("Invalid Group: Group \(copied)"), "\(message)")
            }
            let path = "/groups/\(copied)/action"
            #expect(await demo.good(.post, path, ["list_replication_targets": [:]])["replication_targets"] == [])
            let half = try await admin.type("half")
            let other = try await group(["group_replication_enabled": "<is> True"], half)
            let message = await demo.refused(.badRequest, .post, "/groups/\(other)/action", ["enable_replication": [:]])
            #expect(message.contains("does not have 'replication_enabled'"), "\(message)")
        }
    }
}

import CloudCore
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

@Suite("Images: limits on data", .timeLimit(.minutes(15)))
struct DataQuotaTests {
    @Test("Identity's limits on images, sizes and concurrent uploads hold", arguments: DatabaseKind.allCases)
    func quotas(_ kind: DatabaseKind) async throws {
        try await ImagesStage.run(on: kind) { stage in
            let services = await stage.cloud.send(.get, "/v3/services?type=image", token: stage.admin).json["services"]
            let service = try #require(services?.array?.first?["id"])
            func register(_ name: String, _ limit: Int64) async {
                let wish: JSON = [
                    "service_id": service, "resource_name": .string(name), "default_limit": .integer(limit),
                ]
                let body: JSON = ["registered_limits": [wish]]
                let made = await stage.cloud.send(.post, "/v3/registered_limits", token: stage.admin, json: body)
                #expect(made.status == .created, "\(made.text)")
            }
            func usage() async -> JSON {
                await stage.send(.get, "/info/usage", as: stage.demo, .ok).json["usage"] ?? .null
            }
            #expect(await usage()["image_count_total"] == ["usage": 0, "limit": -1])
            await register("image_count_total", 2)
            await register("image_size_total", 1)
            let (first, second) = (try await stage.make(), try await stage.make())
            await stage.send(.post, "/images", [:], as: stage.demo, .contentTooLarge)
            await stage.send(.post, "/images", [:], as: stage.other, .created)
            await stage.upload(Array(repeating: 1, count: 2 << 20), to: first, .contentTooLarge)
            // No size is announced, so the excess is noticed at the end.
            await stage.upload(Array(repeating: 1, count: 1 << 20), to: first)
            await stage.upload(Array(repeating: 1, count: 1 << 20), to: second, .contentTooLarge)
            #expect(await stage.image(second)["status"] == "queued")
            #expect(await usage()["image_size_total"] == ["usage": 1, "limit": 1])
            #expect(await usage()["image_count_total"] == ["usage": 2, "limit": 2])
            await register("image_count_uploading", 0)
            await stage.upload([1], to: second, .contentTooLarge)
            let own: JSON = [
                "limits": [
                    [
                        "service_id": service, "resource_name": "image_count_total",
                        "project_id": .string(stage.demoProject), "resource_limit": 3,
                    ]
                ]
            ]
            #expect(await stage.cloud.send(.post, "/v3/limits", token: stage.admin, json: own).status == .created)
            await stage.send(.post, "/images", [:], as: stage.demo, .created)
            await stage.send(.post, "/images", [:], as: stage.demo, .contentTooLarge)
        }
    }
}

import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

@testable import Images

@Suite("Images: places of data", .timeLimit(.minutes(15)))
struct DataLocationTests {
    private static let bytes = Array("some bytes of an image".utf8)

    @Test("Services add and list locations, administrators patch them, and removing one store keeps the other")
    func locations() async throws {
        try await ImagesStage.run({ $0.images.stores = ["fast", "slow"] }) { stage in
            let (one, two) = (try await stage.make(), try await stage.make())
            await stage.upload(Self.bytes, to: one)
            await stage.upload(Self.bytes, to: two, headers: [.imageStore: "slow"])
            #expect(await stage.image(two)["stores"] == "slow")
            await stage.send(.get, "/images/\(one)/locations", as: stage.demo, .forbidden)
            let list = await stage.send(.get, "/images/\(one)/locations", as: stage.admin, .ok).json.array ?? []
            let url = try #require(list.first?["url"]?.string)
            #expect(list.first?["metadata"] == ["store": "fast"])
            let slow = url.replacing("fast", with: "slow")

            let plain: JSON = ["url": .string(slow), "metadata": [:]]
            await stage.patch(one, [["op": "add", "path": "/locations/-", "value": plain]], .forbidden)
            func add(_ url: String, _ status: HTTPResponse.Status, to id: String) async -> JSON {
                let value: JSON = ["url": .string(url), "metadata": ["a": "b"]]
                let change: JSON = [["op": "add", "path": "/locations/-", "value": value]]
                return await stage.patch(id, change, as: stage.admin, status).json
            }
            let both = await add(slow, .ok, to: one)
            #expect(both["stores"] == "fast,slow")
            #expect(both["locations"]?.array?.last == ["url": .string(slow), "metadata": ["a": "b", "store": "slow"]])
            _ = await add(slow, .badRequest, to: one)
            _ = await add("file:///etc/passwd", .badRequest, to: one)
            _ = await add(url.replacing("fast", with: "none"), .badRequest, to: one)
            await stage.send(.delete, "/stores/none/\(one)", as: stage.admin, .conflict)
            await stage.send(.delete, "/stores/fast/\(one)", as: stage.demo, .forbidden)
            await stage.send(.delete, "/stores/fast/\(one)", as: stage.admin, .noContent)
            await stage.send(.delete, "/stores/slow/\(one)", as: stage.admin, .forbidden)
            #expect(await stage.send(.get, "/images/\(one)/file", as: stage.demo, .ok).bytes == Self.bytes)
            await stage.patch(one, [["op": "remove", "path": "/locations/0"]], as: stage.admin, .forbidden)

            let filled = try await stage.make()
            let active = await add(slow, .ok, to: filled)
            #expect(active["status"] == "active")
            #expect(active["size"] == 22)
            #expect(active["checksum"] == (await stage.image(one))["checksum"])
            // The API of 2.17 is only for services: no other caller may state where data is.
            let queued = try await stage.make()
            await stage.send(.post, "/images/\(queued)/locations", ["url": .string(slow)], as: stage.demo, .forbidden)
            await stage.send(.post, "/images/\(queued)/locations", [:], as: stage.demo, .badRequest)
            await stage.send(.post, "/images/\(one)/locations", ["url": .string(slow)], as: stage.demo, .conflict)
        }
    }
}

import Blobs
import CloudCore
import ControlPlane
import Durable
import HTTPTypes
import TestSupport
import Testing

@testable import Images

@Suite("The image cache")
struct CacheTests {
    private static let bytes = (0..<40_000).map { UInt8(truncatingIfNeeded: $0 &* 13) }

    private func withCache(_ body: (ImagesStage, ImageCacheFiller) async throws -> Void) async throws {
        try await ImagesStage.run({ $0.images.cacheSize = 1 }) { stage in
            let (cloud, stores) = (stage.cloud, stage.cloud.cloud.images.context.stores)
            try await body(stage, ImageCacheFiller(database: cloud.database, world: cloud.world, stores: stores))
        }
    }

    private func image(_ stage: ImagesStage) async throws -> String {
        let id = try await stage.make()
        await stage.upload(Self.bytes, to: id)
        return id
    }

    private func content(_ stage: ImagesStage) async -> JSON { await stage.send(.get, "/cache", as: stage.admin, .ok).json }

    @Test("A queued image is copied to the cache, downloads read the copy, and it can be removed")
    func life() async throws {
        try await withCache { stage, filler in
            let id = try await image(stage)
            await stage.send(.put, "/cache/\(id)", as: stage.admin, .accepted)
            #expect(await content(stage) == ["cached_images": [], "queued_images": [.string(id)]])
            #expect(try await filler.reconcile().problems.isEmpty)
            // The store loses the data, so only the copy is left.
            let context = stage.cloud.cloud.images.context
            let location = try #require(try await context.read { tx in try context.images.locations(of: ID(id), in: tx).first })
            _ = try await context.stores.standard.blobs.remove(location.blob, storedBefore: stage.cloud.world.now + .seconds(1))
            #expect(await stage.send(.get, "/images/\(id)/file", as: stage.demo, .ok).bytes == Self.bytes)
            let entry = await content(stage)["cached_images"]?.array?.first
            #expect(entry?["image_id"]?.string == id && entry?["hits"] == 1 && entry?["size"] == .integer(Int64(Self.bytes.count)))
            await stage.send(.delete, "/cache/\(id)", as: stage.admin, .noContent)
            #expect(await content(stage) == ["cached_images": [], "queued_images": []])
            await stage.send(.get, "/images/\(id)/file", as: stage.demo, .noContent)
        }
    }

    @Test("ossa_2013_027 A cached copy is readable only by callers who may read the image")
    func ossa_2013_027() async throws {
        try await withCache { stage, filler in
            let id = try await image(stage)
            await stage.send(.put, "/cache/\(id)", as: stage.admin, .accepted)
            #expect(try await filler.reconcile().changed == 1)
            func reads(_ token: String?, _ status: HTTPResponse.Status) async {
                let bytes = await stage.send(.get, "/images/\(id)/file", as: token, status).bytes
                #expect((bytes == Self.bytes) == (status == .ok))
            }
            await reads(stage.demo, .ok)
            await reads(nil, .unauthorized)
            await reads(stage.other, .notFound)
            await stage.send(.post, "/images/\(id)/members", ["member": .string(stage.otherProject)], as: stage.demo, .ok)
            await reads(stage.other, .ok)
            await stage.send(.delete, "/images/\(id)/members/\(stage.otherProject)", as: stage.demo, .noContent)
            await reads(stage.other, .notFound)
            await stage.send(.post, "/images/\(id)/actions/deactivate", as: stage.admin, .noContent)
            await reads(stage.demo, .forbidden)
        }
    }

    @Test("A download queues its image for the cache, clearing removes its target, and deleted images leave the cache")
    func queue() async throws {
        try await withCache { stage, filler in
            let ids = [try await image(stage), try await image(stage)]
            await stage.send(.get, "/images/\(ids[0])/file", as: stage.demo, .ok)
            #expect(try await filler.reconcile().changed == 1)
            await stage.send(.get, "/images/\(ids[1])/file", as: stage.demo, .ok)
            func counts() async -> [Int?] {
                let content = await content(stage)
                return [content["cached_images"]?.array?.count, content["queued_images"]?.array?.count]
            }
            func clear(_ target: String, _ status: HTTPResponse.Status) async throws {
                let name = try #require(HTTPField.Name("x-image-cache-clear-target"))
                let answer = await stage.cloud.send(.delete, "/image/v2/cache", token: stage.admin, headers: [name: target])
                #expect(answer.status == status, "\(answer.text)")
            }
            #expect(await counts() == [1, 1])
            try await clear("queue", .noContent)
            #expect(await counts() == [1, 0])
            try await clear("nothing", .badRequest)
            await stage.send(.delete, "/images/\(ids[0])", as: stage.demo, .noContent)
            #expect(await counts() == [0, 0])
        }
    }

    @Test("Only administrators manage the cache, only active images can be cached, and without a cache it is a 404")
    func refusals() async throws {
        try await withCache { stage, _ in
            await stage.send(.get, "/cache", as: stage.demo, .forbidden)
            await stage.send(.put, "/cache/\(try await stage.make())", as: stage.admin, .badRequest)
            await stage.send(.put, "/cache/nothing", as: stage.admin, .notFound)
            await stage.send(.delete, "/cache/nothing", as: stage.admin, .notFound)
        }
        try await ImagesStage.run { stage in
            await stage.send(.get, "/cache", as: stage.demo, .forbidden)
            await stage.send(.get, "/cache", as: stage.admin, .notFound)
        }
    }
}

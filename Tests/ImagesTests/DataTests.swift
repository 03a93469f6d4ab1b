import Access
import Blobs
import CloudCore
import ControlPlane
import Crypto
import Durable
import HTTPKit
import HTTPTypes
import Identity
import NIOCore
import SQL
import Synchronization
import TestSupport
import Testing

@testable import Images

@Suite("Images: data", .timeLimit(.minutes(15)))
struct DataTests {
    private static let bytes = Array("some bytes of an image".utf8)

    @Test("Uploaded data can be read whole and in parts", arguments: DatabaseKind.allCases)
    func roundTrip(_ kind: DatabaseKind) async throws {
        try await ImagesStage.run(on: kind) { stage in
            let id = try await stage.make()
            await stage.send(.get, "/images/\(id)/file", as: stage.demo, .noContent)
            await stage.upload(Self.bytes, to: id)
            let image = await stage.image(id)
            #expect(image["status"] == "active")
            #expect(image["size"] == .integer(Int64(Self.bytes.count)))
            #expect(image["virtual_size"] == image["size"])
            #expect(image["checksum"] == .string(Hex.text(Insecure.MD5.hash(data: Self.bytes))))
            #expect(image["os_hash_algo"] == "sha512")
            #expect(image["os_hash_value"] == .string(Hex.text(SHA512.hash(data: Self.bytes))))
            #expect(image["stores"] == "file")

            func get(_ headers: HTTPFields) async -> TestCloud.Response {
                await stage.cloud.send(.get, "/image/v2/images/\(id)/file", token: stage.demo, headers: headers)
            }
            let whole = await get([:])
            #expect(whole.status == .ok)
            #expect(whole.bytes == Self.bytes)
            #expect(whole.headers[.contentType] == "application/octet-stream")
            #expect(whole.headers[.init("Content-MD5")!] == image["checksum"]?.string)
            for (range, wanted, told) in [
                ("bytes=0-3", 0..<4, "bytes 0-3/22"), ("bytes=5-", 5..<22, "bytes 5-21/22"), ("bytes=-5", 17..<22, "bytes 17-21/22"),
                ("bytes=20-99", 20..<22, "bytes 20-21/22"), ("bytes=-99", 0..<22, "bytes 0-21/22"), ("bytes=-99999999999999999999", 0..<22, "bytes 0-21/22"),
                ("bytes=3-99999999999999999999", 3..<22, "bytes 3-21/22"),
            ] {
                let part = await get([.range: range])
                #expect(part.status == .partialContent, "\(range)")
                #expect(part.bytes == Array(Self.bytes[wanted]), "\(range)")
                #expect(part.headers[.contentRange] == told)
            }
            #expect(await get([.contentRange: "bytes 1-2/*"]).bytes == Array(Self.bytes[1...2]))
            for range in ["bytes=22-", "bytes=99999999999999999999-5", "bytes=5-2", "bytes=-", "bytes=-0", "bytes", "lines=1-2"] {
                #expect(await get([.range: range]).status == .rangeNotSatisfiable, "\(range)")
            }
            #expect(await get([.contentRange: "bytes 1-22/*"]).status == .rangeNotSatisfiable)
            #expect(await get([.range: "bytes=0-1,3-4"]).status == .badRequest)
            await stage.send(.get, "/images/\(id)/file?prefer=nowhere", as: stage.demo, .badRequest)
            await stage.send(.get, "/images/\(id)/file?prefer=file", as: stage.demo, .ok)
            await stage.upload(Self.bytes, to: id, .conflict)
        }
    }

    @Test("An image may have no bytes")
    func empty() async throws {
        try await ImagesStage.run { stage in
            let id = try await stage.make()
            await stage.upload([], to: id)
            #expect(await stage.image(id)["size"] == 0)
            let whole = await stage.send(.get, "/images/\(id)/file", as: stage.demo, .ok)
            #expect(whole.bytes.isEmpty)
            let part = await stage.cloud.send(.get, "/image/v2/images/\(id)/file", token: stage.demo, headers: [.range: "bytes=0-"])
            #expect(part.status == .rangeNotSatisfiable)
        }
    }

    @Test("Lost data is read as no content, and a start removes data whose process died before writing the row")
    func lost() async throws {
        try await ImagesStage.run(on: .sqlite) { stage in
            let id = try await stage.make()
            await stage.upload(Self.bytes, to: id)
            let store = stage.cloud.cloud.images.context.stores.standard.blobs
            // The data was stored, and the process died before it wrote the row.
            let orphan = try await store.store(AsyncStream { more in
                more.yield(ByteBuffer(string: "of nobody"))
                more.finish()
            })
            try await stage.cloud.cloud.prepare()
            #expect(try await Self.blobs(stage).count == 1)
            #expect(try await Self.blobs(stage).contains(orphan.id) == false)
            for blob in try await Self.blobs(stage) {
                _ = try await store.remove(blob, storedBefore: stage.cloud.world.now + .seconds(1000))
            }
            await stage.send(.get, "/images/\(id)/file", as: stage.demo, .noContent)
        }
    }

    @Test("An upload that contradicts the image's fields is refused, and the image stays queued")
    func refusals() async throws {
        try await ImagesStage.run { stage in
            let bare = await stage.send(.post, "/images", [:], as: stage.demo, .created).json["id"]?.string ?? ""
            await stage.upload(Self.bytes, to: bare, .badRequest)
            let id = try await stage.make(["disk_format": "qcow2"])
            await stage.upload(Self.bytes, to: id, .unsupportedMediaType)
            // A qcow2 that names another file as its backing file.
            var backed: [UInt8] = Array("QFI".utf8) + [0xfb, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 8]
            backed += Array(repeating: 0, count: 4096)
            await stage.upload(backed, to: id, .unsupportedMediaType)
            let raw = try await stage.make()
            await stage.upload(backed, to: raw, .unsupportedMediaType)
            await stage.upload(Self.bytes, to: raw, headers: [.contentType: "text/plain"], .unsupportedMediaType)
            await stage.upload(Self.bytes, to: raw, headers: [.imageSize: "7"], .badRequest)
            await stage.upload(Self.bytes, to: raw, headers: [.imageSize: "many"], .badRequest)
            await stage.upload(Self.bytes, to: raw, headers: [.imageStore: "nowhere"], .badRequest)
            await stage.upload(Self.bytes, to: "none", .notFound)
            for one in [id, raw] {
                let image = await stage.image(one)
                #expect(image["status"] == "queued")
                #expect(image["size"] == .null)
            }
            #expect(try await Self.blobs(stage).isEmpty)
            await stage.upload(Self.bytes, to: raw, headers: [.imageStore: "file", .imageSize: "22"])
        }
    }

    @Test("An image is saving during an upload and refuses another one; an interrupted upload leaves nothing", arguments: DatabaseKind.allCases)
    func interrupted(_ kind: DatabaseKind) async throws {
        try await ImagesStage.run(on: kind) { stage in
            let id = try await stage.make()
            let data = ImageDataService(context: stage.cloud.cloud.images.context)
            let caller = try await Self.caller(stage)
            let (stream, sender) = AsyncThrowingStream<ByteBuffer, any Error>.makeStream()
            sender.yield(ByteBuffer(bytes: Self.bytes))
            async let upload: Void = data.upload(ID(id), stream, size: nil, store: nil, by: caller)
            try await eventually { await stage.image(id)["status"] == "saving" }
            await stage.upload(Self.bytes, to: id, .conflict)
            #expect(await stage.names("status=saving").count == 1)
            #expect(await stage.names("status=queued").isEmpty)
            sender.finish(throwing: CloudError.badRequest("The request's body broke off."))
            var refusal: CloudError?
            do { try await upload } catch let error as CloudError { refusal = error }
            #expect(refusal?.kind == .badRequest)
            #expect(await stage.image(id)["status"] == "queued")
            #expect(try await Self.blobs(stage).isEmpty)
            await stage.upload(Self.bytes, to: id)
        }
    }

    @Test("Deleting an image during its upload removes it and its data")
    func deletedMeanwhile() async throws {
        try await ImagesStage.run { stage in
            let id = try await stage.make()
            let data = ImageDataService(context: stage.cloud.cloud.images.context)
            let caller = try await Self.caller(stage)
            let (stream, sender) = AsyncThrowingStream<ByteBuffer, any Error>.makeStream()
            async let upload: Void = data.upload(ID(id), stream, size: nil, store: nil, by: caller)
            try await eventually { await stage.image(id)["status"] == "saving" }
            await stage.send(.delete, "/images/\(id)", as: stage.demo, .noContent)
            sender.yield(ByteBuffer(bytes: Self.bytes))
            sender.finish()
            var refusal: CloudError?
            do { try await upload } catch let error as CloudError { refusal = error }
            #expect(refusal?.kind == .gone)
            stage.cloud.clock.advance(by: BlobGarbage.grace + .seconds(1))
            _ = try await Self.garbage(stage).reconcile()
            #expect(try await Self.blobs(stage).isEmpty)
        }
    }

    @Test("An upload whose image is deleted ends in its middle, and its bytes and its place are given back at once")
    func ossa_2015_020_bytes() async throws {
        try await ImagesStage.run { stage in
            let data = ImageDataService(context: stage.cloud.cloud.images.context)
            let caller = try await Self.caller(stage)
            let piece = ByteBuffer(bytes: [UInt8](repeating: 3, count: 2 << 20))
            for _ in 0..<3 {
                let id = try await stage.make()
                let (asked, isDeleted) = (Box(0), Box(false))
                let stream = AsyncThrowingStream<ByteBuffer, any Error> {
                    asked.update { $0 += 1 }
                    if asked.value > 1 { try await eventually { isDeleted.value } }
                    return piece
                }
                async let upload: Void = data.upload(ID(id), stream, size: 64 << 20, store: nil, by: caller)
                // The lease is taken and has a time for its renewal before the second piece is asked for.
                try await eventually { asked.value == 2 }
                await stage.send(.delete, "/images/\(id)", as: stage.demo, .noContent)
                stage.cloud.clock.advance(by: UploadLease.renewal + .seconds(1))
                isDeleted.value = true
                // The upload learns of it when it renews its lease, before it has all bytes.
                var refusal: CloudError?
                do { try await upload } catch let error as CloudError { refusal = error }
                #expect(refusal?.kind == .gone)
                #expect(asked.value < 32)
                #expect(try await Self.blobs(stage).isEmpty)
            }
            let usage = await stage.send(.get, "/info/usage", as: stage.demo, .ok).json["usage"]
            for name in ["image_count_total", "image_size_total", "image_count_uploading", "image_stage_total"] {
                #expect(usage?[name]?["usage"] == 0, "\(name)")
            }
            // The places of uploads are free again: a project has four.
            for _ in 0..<5 { await stage.upload(Self.bytes, to: try await stage.make()) }
        }
    }

    @Test("The lease of a dead process expires, or ends at once when the only process starts")
    func deadProcess() async throws {
        try await ImagesStage.run { stage in
            let context = stage.cloud.cloud.images.context
            let id = ID<Kind.Image>(try await stage.make())
            let lease = UploadLease(imageID: id, kind: .saving, owner: "of a process that is gone")
            func take() async throws {
                let now = stage.cloud.world.now
                #expect(try await context.write { tx in try context.uploads.take(lease, at: now, until: now + UploadLease.duration, in: tx) })
            }
            try await take()
            await stage.upload(Self.bytes, to: id.text, .conflict)
            stage.cloud.clock.advance(by: UploadLease.duration)
            #expect(await stage.image(id.text)["status"] == "queued")
            try await take()
            if stage.cloud.database.dialect == .sqlite {
                try await stage.cloud.cloud.prepare()
                #expect(await stage.image(id.text)["status"] == "queued")
            } else {
                stage.cloud.clock.advance(by: UploadLease.duration)
            }
            await stage.upload(Self.bytes, to: id.text)
            // An uploader that returns after its lease has ended changes nothing.
            await #expect(throws: CloudError.self) {
                try await context.write { tx in
                    let blob = try #require(ContentID(String(repeating: "0", count: 128)))
                    _ = try ImageIntake(context: context).activate(lease, ImageData(blob: blob, size: 0, md5: "", virtualSize: nil), in: "file", tx)
                }
            }
        }
    }

    @Test("A long upload renews its lease, and fails if another process took it over", arguments: [false, true])
    func renewal(isTakenOver: Bool) async throws {
        try await ImagesStage.run { stage in
            let context = stage.cloud.cloud.images.context
            let id = ID<Kind.Image>(try await stage.make())
            let caller = try await Self.caller(stage)
            let clock = stage.cloud.clock
            let pieces = AsyncStream<ByteBuffer> { more in
                for _ in 1...20 { more.yield(ByteBuffer(bytes: Self.bytes)) }
                more.finish()
            }.map { piece in
                // Each piece takes longer than half the time between renewals.
                clock.advance(by: .seconds(20))
                if isTakenOver { try await context.write { tx in try tx.execute("DELETE FROM image_upload WHERE image_id = ?", id) } }
                return piece
            }
            do {
                try await ImageDataService(context: context).upload(id, Pieces(pieces), size: nil, store: nil, by: caller)
                #expect(!isTakenOver)
                #expect(await stage.image(id.text, as: try await stage.cloud.memberToken())["status"] == "active")
            } catch let error as CloudError {
                #expect(isTakenOver)
                #expect(error.kind == .gone)
            }
        }
    }

    @Test("Equal data is stored once and removed with the last image that uses it")
    func garbage() async throws {
        try await ImagesStage.run { stage in
            let ids = [try await stage.make(), try await stage.make()]
            for id in ids { await stage.upload(Self.bytes, to: id) }
            let garbage = Self.garbage(stage)
            #expect(try await Self.blobs(stage).count == 1)
            await stage.send(.delete, "/images/\(ids[0])", as: stage.demo, .noContent)
            // On PostgreSQL the clocks of processes may differ by a minute.
            stage.cloud.clock.advance(by: .seconds(61))
            #expect(try await garbage.reconcile().changed == 0)
            await stage.send(.get, "/images/\(ids[1])/file", as: stage.demo, .ok)
            await stage.send(.delete, "/images/\(ids[1])", as: stage.demo, .noContent)
            #expect(try await garbage.reconcile().changed == 1)
            #expect(try await Self.blobs(stage).isEmpty)
        }
    }

    @Test("While an upload runs, data without a row is kept for the grace period")
    func garbageMeanwhile() async throws {
        try await ImagesStage.run { stage in
            let id = try await stage.make()
            await stage.upload(Self.bytes, to: id)
            await stage.send(.delete, "/images/\(id)", as: stage.demo, .noContent)
            let context = stage.cloud.cloud.images.context
            let other = ID<Kind.Image>(try await stage.make())
            let (now, lease) = (stage.cloud.world.now, UploadLease(imageID: other, kind: .saving, owner: "somebody"))
            _ = try await context.write { tx in try context.uploads.take(lease, at: now, until: now + .seconds(3600), in: tx) }
            stage.cloud.clock.advance(by: .seconds(1))
            let garbage = Self.garbage(stage)
            #expect(try await garbage.reconcile().changed == 0)
            stage.cloud.clock.advance(by: BlobGarbage.grace)
            #expect(try await garbage.reconcile().changed == 1)
        }
    }

    // MARK: Parts

    private static func caller(_ stage: ImagesStage) async throws -> Principal {
        try await stage.cloud.cloud.identity.verifier.principal(of: stage.demo)
    }

    private static func garbage(_ stage: ImagesStage) -> BlobGarbage {
        BlobGarbage(database: stage.cloud.database, world: stage.cloud.world, stores: stage.cloud.cloud.images.context.stores)
    }

    private static func blobs(_ stage: ImagesStage) async throws -> [ContentID] {
        let found = Mutex<[ContentID]>([])
        for entry in stage.cloud.cloud.images.context.stores.all {
            try await entry.blobs.list { blobs in found.withLock { $0 += blobs.map(\.id) } }
        }
        return found.withLock { $0 }
    }
}

/// A sequence for a single upload, which claims to be sendable.
private struct Pieces<Base: AsyncSequence>: AsyncSequence, @unchecked Sendable where Base.Element == ByteBuffer {
    let base: Base
    init(_ base: Base) { self.base = base }
    func makeAsyncIterator() -> Base.AsyncIterator { base.makeAsyncIterator() }
}

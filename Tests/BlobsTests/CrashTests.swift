import CloudCore
import Crypto
import Foundation
import NIOCore
import TestSupport
import Testing

@testable import Blobs

@Suite("Blobs under failures")
struct CrashTests {
    private struct Gone: Error {}

    @Test(
        "ossa_2015_020 A client that disappears in the middle of an upload leaves nothing",
        arguments: [0, 1, 100, 1 << 20, 3_500_000])
    func disappearing(after count: Int) async throws {
        try await withStore { store, folder in
            let chunks = AsyncThrowingStream<ByteBuffer, any Error> { continuation in
                continuation.yield(ByteBuffer(bytes: pattern(count)))
                continuation.finish(throwing: Gone())
            }
            await #expect(throws: Gone.self) { _ = try await store.store(chunks) }
            let left = try uploads(folder)
            #expect(left.isEmpty)
            #expect(try await store.everything().isEmpty)
        }
    }

    @Test("A cancelled upload leaves nothing")
    func cancelled() async throws {
        try await withStore { store, folder in
            try await withThrowingTaskGroup(of: Void.self) { group in
                let (chunks, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
                group.addTask { _ = try await store.store(chunks) }
                continuation.yield(ByteBuffer(bytes: pattern(2 << 20)))
                try await eventually("the upload runs") { try !uploads(folder).isEmpty }
                group.cancelAll()
                await #expect(throws: CancellationError.self) { try await group.waitForAll() }
            }
            #expect(try uploads(folder).isEmpty)
            #expect(try await store.everything().isEmpty)
        }
    }

    @Test("A full disk is reported as storage_full and leaves nothing", arguments: [ENOSPC, EDQUOT])
    func fullDisk(code: Int32) async throws {
        let room = Box(2_000_000)
        var calls = DiskCalls()
        calls.write = { descriptor, bytes in
            let count = min(bytes.count, room.value)
            guard count > 0 else {
                errno = code
                return -1
            }
            // A nearly full disk accepts only a part of the bytes.
            room.update { $0 -= count }
            return write(descriptor, bytes.baseAddress, count)
        }
        try await withStore(calls: calls) { store, folder in
            let error = try await #require(throws: CloudError.self) {
                _ = try await store.store(pieces(pattern(5_000_000), of: 65_536))
            }
            #expect(error.kind == .tooLarge && error.code == "storage_full")
            #expect(!error.message.contains(folder))
            #expect(error.headers.contains { $0.name == "Retry-After" })
            #expect(try uploads(folder).isEmpty)
            room.value = 100_000
            let blob = try await store.store(pieces(pattern(100_000), of: 65_536))
            #expect(try await store.open(blob.id).all() == pattern(100_000))
        }
    }

    @Test("A store reports that it is full when too little space is left")
    func noRoom() async throws {
        let room = Box<Int64?>(10 << 20)
        var calls = DiskCalls()
        calls.room = { _ in room.value }
        try await withStore(calls: calls) { store, _ in
            #expect(await !store.isFull())
            room.value = 100_000
            #expect(await store.isFull())
            room.value = nil
            #expect(await !store.isFull())
        }
        try await withStore { store, _ in #expect(await !store.isFull()) }
    }

    @Test("An upload whose sync fails does not become visible")
    func brokenDisk() async throws {
        let isBroken = Box(false)
        var calls = DiskCalls()
        calls.sync = { descriptor in
            guard isBroken.value else { return fsync(descriptor) }
            errno = EIO
            return -1
        }
        try await withStore(calls: calls) { store, folder in
            isBroken.value = true
            let error = try await #require(throws: CloudError.self) { _ = try await store.store(pieces(pattern(5000), of: 500)) }
            #expect(error.kind == .internalError)
            isBroken.value = false
            #expect(try await store.everything().isEmpty)
            #expect(try uploads(folder).isEmpty)
        }
    }

    @Test("Opening a store removes the uploads of dead processes, and none of living ones")
    func sweep() async throws {
        try await withStore { store, folder in
            let living = try await store.begin()
            try await living.append(ByteBuffer(bytes: pattern(2 << 20)))
            #expect(FileManager.default.createFile(atPath: folder + "/uploads/orphan", contents: Data(pattern(100))))
            #expect(try uploads(folder).count == 2)
            let second = try await FileBlobStore(folder: folder, world: .test())
            #expect(try uploads(folder).count == 1)
            let blob = try await living.commit(expecting: BlobExpectation())
            #expect(try await second.open(blob.id).all() == pattern(2 << 20))
            await second.close()
        }
    }

    @Test(
        "After kill -9 at any moment of an upload, visible blobs are whole and a start removes all other bytes",
        .serialized,
        arguments: 0..<12)
    func kill(round: Int) async throws {
        let probe = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().appending(
            path: "BlobsProbe")
        try #require(FileManager.default.isExecutableFile(atPath: probe.path), "no probe at \(probe.path)")
        try await withTemporaryDirectory { path in
            let process = Process()
            let output = Pipe()
            (process.executableURL, process.standardOutput) = (probe, output)
            process.arguments = ["upload", path + "/store", String([100_000, 400_000, 3_000_000][round % 3])]
            let heard = Box("")
            output.fileHandleForReading.readabilityHandler = { handle in
                let part = String(decoding: handle.availableData, as: UTF8.self)
                heard.update { $0 += part }
            }
            try process.run()
            defer { Foundation.kill(process.processIdentifier, SIGKILL) }
            // The probe is killed some time after it printed something, so it may be anywhere in its work.
            try await eventually("the probe works", within: .seconds(120)) { heard.value.count { $0 == "\n" } > round / 3 }
            Foundation.kill(process.processIdentifier, SIGKILL)
            try await eventually("the probe is dead", within: .seconds(60)) { !process.isRunning }
            let said = heard.value.split(separator: "\n").map(String.init).filter { $0.count == 128 }

            let store = try await FileBlobStore(folder: path + "/store", world: .test())
            #expect(try uploads(path + "/store").isEmpty)
            let visible = try await store.everything()
            for entry in visible {
                #expect(try await Hex.text(SHA512.hash(data: store.open(entry.id).all())) == entry.id.text)
            }
            for id in said { #expect(visible.contains { $0.id.text == id }, "what was said to be stored is there") }
            await store.close()
        }
    }
}

@Suite("Garbage collection of blobs")
struct GarbageTests {
    @Test("The collector removes only old blobs that no row refers to; storing a blob again makes it young")
    func collection() async throws {
        let clock = ManualClock()
        try await withStore(clock: clock) { store, _ in
            let kept = try await store.store(pieces(pattern(1000, seed: 1), of: 100)).id
            let renewed = try await store.store(pieces(pattern(1000, seed: 2), of: 100)).id
            let garbage = try await store.store(pieces(pattern(1000, seed: 3), of: 100)).id
            clock.advance(by: .seconds(3600))
            let young = try await store.store(pieces(pattern(1000, seed: 4), of: 100)).id
            _ = try await store.store(pieces(pattern(1000, seed: 2), of: 100)).id
            clock.advance(by: .seconds(60))

            let reader = try await store.open(garbage)
            try await store.collectGarbage(now: clock.now, grace: .seconds(600)) { ids in Set(ids.filter { $0 == kept }) }
            #expect(try await Set(store.everything().map(\.id)) == [kept, renewed, young])
            #expect(try await reader.all() == pattern(1000, seed: 3), "who reads it may read on")
            let error = try await #require(throws: CloudError.self) { _ = try await store.open(garbage) }
            #expect(error.kind == .notFound)
            #expect(try await store.remove(garbage, storedBefore: clock.now))
        }
    }

    @Test("A blob that is stored again while the collector reads the rows stays")
    func race() async throws {
        let clock = ManualClock()
        try await withStore(clock: clock) { store, _ in
            let id = try await store.store(pieces(pattern(1000), of: 100)).id
            clock.advance(by: .seconds(3600))
            try await store.collectGarbage(now: clock.now, grace: .seconds(600)) { _ in
                _ = try await store.store(pieces(pattern(1000), of: 100))
                return []
            }
            #expect(try await store.open(id).all() == pattern(1000))
        }
    }

    @Test("The collector removes nothing if the rows cannot be read")
    func failure() async throws {
        struct Away: Error {}
        let clock = ManualClock()
        try await withStore(clock: clock) { store, _ in
            _ = try await store.store(pieces(pattern(1000), of: 100))
            clock.advance(by: .seconds(3600))
            await #expect(throws: Away.self) {
                try await store.collectGarbage(now: clock.now, grace: .zero) { _ in throw Away() }
            }
            #expect(try await store.everything().count == 1)
        }
    }
}

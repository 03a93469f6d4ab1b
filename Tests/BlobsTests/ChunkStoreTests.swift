import CloudCore
import Foundation
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import Blobs

@Suite("The store of chunks")
struct ChunkStoreTests {
    private static let owner = "p1"

    private static func withStore(
        _ calls: DiskCalls = DiskCalls(), _ body: (FolderChunkStore, ManualClock, String) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { folder in
            let clock = ManualClock()
            let store = try await FolderChunkStore(
                folder: folder + "/store", world: .test(clock: clock), threads: 2, calls: calls)
            let result: Result<Void, any Error>
            do { result = .success(try await body(store, clock, folder + "/store")) } catch { result = .failure(error) }
            await store.close()
            try result.get()
        }
    }

    private static func entries(_ store: FolderChunkStore) async throws -> [String] {
        let found = Mutex<[String]>([])
        try await store.list { owner, chunks in found.withLock { $0 += chunks.map { "\(owner)/\($0.id)" } } }
        return found.withLock { $0.sorted() }
    }

    private static func file(_ id: ChunkID, _ folder: String) -> String {
        "\(folder)/chunks/\(owner)/\(id.text.prefix(2))/\(id)"
    }

    @Test(
        "A chunk comes back as it was, packed or not",
        arguments: [0, 1, 4096, 65_537, 1 << 20, ChunkID.mostBytes], [true, false])
    func roundTrip(count: Int, isPlain: Bool) async throws {
        try await Self.withStore { store, _, folder in
            let bytes = ByteBuffer(bytes: isPlain ? [UInt8](repeating: 7, count: count) : pattern(count))
            let stored = try await store.put(bytes, for: Self.owner)
            #expect(stored.isNew && stored.id == ChunkID(of: bytes))
            #expect(try await store.read(stored.id, of: Self.owner) == bytes)
            var status = stat()
            #expect(stat(Self.file(stored.id, folder), &status) == 0)
            if count > 1 << 16 { #expect((Int(status.st_size) < count / 2) == isPlain, "\(status.st_size)") }
        }
    }

    @Test("Equal bytes of one owner are stored once, and those of another owner apart")
    func sharing() async throws {
        try await Self.withStore { store, _, _ in
            let bytes = ByteBuffer(bytes: pattern(10_000))
            let first = try await store.put(bytes, for: Self.owner)
            #expect(try await store.put(bytes, for: Self.owner) == StoredChunk(id: first.id, isNew: false))
            #expect(try await store.put(bytes, for: "p2") == StoredChunk(id: first.id, isNew: true))
            #expect(try await Self.entries(store) == ["p1/\(first.id)", "p2/\(first.id)"])
            let missing = await #expect(throws: CloudError.self) { try await store.read(first.id, of: "p3") }
            #expect(missing?.kind == .notFound)
            let bad = await #expect(throws: CloudError.self) { try await store.put(bytes, for: "../p1") }
            #expect(bad?.kind == .internalError)
        }
    }

    @Test("A chunk that was changed on the disk is never handed out", arguments: [0, 5, 9, 20, 5000, -1])
    func damage(at place: Int) async throws {
        try await Self.withStore { store, _, folder in
            for bytes in [pattern(10_000), [UInt8](repeating: 9, count: 1 << 20)] {
                let id = try await store.put(ByteBuffer(bytes: bytes), for: Self.owner).id
                let url = URL(filePath: Self.file(id, folder))
                var file = try Data(contentsOf: url)
                if place < 0 { file.removeLast() } else { file[min(place, file.count - 1)] ^= 0x10 }
                try file.write(to: url)
                let error = await #expect(throws: CloudError.self) { try await store.read(id, of: Self.owner) }
                #expect(error?.code == ChunkID.damagedCode, "\(String(describing: error))")
            }
        }
    }

    @Test("What no row refers to goes after the time, unless it was stored again")
    func garbage() async throws {
        try await Self.withStore { store, clock, _ in
            let ids = try await ["a", "b", "c"].asyncMap { text in
                try await store.put(ByteBuffer(string: text), for: Self.owner).id
            }
            clock.advance(by: .seconds(100))
            _ = try await store.put(ByteBuffer(string: "b"), for: Self.owner)
            let cutoff = clock.now - .seconds(50)
            let counts = try await store.collectGarbage(storedBefore: cutoff) { owner, chunks in
                #expect(owner == Self.owner && !chunks.contains(ids[1]))
                return [ids[0]]
            }
            #expect(counts == (examined: 3, removed: 1))
            #expect(try await Self.entries(store) == [ids[0], ids[1]].map { "p1/\($0)" }.sorted())
            #expect(try await store.remove(ids[2], of: Self.owner, storedBefore: cutoff))
            #expect(try await !store.remove(ids[1], of: Self.owner, storedBefore: cutoff))
        }
    }

    @Test("A full disk is told, and leaves nothing")
    func full() async throws {
        var calls = DiskCalls()
        calls.write = { _, _ in
            errno = ENOSPC
            return -1
        }
        try await Self.withStore(calls) { store, _, folder in
            let error = await #expect(throws: CloudError.self) {
                try await store.put(ByteBuffer(bytes: pattern(10_000)), for: Self.owner)
            }
            #expect(error?.code == "storage_full")
            #expect(try await Self.entries(store) == [])
            let left = try Disk.names(in: folder + "/uploads")
            #expect(left == [])
        }
    }
}

extension Sequence {
    fileprivate func asyncMap<Value>(_ body: (Element) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await body(element)) }
        return values
    }
}

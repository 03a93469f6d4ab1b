import CloudCore
import Crypto
import Foundation
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import Blobs

/// Returns bytes that do not repeat: a mix-up of chunks would change the digest.
func pattern(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var random = SplitMix64(seed: seed)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 8)
    while bytes.count < count {
        var word = random.next()
        withUnsafeBytes(of: &word) { bytes.append(contentsOf: $0) }
    }
    return Array(bytes.prefix(count))
}

func pieces(_ bytes: [UInt8], of size: Int) -> AsyncStream<ByteBuffer> {
    AsyncStream { continuation in
        for at in stride(from: 0, to: bytes.count, by: size) {
            continuation.yield(ByteBuffer(bytes: bytes[at..<min(at + size, bytes.count)]))
        }
        continuation.finish()
    }
}

extension [UInt8] {
    func part(_ range: Range<Int64>) -> [UInt8] {
        self[Int(range.lowerBound)..<Swift.min(count, Int(range.upperBound))].map { $0 }
    }
}

extension BlobBytes {
    func all() async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await buffer in self { bytes.append(contentsOf: buffer.readableBytesView) }
        return bytes
    }
}

extension FileBlobStore {
    func everything() async throws -> [BlobEntry] {
        let found = Box<[BlobEntry]>([])
        try await list { entries in found.update { $0 += entries } }
        return found.value
    }
}

func withStore(
    clock: ManualClock = ManualClock(), mostUploads: Int = 16, mostReaders: Int = 128, calls: DiskCalls = DiskCalls(),
    _ body: (FileBlobStore, _ folder: String) async throws -> Void
) async throws {
    try await withTemporaryDirectory { path in
        let store = try await FileBlobStore(
            folder: path + "/store", world: .test(clock: clock), mostUploads: mostUploads, mostReaders: mostReaders,
            calls: calls)
        do {
            try await body(store, path + "/store")
            await store.close()
        } catch {
            await store.close()
            throw error
        }
    }
}

func uploads(_ folder: String) throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder + "/uploads") }

@Suite("Blobs in a folder")
struct BlobStoreTests {
    @Test(
        "A stored blob reads back unchanged and has the digests of its bytes",
        arguments: [0, 1, 4096, 1 << 20, (1 << 20) + 1, 5_000_011],
        [777, 65_536, 3 << 20])
    func roundTrip(count: Int, piece: Int) async throws {
        try await withStore { store, folder in
            let bytes = pattern(count)
            let blob = try await store.store(pieces(bytes, of: piece), sha256: true)
            #expect(blob.id.text == Hex.text(SHA512.hash(data: bytes)))
            #expect(blob.md5 == Hex.text(Insecure.MD5.hash(data: bytes)))
            #expect(blob.sha256 == Hex.text(SHA256.hash(data: bytes)))
            #expect(blob.size == Int64(count))
            #expect(try await store.size(blob.id) == Int64(count))
            #expect(try await store.open(blob.id).all() == bytes)
            #expect(try uploads(folder).isEmpty)
        }
    }

    @Test("Reading a range returns exactly its bytes, and a range past the end is refused")
    func ranges() async throws {
        try await withStore { store, _ in
            let bytes = pattern(2_000_000)
            let blob = try await store.store(pieces(bytes, of: 65_536))
            for range in [0..<1, 0..<2_000_000, 524_287..<524_289, 1_999_999..<2_000_000, 1_000_000..<9_000_000, 5..<5]
                as [Range<Int64>]
            {
                let opened = try await store.open(blob.id, range: range)
                #expect(try await opened.all() == bytes.part(range), "\(range)")
                #expect(opened.size == 2_000_000)
            }
            for range in [2_000_000..<2_000_001, 3_000_000..<3_000_001] as [Range<Int64>] {
                let error = try await #require(throws: CloudError.self) { _ = try await store.open(blob.id, range: range) }
                #expect(error.kind == .rangeNotSatisfiable)
            }
        }
    }

    @Test("Reads are correct on a disk with short reads, interruptions or no direct I/O", arguments: [true, false])
    func oddDisk(refusesDirect: Bool) async throws {
        let interruptions = Box(3)
        var calls = DiskCalls()
        calls.read = { descriptor, space, offset in
            let isDirect = fcntl(descriptor, F_GETFL) & Disk.direct != 0
            let isInterrupted = interruptions.value > 0
            interruptions.update { $0 -= 1 }
            if isInterrupted || (isDirect && refusesDirect) {
                errno = isInterrupted ? EINTR : EINVAL
                return -1
            }
            return pread(descriptor, space.baseAddress, isDirect ? space.count : min(space.count, 100_001), offset)
        }
        try await withStore(calls: calls) { store, _ in
            let bytes = pattern(2_000_000)
            let blob = try await store.store(pieces(bytes, of: 65_536))
            for range in [0..<2_000_000, 4095..<4097, 1_234_567..<1_999_999] as [Range<Int64>] {
                #expect(try await store.open(blob.id, range: range).all() == bytes.part(range), "\(range)")
            }
        }
    }

    @Test("A reader reads exactly one piece ahead of its consumer")
    func readAhead() async throws {
        let offsets = Box<[off_t]>([])
        var calls = DiskCalls()
        calls.read = { descriptor, space, offset in
            offsets.update { $0.append(offset) }
            return pread(descriptor, space.baseAddress, space.count, offset)
        }
        try await withStore(calls: calls) { store, _ in
            let blob = try await store.store(pieces(pattern(4_000_000), of: 65_536))
            var iterator = try await store.open(blob.id).makeAsyncIterator()
            #expect(offsets.value.isEmpty)
            for taken in 1...3 {
                _ = try await iterator.next()
                try await eventually("the piece after \(taken) is read") { offsets.value.count == taken + 1 }
            }
            // Nothing more is read once the consumer has stopped.
            #expect(offsets.value.sorted() == (0...3).map { off_t($0) * off_t(BlobBytes.step) })
        }
    }

    @Test("Reading a truncated file is an error, never a shorter blob")
    func cutFile() async throws {
        try await withStore { store, folder in
            let blob = try await store.store(pieces(pattern(2_000_000), of: 65_536))
            let opened = try await store.open(blob.id)
            #expect(truncate("\(folder)/blobs/\(blob.id.shard)/\(blob.id)", 1_000_001) == 0)
            let error = try await #require(throws: CloudError.self) { _ = try await opened.all() }
            #expect(error.kind == .internalError)
        }
    }

    @Test("Equal bytes are stored once, and storing them again repairs a damaged file")
    func deduplication() async throws {
        try await withStore { store, folder in
            let bytes = pattern(100_000)
            let first = try await store.store(pieces(bytes, of: 4096))
            let path = "\(folder)/blobs/\(first.id.shard)/\(first.id)"
            #expect(truncate(path, 10) == 0)
            let second = try await store.store(pieces(bytes, of: 9999))
            #expect(first == second)
            #expect(try await store.everything().map(\.size) == [100_000])
            #expect(try await store.open(first.id).all() == bytes)
        }
    }

    @Test("Only the owner may read the files and folders of the store")
    func modes() async throws {
        try await withStore { store, folder in
            let upload = try await store.begin()
            func mode(_ path: String) throws -> Int? {
                (try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber)?.intValue
            }
            for name in try uploads(folder) { #expect(try mode("\(folder)/uploads/\(name)") == 0o600) }
            let blob = try await upload.commit(expecting: BlobExpectation())
            #expect(try mode("\(folder)/blobs/\(blob.id.shard)/\(blob.id)") == 0o600)
            for path in [folder, folder + "/blobs", folder + "/uploads", "\(folder)/blobs/\(blob.id.shard)"] {
                #expect(try mode(path) == 0o700)
            }
        }
    }

    @Test("Bytes that do not match the announced size or digest are refused and not kept")
    func expectations() async throws {
        try await withStore { store, folder in
            let bytes = pattern(10_000)
            let right = BlobExpectation(
                size: 10_000, md5: Hex.text(Insecure.MD5.hash(data: bytes)).uppercased(),
                sha256: Hex.text(SHA256.hash(data: bytes)),
                sha512: Hex.text(SHA512.hash(data: bytes)))
            let wrong = [
                BlobExpectation(size: 9999), BlobExpectation(size: 10_001), BlobExpectation(md5: "00"),
                BlobExpectation(sha256: "00"),
                BlobExpectation(sha512: "00"),
            ]
            for expected in wrong {
                let error = try await #require(throws: CloudError.self) {
                    _ = try await store.store(pieces(bytes, of: 1000), expecting: expected)
                }
                #expect(error.kind == .badRequest)
                #expect(try await store.everything().isEmpty)
                #expect(try uploads(folder).isEmpty)
            }
            _ = try await store.store(pieces(bytes, of: 1000), expecting: right)
            #expect(try await store.everything().count == 1)
        }
    }

    @Test("An upload that exceeds its limit is refused and leaves nothing")
    func limit() async throws {
        try await withStore { store, folder in
            let error = try await #require(throws: CloudError.self) {
                _ = try await store.store(pieces(pattern(3_000_001), of: 65_536), most: 3_000_000)
            }
            #expect(error.kind == .tooLarge)
            #expect(try uploads(folder).isEmpty)
            _ = try await store.store(pieces(pattern(3_000_000), of: 65_536), most: 3_000_000)
        }
    }

    @Test("The number of concurrent uploads is limited; one that ends or is dropped frees its place")
    func places() async throws {
        try await withStore(mostUploads: 2) { store, folder in
            var forgotten: (any BlobUpload)? = try await store.begin()
            let aborted = try await store.begin()
            let error = try await #require(throws: CloudError.self) { _ = try await store.begin() }
            #expect(error.kind == .unavailable && error.isTransient)
            await aborted.abort()
            let third = try await store.begin()
            try await forgotten?.append(ByteBuffer(bytes: pattern(3 << 20)))
            forgotten = nil
            try await eventually("the forgotten upload is gone") { try uploads(folder).count == 1 }
            let fourth = try await store.begin()
            _ = try await third.commit(expecting: BlobExpectation())
            _ = try await fourth.commit(expecting: BlobExpectation())
            _ = try await store.begin()
        }
    }

    @Test("One owner gets at most a quarter of the upload places, and ended uploads free them")
    func shares() async throws {
        try await withStore(mostUploads: 8) { store, _ in
            let first = try await store.begin(for: "p")
            let second = try await store.begin(for: "p")
            let error = try await #require(throws: CloudError.self) { _ = try await store.begin(for: "p") }
            #expect(error.kind == .unavailable && error.isTransient)
            var others: [any BlobUpload] = []
            for owner in ["q", "q", "r", "r", nil, nil] { others.append(try await store.begin(for: owner)) }
            _ = try await #require(throws: CloudError.self) { _ = try await store.begin(for: "s") }
            await first.abort()
            let third = try await store.begin(for: "p")
            for upload in others + [second, third] { await upload.abort() }
            _ = try await store.begin(for: "p")
        }
    }

    @Test("One owner gets at most a quarter of the readers' places, and the cloud itself needs none")
    func readers() async throws {
        try await withStore(mostReaders: 8) { store, _ in
            let blob = try await store.store(pieces([1, 2, 3], of: 3))
            @Sendable func read(_ owner: String, _ range: Range<Int64>? = nil) async throws -> BlobBytes {
                try await store.open(blob.id, range: range, for: owner)
            }
            var held: [BlobBytes] = []
            for owner in ["p", "p", "q"] { held.append(try await read(owner)) }
            let error = try await #require(throws: CloudError.self) { _ = try await read("p", 0..<1) }
            #expect(error.kind == .unavailable && error.isTransient)
            #expect(error.headers.contains { $0.name == "Retry-After" })
            for owner in ["q", "r", "r", "s", "s"] { held.append(try await read(owner)) }
            _ = try await #require(throws: CloudError.self) { _ = try await read("t") }
            #expect(try await store.open(blob.id).all() == [1, 2, 3])
            // An iterator holds the place as long as it reads.
            var reading: BlobBytes.AsyncIterator? = held.removeFirst().makeAsyncIterator()
            _ = try await #require(throws: CloudError.self) { _ = try await read("t") }
            _ = try await reading?.next()
            reading = nil
            _ = try await read("t")
            // A refusal takes no place.
            held = []
            for _ in 0..<20 {
                let error = try await #require(throws: CloudError.self) { _ = try await read("p", 5..<6) }
                #expect(error.kind == .rangeNotSatisfiable)
            }
            _ = try await read("p")
        }
    }

    @Test("Concurrent uploads and readers do not mix their bytes")
    func parallel() async throws {
        try await withStore { store, folder in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<12 {
                    group.addTask {
                        let bytes = pattern(3_000_000 + number, seed: UInt64(number / 2))
                        let blob = try await store.store(pieces(bytes, of: 50_000 + number))
                        #expect(try await store.open(blob.id).all() == bytes)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try uploads(folder).isEmpty)
        }
    }

    @Test("Only a SHA-512 in lower-case hexadecimal is a valid blob name")
    func names() {
        let good = String(repeating: "0a", count: 64)
        #expect(ContentID(good) != nil)
        for bad in [
            "", "..", "../../etc/passwd", good.uppercased(), good + "0", String(good.dropLast()), good.dropLast() + "/",
            String(good.dropLast(2)) + "é",
        ] {
            #expect(ContentID(bad) == nil)
        }
    }
}

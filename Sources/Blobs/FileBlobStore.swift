package import CloudCore
import Foundation
import NIOCore
import NIOPosix

/// A store that keeps blobs as files in a folder. Several processes may use the same folder.
///
///     uploads/<random>         bytes of an upload, locked by its writer
///     blobs/<aa>/<sha-512>     complete, synced, never changed
package struct FileBlobStore: BlobStore {
    let world: World
    let pool: NIOThreadPool
    let blobs: String
    private let uploads: String
    private let calls: DiskCalls
    private let uploadPlaces: Places
    private let readerPlaces: Places
    private let shards = KnownShards()

    /// Opens the folder, creates it if it does not exist, and removes what the uploads of dead processes have left.
    ///
    /// - Parameters:
    ///   - folder: an absolute path; its parent must exist.
    ///   - mostUploads: the most uploads at the same time, of which one owner may have at most a quarter. Each may hold
    ///     some 6 MiB of memory.
    ///   - mostReaders: the most readers with an owner at the same time, of which one owner may have at most a quarter.
    ///     Each holds an open file and some 1 MiB of memory.
    ///   - threads: the number of threads for all blocking calls and digests of this store.
    package init(
        folder: String, world: World, mostUploads: Int = 16, mostReaders: Int = 128, threads: Int = 8
    ) async throws {
        try await self.init(
            folder: folder, world: world, mostUploads: mostUploads, mostReaders: mostReaders, threads: threads,
            calls: DiskCalls())
    }

    init(
        folder: String, world: World, mostUploads: Int = 16, mostReaders: Int = 128, threads: Int = 4, calls: DiskCalls
    ) async throws {
        self.world = world
        self.calls = calls
        (blobs, uploads) = ("\(folder)/blobs", "\(folder)/uploads")
        uploadPlaces = Places(mostUploads)
        readerPlaces = Places(mostReaders)
        pool = NIOThreadPool(numberOfThreads: threads)
        pool.start()
        let (blobs, uploads) = (blobs, uploads)
        do {
            try await run {
                try Disk.makeFolder(folder, in: (folder as NSString).deletingLastPathComponent, calls)
                try Disk.makeFolder(blobs, in: folder, calls)
                try Disk.makeFolder(uploads, in: folder, calls)
                try TemporaryFile.sweep(uploads)
            }
        } catch {
            try? await pool.shutdownGracefully()
            throw error
        }
    }

    /// Ends the threads after the work that is running. The store must not be used afterwards.
    package func close() async { try? await pool.shutdownGracefully() }

    package func begin(most: Int64? = nil, sha256: Bool = false, for owner: String? = nil) async throws -> any BlobUpload {
        guard let place = uploadPlaces.take(for: owner) else { throw Self.busy("uploads") }
        let (uploads, random, calls) = (uploads, world.random, calls)
        let file = try await run { try TemporaryFile(in: uploads, random: random, calls) }
        return FileUpload(self, file, place, most: most, sha256: sha256)
    }

    package func open(_ id: ContentID, range: Range<Int64>?, for owner: String?) async throws -> BlobBytes {
        var place: Places.Place?
        if let owner {
            place = readerPlaces.take(for: owner)
            guard place != nil else { throw Self.busy("downloads") }
        }
        let path = path(id)
        let (file, size, wanted) = try await run { [calls] in
            let file = try BlobFile(path, calls)
            let size = try file.size()
            let range = range ?? 0..<size
            guard range.lowerBound >= 0, range.lowerBound < size || (range.isEmpty && range.lowerBound == size) else {
                throw CloudError(.rangeNotSatisfiable, "The data has only \(size) bytes.")
            }
            return (file, size, range.clamped(to: 0..<size))
        }
        return BlobBytes(file, pool, place, size: size, range: wanted)
    }

    private static func busy(_ transfers: String) -> CloudError {
        var busy = CloudError.busy("Too many \(transfers) are under way. Please try again later.", after: 5)
        busy.code = "too_many_\(transfers)"
        return busy
    }

    package func size(_ id: ContentID) async throws -> Int64 {
        let path = path(id)
        return try await run {
            var status = stat()
            guard lstat(path, &status) == 0 else { throw Disk.failure("examine", path) }
            return Int64(status.st_size)
        }
    }

    package func list(_ body: @Sendable ([BlobEntry]) async throws -> Void) async throws {
        let blobs = blobs
        for shard in try await run({ try Disk.names(in: blobs) }) {
            let entries = try await run { try Self.entries(of: "\(blobs)/\(shard)") }
            if !entries.isEmpty { try await body(entries) }
        }
    }

    package func remove(_ id: ContentID, storedBefore cutoff: Timestamp) async throws -> Bool {
        let (shard, calls) = ("\(blobs)/\(id.shard)", calls)
        return try await run { try Disk.remove(id.text, in: shard, storedBefore: cutoff, calls) }
    }

    /// The least free bytes: with less than one chunk the store counts as full.
    private static let leastRoom = Int64(FileUpload.chunkSize)

    package func isFull() async -> Bool {
        let (blobs, calls) = (blobs, calls)
        let room = try? await run { calls.room(blobs) }
        return room.flatMap { $0 }.map { $0 < Self.leastRoom } ?? false
    }

    private func path(_ id: ContentID) -> String { "\(blobs)/\(id.shard)/\(id)" }

    /// Returns the folder of a blob, whose own name is durable. It blocks the thread.
    func shard(of id: ContentID) throws(CloudError) -> String {
        let shard = "\(blobs)/\(id.shard)"
        if !shards.has(id.shard) {
            try Disk.makeFolder(shard, in: blobs, calls)
            shards.note(id.shard)
        }
        return shard
    }

    private static func entries(of shard: String) throws(CloudError) -> [BlobEntry] {
        var entries: [BlobEntry] = []
        for name in try Disk.names(in: shard) {
            var status = stat()
            guard let id = ContentID(name), lstat("\(shard)/\(name)", &status) == 0 else { continue }
            entries.append(BlobEntry(id: id, size: Int64(status.st_size), storedAt: Timestamp(status.st_mtim)))
        }
        return entries
    }

    /// Runs a blocking call on a thread of the store, never on the threads that Swift's tasks share.
    func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await pool.runIfActive(body)
    }
}

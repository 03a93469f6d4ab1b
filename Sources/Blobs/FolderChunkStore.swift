package import CloudCore
import Foundation
package import NIOCore
import NIOPosix

/// A store that keeps chunks as files in a folder. Several processes may use the same folder.
///
///     uploads/<random>                 a chunk that is being written, locked by its writer
///     chunks/<owner>/<aa>/<sha-256>    complete, synced, never changed
package struct FolderChunkStore: ChunkStore {
    private let world: World
    private let pool: NIOThreadPool
    private let chunks: String
    private let uploads: String
    private let calls: DiskCalls
    private let folders = KnownShards()

    /// Opens the folder, creates it if it does not exist, and removes what dead processes have left.
    ///
    /// - Parameters:
    ///   - folder: an absolute path; its parent must exist.
    ///   - threads: the number of threads for all blocking calls, digests and packing of this store.
    package init(folder: String, world: World, threads: Int = 4) async throws {
        try await self.init(folder: folder, world: world, threads: threads, calls: DiskCalls())
    }

    init(folder: String, world: World, threads: Int = 4, calls: DiskCalls) async throws {
        self.world = world
        self.calls = calls
        let (chunks, uploads) = ("\(folder)/chunks", "\(folder)/uploads")
        (self.chunks, self.uploads) = (chunks, uploads)
        pool = NIOThreadPool(numberOfThreads: threads)
        pool.start()
        do {
            try await pool.runIfActive {
                try Disk.makeFolder(folder, in: (folder as NSString).deletingLastPathComponent, calls)
                try Disk.makeFolder(chunks, in: folder, calls)
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

    package func put(_ bytes: ByteBuffer, for owner: String) async throws -> StoredChunk {
        guard bytes.readableBytes <= ChunkID.mostBytes else {
            throw CloudError.internalError("a chunk that is too large")
        }
        return try await pool.runIfActive { [self] in
            let id = ChunkID(of: bytes)
            let shard = try shard(of: id, owner)
            if try renew(id, in: shard) { return StoredChunk(id: id, isNew: false) }
            let file = try TemporaryFile(in: uploads, random: world.random, calls)
            try file.write(PackedChunk.pack(bytes))
            try file.publish(id.text, in: shard, at: world.now)
            return StoredChunk(id: id, isNew: true)
        }
    }

    /// Lets a chunk count as stored now. The lock keeps a removal from coming between.
    ///
    /// - Returns: false if there is no such chunk.
    private func renew(_ id: ChunkID, in shard: String) throws(CloudError) -> Bool {
        let folder = try Descriptor(shard, O_RDONLY | O_DIRECTORY)
        try folder.lock()
        var times = [world.now.timespec, world.now.timespec]
        guard utimensat(folder.number, id.text, &times, AT_SYMLINK_NOFOLLOW) != 0 else { return true }
        guard errno == ENOENT else { throw Disk.failure("date", "\(shard)/\(id)") }
        return false
    }

    package func read(_ id: ChunkID, of owner: String) async throws -> ByteBuffer {
        let above = try folder(of: owner)
        let path = "\(above)/\(id.shard)/\(id)"
        return try await pool.runIfActive { [calls] in
            let file = try BlobFile(path, calls)
            let size = try file.size()
            let packed = size > 0 ? try file.read(0..<size) : ByteBuffer()
            guard let bytes = PackedChunk.unpack(packed), ChunkID(of: bytes) == id else {
                throw CloudError(
                    .conflict, "A part of the stored data is damaged.", detail: path, code: ChunkID.damagedCode)
            }
            return bytes
        }
    }

    package func list(_ body: @Sendable (_ owner: String, _ chunks: [ChunkEntry]) async throws -> Void) async throws {
        for owner in try await names(in: chunks) {
            for shard in try await names(in: "\(chunks)/\(owner)") {
                let path = "\(chunks)/\(owner)/\(shard)"
                let entries = try await pool.runIfActive { try Self.entries(of: path) }
                if !entries.isEmpty { try await body(owner, entries) }
            }
        }
    }

    private func names(in path: String) async throws -> [String] {
        try await pool.runIfActive { try Disk.names(in: path) }
    }

    private static func entries(of shard: String) throws(CloudError) -> [ChunkEntry] {
        try Disk.names(in: shard).compactMap { name in
            var status = stat()
            guard let id = ChunkID(name), lstat("\(shard)/\(name)", &status) == 0 else { return nil }
            return ChunkEntry(id: id, storedAt: Timestamp(status.st_mtim))
        }
    }

    package func remove(_ id: ChunkID, of owner: String, storedBefore cutoff: Timestamp) async throws -> Bool {
        let above = try folder(of: owner)
        let shard = "\(above)/\(id.shard)"
        return try await pool.runIfActive { [calls] in
            try Disk.remove(id.text, in: shard, storedBefore: cutoff, calls)
        }
    }

    private func folder(of owner: String) throws(CloudError) -> String {
        // The names of projects are ours. No other text becomes a path.
        let isPlain = owner.utf8.allSatisfy { byte in
            (97...122).contains(byte) || (48...57).contains(byte) || byte == 45 || byte == 95
        }
        guard isPlain, (1...64).contains(owner.utf8.count) else {
            throw .internalError("chunks of '\(owner.prefix(64))', which is no project")
        }
        return "\(chunks)/\(owner)"
    }

    /// Returns the folder of a chunk, whose own name is durable. It blocks the thread.
    private func shard(of id: ChunkID, _ owner: String) throws(CloudError) -> String {
        let above = try folder(of: owner)
        let shard = "\(above)/\(id.shard)"
        if !folders.has(shard) {
            try Disk.makeFolder(above, in: chunks, calls)
            try Disk.makeFolder(shard, in: above, calls)
            folders.note(shard)
        }
        return shard
    }
}

import Blobs
import CloudCore
import Durable
import HostModel
import NIOCore
import SQL

/// The way of a content into the store of chunks: pieces that are not zero are stored, some at a time, and then named
/// by rows. A content that was interrupted goes on behind the pieces that have rows.
struct BackupWriter: Sendable {
    private let database: Database
    private let chunks: any ChunkStore
    private let manifests = BackupManifestStore()

    /// The pieces that are stored at the same time, each 4 MiB in memory.
    private static let mostAtOnce = 4  // tidy: allow bound, of a backup's memory
    /// The pieces that one transaction names.
    private static let batch = 32

    init(database: Database, chunks: any ChunkStore) {
        self.database = database
        self.chunks = chunks
    }

    /// Stores a content.
    ///
    /// - Parameters:
    ///   - bytes: the content in order.
    ///   - size: the size of the content in bytes.
    ///   - each: is told the part that is done, in per cent, and may end the work by an error.
    /// - Throws: `conflict` if the list is not wanted any more; an internal error if the content has another size.
    func store(
        _ bytes: AsyncThrowingStream<ByteBuffer, any Error>, size: Int64, into id: ID<BackupManifest>,
        each: (Int) throws -> Void
    ) async throws {
        let manifests = manifests
        let found = try await database.write { tx in
            try manifests.setSize(size, of: id, in: tx)
            return try manifests.find(id, in: tx)
        }
        let manifest = try found.required("manifest", from: "start")
        var batch = Batch(from: manifest.done)
        var received: Int64 = 0
        try await withThrowingTaskGroup(of: BackupManifestStore.Piece.self) { group in
            var pending = ByteBuffer()
            for try await var piece in bytes {
                received += Int64(piece.readableBytes)
                while piece.readableBytes > 0 {
                    if pending.capacity < ChunkID.mostBytes { pending.reserveCapacity(ChunkID.mostBytes) }
                    let room = ChunkID.mostBytes - pending.readableBytes
                    guard var part = piece.readSlice(length: min(room, piece.readableBytes)) else { break }
                    pending.writeBuffer(&part)
                    guard pending.readableBytes == ChunkID.mostBytes else { continue }
                    try await take(pending, of: manifest, &batch, &group)
                    pending = ByteBuffer()
                    guard batch.isFull else { continue }
                    try await end(&batch, of: manifest, &group)
                    try each(Int(received * 100 / max(size, 1)))
                }
            }
            guard received == size else {
                throw CloudError.internalError("a content of \(received) bytes that should have \(size)")
            }
            if pending.readableBytes > 0 { try await take(pending, of: manifest, &batch, &group) }
            try await end(&batch, of: manifest, &group)
        }
    }

    /// The pieces that have no rows yet.
    private struct Batch {
        /// The pieces before this one have rows.
        let from: Int
        /// The number of pieces that were read.
        var count = 0
        var pieces: [BackupManifestStore.Piece] = []
        var running = 0
        /// The number of pieces of which rows were written, or that had them before.
        var done: Int

        init(from: Int) {
            self.from = from
            done = from
        }

        var isFull: Bool { count - done >= BackupWriter.batch }
    }

    private func take(
        _ bytes: ByteBuffer, of manifest: BackupManifest, _ batch: inout Batch,
        _ group: inout ThrowingTaskGroup<BackupManifestStore.Piece, any Error>
    ) async throws {
        let position = batch.count
        batch.count += 1
        guard position >= batch.from, !bytes.withUnsafeReadableBytes({ Zeros.fill($0) }) else { return }
        if batch.running >= Self.mostAtOnce, let piece = try await group.next() {
            batch.pieces.append(piece)
            batch.running -= 1
        }
        group.addTask { [chunks] in
            (position: position, chunk: try await chunks.put(bytes, for: manifest.projectID).id)
        }
        batch.running += 1
    }

    /// Writes the rows of the pieces when all of them are stored.
    private func end(
        _ batch: inout Batch, of manifest: BackupManifest,
        _ group: inout ThrowingTaskGroup<BackupManifestStore.Piece, any Error>
    ) async throws {
        while let piece = try await group.next() { batch.pieces.append(piece) }
        batch.running = 0
        guard batch.count > batch.done else { return }
        let (manifests, pieces, count) = (manifests, batch.pieces, batch.count)
        try await database.write { tx in try manifests.add(pieces, to: manifest.id, done: count, in: tx) }
        batch.pieces = []
        batch.done = count
    }
}

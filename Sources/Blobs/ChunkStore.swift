package import CloudCore
package import NIOCore

/// A store of the pieces of backups. Equal bytes of one owner are stored once; owners share nothing, so nobody learns
/// from the store what others have. The rows of a service say in which order chunks make up a content.
///
/// A chunk that `put` has returned is durable, and never changes.
package protocol ChunkStore: Sendable {
    /// Stores a chunk, unless the owner has it already; then it counts as stored now.
    ///
    /// - Parameter owner: the project whose chunk it is.
    /// - Throws: `tooLarge` (`storage_full`) if the disk is full.
    func put(_ bytes: ByteBuffer, for owner: String) async throws -> StoredChunk

    /// Returns the bytes of a chunk, after they were compared with its name.
    ///
    /// - Throws: `notFound`; `conflict` (`ChunkID.damagedCode`) if the bytes are others than those that were stored.
    func read(_ id: ChunkID, of owner: String) async throws -> ByteBuffer

    /// Passes all stored chunks to `body`, those of one owner at a time, in no useful order.
    func list(_ body: @Sendable (_ owner: String, _ chunks: [ChunkEntry]) async throws -> Void) async throws

    /// Removes a chunk unless it was stored, or stored again, at or after `cutoff`.
    ///
    /// - Returns: whether the chunk is gone now.
    func remove(_ id: ChunkID, of owner: String, storedBefore cutoff: Timestamp) async throws -> Bool
}

extension ChunkID {
    /// The most bytes of a chunk: 4 MiB.
    package static let mostBytes = 4 << 20

    /// The code of the error for a chunk whose bytes are not those that its name stands for.
    package static let damagedCode = "chunk_damaged"
}

/// The result of storing a chunk.
package struct StoredChunk: Hashable, Sendable {
    package let id: ChunkID
    /// Whether the owner did not have the chunk before.
    package let isNew: Bool

    package init(id: ChunkID, isNew: Bool) {
        self.id = id
        self.isNew = isNew
    }
}

/// A chunk in a listing.
package struct ChunkEntry: Hashable, Sendable {
    package let id: ChunkID
    /// The time at which the chunk was last stored; storing the same bytes again renews it.
    package let storedAt: Timestamp

    package init(id: ChunkID, storedAt: Timestamp) {
        self.id = id
        self.storedAt = storedAt
    }
}

extension ChunkStore {
    /// Removes the chunks that no row refers to and that were stored before `cutoff`. The time between must be longer
    /// than that between the storing of a chunk and the commit of its row.
    ///
    /// - Parameter referenced: returns those of an owner's chunks that some row refers to. If it throws, the collection
    ///   ends, and none of the chunks that it was asked about is removed.
    /// - Returns: the numbers of chunks that were looked at and removed.
    package func collectGarbage(
        storedBefore cutoff: Timestamp,
        referenced: @Sendable (_ owner: String, _ chunks: [ChunkID]) async throws -> Set<ChunkID>
    ) async throws -> (examined: Int, removed: Int) {
        let counts = Counts()
        try await list { owner, entries in
            let old = entries.filter { $0.storedAt < cutoff }.map(\.id)
            counts.add(examined: entries.count)
            guard !old.isEmpty else { return }
            let kept = try await referenced(owner, old)
            for id in old where !kept.contains(id) {
                if try await remove(id, of: owner, storedBefore: cutoff) { counts.add(removed: 1) }
            }
        }
        return counts.all
    }
}

import Blobs
import CloudCore
import NIOCore
import Synchronization

/// A store of chunks in memory. Every chunk counts as stored at the same moment.
final class MemoryChunks: ChunkStore {
    private let state = Mutex<[String: [ChunkID: ByteBuffer]]>([:])

    func put(_ bytes: ByteBuffer, for owner: String) async throws -> StoredChunk {
        let id = ChunkID(of: bytes)
        return state.withLock { state in
            let isNew = state[owner, default: [:]].updateValue(bytes, forKey: id) == nil
            return StoredChunk(id: id, isNew: isNew)
        }
    }

    func read(_ id: ChunkID, of owner: String) async throws -> ByteBuffer {
        guard let bytes = state.withLock({ $0[owner]?[id] }) else { throw CloudError.notFound("chunk", id.text) }
        return bytes
    }

    func list(_ body: @Sendable (_ owner: String, _ chunks: [ChunkEntry]) async throws -> Void) async throws {
        for (owner, chunks) in state.withLock({ $0 }) {
            try await body(owner, chunks.keys.map { ChunkEntry(id: $0, storedAt: Timestamp(seconds: 0)) })
        }
    }

    func remove(_ id: ChunkID, of owner: String, storedBefore cutoff: Timestamp) async throws -> Bool {
        state.withLock { $0[owner]?[id] = nil }
        return true
    }
}

import CloudCore
import Crypto
import NIOCore
import NIOPosix

/// An upload into a file. Small buffers are joined to chunks. Each chunk goes through three lanes: one writes it, one
/// computes the SHA-512, and one the other digests. The three have about the same amount of work.
final class FileUpload: BlobUpload, @unchecked Sendable {  // Its one owner calls one method at a time.
    /// The size of a chunk: 1 MiB. Larger chunks are no faster, and each upload holds several.
    static let chunkSize = 1 << 20
    /// The most chunks that a lane may be behind.
    static let mostWaiting = 4

    private let store: FileBlobStore
    private let most: Int64?
    private let digests: Digests
    private var parts: Parts?
    private var pending = ByteBuffer()
    private var size: Int64 = 0
    /// The memory of earlier chunks, which is used again when the lanes are done with it: fresh pages for each chunk
    /// would cost more than copying. A buffer that a lane still holds is copied on write, so an early reuse only costs
    /// time.
    private var used: [ByteBuffer] = []

    /// The resources that are released when the upload ends, in whatever way.
    private struct Parts {
        let file: TemporaryFile
        let place: Places.Place
        let lanes: [SerialLane]
    }

    init(_ store: FileBlobStore, _ file: TemporaryFile, _ place: Places.Place, most: Int64?, sha256: Bool) {
        self.store = store
        self.most = most
        let digests = Digests(sha256: sha256)
        self.digests = digests
        let work: [@Sendable (ByteBuffer) throws -> Void] = [file.write, digests.addToSHA512, digests.addToOthers]
        let lanes = work.map { SerialLane(store.pool, most: Self.mostWaiting, work: $0) }
        parts = Parts(file: file, place: place, lanes: lanes)
    }

    func append(_ bytes: ByteBuffer) async throws {
        guard parts != nil else { throw CloudError.internalError("bytes for an upload that has ended") }
        do {
            size += Int64(bytes.readableBytes)
            if let most, size > most { throw CloudError(.tooLarge, "The data has more than \(most) bytes, which are allowed.") }
            var bytes = bytes
            while bytes.readableBytes > 0 {
                if pending.readableBytes == 0, bytes.readableBytes >= Self.chunkSize,
                    let chunk = bytes.readSlice(length: Self.chunkSize)
                {
                    try await send(chunk)
                    continue
                }
                let room = Self.chunkSize - pending.readableBytes
                guard var part = bytes.readSlice(length: min(room, bytes.readableBytes)) else { break }
                if pending.readableBytes == 0 { takeSpace(for: part.readableBytes) }
                pending.writeBuffer(&part)
                if pending.readableBytes == Self.chunkSize { try await sendPending() }
            }
        } catch {
            await abort()
            throw error
        }
    }

    func commit(expecting expected: BlobExpectation) async throws -> StoredBlob {
        guard let parts else { throw CloudError.internalError("a commit of an upload that has ended") }
        do {
            if pending.readableBytes > 0 { try await sendPending() }
            for lane in parts.lanes { try await lane.finish() }
            let blob = try digests.finish(size: size)
            try expected.check(blob)
            let (store, now) = (store, store.world.now)
            try await store.run { try parts.file.publish(blob.id.text, in: store.shard(of: blob.id), at: now) }
            self.parts = nil
            return blob
        } catch {
            await abort()
            throw error
        }
    }

    func abort() async {
        guard let parts else { return }
        self.parts = nil
        (pending, used) = (ByteBuffer(), [])
        for lane in parts.lanes { try? await lane.finish() }
        try? await store.run { parts.file.discard() }
    }

    /// Prepares the memory for the next chunk. The memory of the first chunk grows with the data, so that a sender of
    /// single bytes does not hold a whole chunk.
    private func takeSpace(for count: Int) {
        guard used.count > Self.mostWaiting + 1 else {
            pending = ByteBufferAllocator().buffer(capacity: used.isEmpty ? count : Self.chunkSize)
            return
        }
        pending = used.removeFirst()
        pending.clear()
    }

    private func sendPending() async throws {
        used.append(pending)
        pending = ByteBuffer()
        if let chunk = used.last { try await send(chunk) }
    }

    private func send(_ chunk: ByteBuffer) async throws {
        for lane in parts?.lanes ?? [] { try await lane.add(chunk) }
    }
}

/// The digests of an upload. Each digest is fed by one lane.
private final class Digests: @unchecked Sendable {  // One lane per field, and `finish` runs after the lanes.
    private var sha512 = SHA512()
    private var md5 = Insecure.MD5()
    private var sha256: SHA256?

    init(sha256: Bool) { self.sha256 = sha256 ? SHA256() : nil }

    func addToSHA512(_ chunk: ByteBuffer) { chunk.withUnsafeReadableBytes { sha512.update(bufferPointer: $0) } }

    func addToOthers(_ chunk: ByteBuffer) {
        chunk.withUnsafeReadableBytes {
            md5.update(bufferPointer: $0)
            sha256?.update(bufferPointer: $0)
        }
    }

    func finish(size: Int64) throws -> StoredBlob {
        guard let id = ContentID(Hex.text(sha512.finalize())) else {
            throw CloudError.internalError("a SHA-512 that is none")
        }
        return StoredBlob(id: id, size: size, md5: Hex.text(md5.finalize()), sha256: sha256.map { Hex.text($0.finalize()) })
    }
}

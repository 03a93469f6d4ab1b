import CloudCore
import Foundation
package import NIOCore
import NIOPosix

/// The bytes of a blob. They are read as fast as the consumer takes them, and one piece ahead. The file stays readable
/// until the last iterator is gone, even if the blob is removed meanwhile.
package struct BlobBytes: AsyncSequence, Sendable {
    /// The size of the whole blob in bytes.
    package let size: Int64
    /// The range of bytes that the sequence yields, cut to the size of the blob.
    package let range: Range<Int64>
    private let file: BlobFile
    private let pool: NIOThreadPool
    /// The reader's place in the store; nil for the cloud itself.
    private let place: Places.Place?

    /// Bytes per step.
    static let step: Int64 = 512 << 10

    init(_ file: BlobFile, _ pool: NIOThreadPool, _ place: Places.Place?, size: Int64, range: Range<Int64>) {
        self.file = file
        self.pool = pool
        self.place = place
        self.size = size
        self.range = range
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let file: BlobFile
        fileprivate let pool: NIOThreadPool
        private let place: Places.Place?
        /// The range that has not been requested yet.
        fileprivate var rest: Range<Int64>
        /// The read of the next piece, which runs while the consumer handles the present one. Otherwise disk and
        /// consumer would wait for each other in turn.
        private var ahead: EventLoopFuture<ByteBuffer>?

        fileprivate init(_ bytes: BlobBytes) {
            (file, pool, place, rest) = (bytes.file, bytes.pool, bytes.place, bytes.range)
        }

        /// Returns the next piece; nil at the end.
        ///
        /// - Throws: `internalError` if the disk does not deliver the bytes, so that a reader never takes a part for
        ///   the whole.
        package mutating func next() async throws -> ByteBuffer? {
            try Task.checkCancellation()
            guard let piece = ahead ?? read() else { return nil }
            ahead = read()
            return try await piece.get()
        }

        /// Starts to read the next piece. Returns nil at the end.
        private mutating func read() -> EventLoopFuture<ByteBuffer>? {
            guard !rest.isEmpty else { return nil }
            let piece = rest.lowerBound..<Swift.min(rest.lowerBound + BlobBytes.step, rest.upperBound)
            rest = piece.upperBound..<rest.upperBound
            let file = file
            return pool.runIfActive(eventLoop: MultiThreadedEventLoopGroup.singleton.any()) { try file.read(piece) }
        }
    }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}

/// The file of a blob, open for reading.
///
/// Reads bypass the page cache where the file system allows it, as writes do. A reader of an image usually reads all of
/// it, and the cached pages of gigabytes would cost more than the disk does and push out what others need.
struct BlobFile: Sendable {
    private let descriptor: Descriptor
    private let calls: DiskCalls

    init(_ path: String, _ calls: DiskCalls) throws(CloudError) {
        descriptor = try Descriptor(path, O_RDONLY | O_NOFOLLOW)
        self.calls = calls
        #if os(Linux)
        // A file system that does not allow direct reads refuses here or at the first read.
        _ = fcntl(descriptor.number, F_SETFL, fcntl(descriptor.number, F_GETFL) | Disk.direct)
        #endif
    }

    func size() throws(CloudError) -> Int64 { Int64(try descriptor.status().st_size) }

    /// Returns the bytes of a range.
    ///
    /// - Throws: `internalError` unless it can read the whole range.
    func read(_ range: Range<Int64>) throws(CloudError) -> ByteBuffer {
        let lead = Int(range.lowerBound % Int64(Disk.block))
        let (start, wanted) = (range.lowerBound - Int64(lead), lead + range.count)
        let length = (wanted + Disk.block - 1) / Disk.block * Disk.block
        var buffer = ByteBufferAllocator().buffer(capacity: length + Disk.block)
        let gap = buffer.withUnsafeMutableWritableBytes { space in
            space.baseAddress.map { (Disk.block - Int(bitPattern: $0) % Disk.block) % Disk.block } ?? 0
        }
        buffer.moveWriterIndex(forwardBy: gap)
        buffer.moveReaderIndex(forwardBy: gap)
        while buffer.readableBytes < wanted {
            let (at, missing) = (start + Int64(buffer.readableBytes), length - buffer.readableBytes)
            var got = 0
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: missing) { space in
                got = calls.read(descriptor.number, UnsafeMutableRawBufferPointer(rebasing: space.prefix(missing)), off_t(at))
                // A failed read writes nothing.
                return max(0, got)
            }
            if got < 0, errno == EINTR || goThroughPageCache() { continue }
            guard got > 0 else {
                throw CloudError.internalError("cannot read at \(at): a blob that is cut, or a broken disk")
            }
        }
        buffer.moveReaderIndex(forwardBy: lead)
        buffer.moveWriterIndex(to: buffer.readerIndex + range.count)
        return buffer
    }

    /// Switches to reads through the page cache. Returns whether that may help, because the disk refused a direct read.
    private func goThroughPageCache() -> Bool {
        #if os(Linux)
        guard errno == EINVAL else { return false }
        let flags = fcntl(descriptor.number, F_GETFL)
        return flags & Disk.direct != 0 && fcntl(descriptor.number, F_SETFL, flags & ~Disk.direct) == 0
        #else
        return false
        #endif
    }
}

import CloudCore
import Foundation
package import NIOCore
import NIOPosix

/// Bytes of a blob, read only as fast as they are taken: nothing is read ahead of who asks. The file stays readable
/// until the last iterator is gone, even if the blob is removed meanwhile.
package struct BlobBytes: AsyncSequence, Sendable {
    /// Of the whole blob.
    package let size: Int64
    /// What the sequence gives, cut to what there is.
    package let range: Range<Int64>
    private let descriptor: Descriptor
    private let pool: NIOThreadPool

    /// Bytes a step.
    static let step = 512 << 10

    init(_ descriptor: Descriptor, _ pool: NIOThreadPool, size: Int64, range: Range<Int64>) {
        self.descriptor = descriptor
        self.pool = pool
        self.size = size
        self.range = range
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let descriptor: Descriptor
        fileprivate let pool: NIOThreadPool
        fileprivate var rest: Range<Int64>

        /// - Throws: `internalError` when the disk does not give the bytes: a reader never takes a part for the whole.
        package mutating func next() async throws -> ByteBuffer? {
            guard !rest.isEmpty else { return nil }
            let (descriptor, offset, count) = (
                descriptor, rest.lowerBound, Int(Swift.min(Int64(BlobBytes.step), rest.upperBound - rest.lowerBound))
            )
            let buffer = try await pool.runIfActive { try BlobBytes.read(descriptor, count, at: offset) }
            rest = (offset + Int64(buffer.readableBytes))..<rest.upperBound
            return buffer
        }
    }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(descriptor: descriptor, pool: pool, rest: range) }

    private static func read(_ descriptor: Descriptor, _ count: Int, at offset: Int64) throws -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        while true {
            let got = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { space in
                // A failure writes nothing, and says so by the buffer staying empty.
                Swift.max(0, pread(descriptor.number, space.baseAddress, count, off_t(offset)))
            }
            if got > 0 { return buffer }
            guard errno == EINTR else {
                throw CloudError.internalError("cannot read at \(offset): a blob that is cut, or a broken disk")
            }
        }
    }
}

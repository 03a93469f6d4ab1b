import CloudCore
import Drivers
import Foundation
import HostModel
import NIOCore
import NIOPosix

/// A file of this host as a sequence of pieces. Nothing is read before it is requested, and the file stays readable if
/// it is removed meanwhile.
enum HostFile {
    /// The bytes of a piece.
    private static let step = 512 << 10

    /// Returns the bytes of a file.
    ///
    /// - Parameter count: the bytes that the file must have. A shorter file throws at its end, so that a part is never
    ///   taken for the whole.
    static func bytes(of path: String, count: Int64) throws -> AsyncThrowingStream<ByteBuffer, any Error> {
        let number = open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else {
            if errno == ENOENT { throw CloudError(.notFound, "Could not find the copy of the disk.", detail: path) }
            throw DurableFile.failure("read", path)
        }
        let file = Opened(number)
        return AsyncThrowingStream {
            let offset = file.offset
            guard offset < count else { return nil }
            let bytes = try await NIOThreadPool.singleton.runIfActive {
                try read(file.number, Int(min(Int64(step), count - offset)), at: offset, path)
            }
            file.offset = offset + Int64(bytes.readableBytes)
            return bytes
        }
    }

    private static func read(_ file: Int32, _ count: Int, at offset: Int64, _ path: String) throws -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        let got = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { space in
            max(0, pread(file, space.baseAddress, count, off_t(offset)))
        }
        guard got > 0 else { throw CloudError.internalError("cannot read \(path) at \(offset)") }
        return buffer
    }

    /// An open file, which is closed when its last reader is gone.
    private final class Opened: @unchecked Sendable {  // A stream is read by one task at a time.
        let number: Int32
        var offset: Int64 = 0

        init(_ number: Int32) { self.number = number }
        deinit { close(number) }
    }
}

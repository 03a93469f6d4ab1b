import CZlib
import CloudCore
import NIOCore

/// The form of a chunk in its file: a mark, the way in which the bytes are packed and their number, in four bytes each,
/// and then the bytes. Bytes that zlib makes hardly smaller are kept as they are.
enum PackedChunk {
    private static let mark: UInt32 = 0x4e56_4b31
    private static let headBytes = 12

    private enum Packing: UInt32 { case none, zlib }

    /// The fastest level of zlib: the higher ones take several times as long for a few per cent.
    private static let level: Int32 = 1
    /// The bytes of the sample that tells whether a chunk is worth packing, which would cost more than its digest.
    private static let sampleBytes = 64 << 10
    /// The largest part that packed bytes may have of the whole, in per cent.
    private static let worthPercent = 90

    static func pack(_ bytes: ByteBuffer) -> ByteBuffer {
        var file = ByteBufferAllocator().buffer(capacity: headBytes + bytes.readableBytes)
        if isWorth(bytes), let packed = deflated(bytes), isSmall(packed, bytes) {
            writeHead(.zlib, bytes, to: &file)
            file.writeImmutableBuffer(packed)
        } else {
            writeHead(.none, bytes, to: &file)
            file.writeImmutableBuffer(bytes)
        }
        return file
    }

    private static func writeHead(_ packing: Packing, _ bytes: ByteBuffer, to file: inout ByteBuffer) {
        for word in [mark, packing.rawValue, UInt32(bytes.readableBytes)] { file.writeInteger(word) }
    }

    /// Returns whether a piece in the middle becomes smaller.
    private static func isWorth(_ bytes: ByteBuffer) -> Bool {
        guard bytes.readableBytes > 4 * sampleBytes else { return true }
        let middle = bytes.readerIndex + bytes.readableBytes / 2
        guard let sample = bytes.getSlice(at: middle, length: sampleBytes), let packed = deflated(sample) else {
            return false
        }
        return isSmall(packed, sample)
    }

    private static func isSmall(_ packed: ByteBuffer, _ bytes: ByteBuffer) -> Bool {
        packed.readableBytes * 100 <= bytes.readableBytes * worthPercent
    }

    private static func deflated(_ bytes: ByteBuffer) -> ByteBuffer? {
        let most = compressBound(uLong(bytes.readableBytes))
        return converted(bytes, most: Int(most)) { compress2($0, $1, $2, $3, level) }
    }

    /// Runs one of zlib's functions on a buffer; nil if it fails.
    private static func converted(
        _ bytes: ByteBuffer, most: Int,
        _ function: (UnsafeMutablePointer<Bytef>?, UnsafeMutablePointer<uLongf>, UnsafePointer<Bytef>?, uLong) -> Int32
    ) -> ByteBuffer? {
        var result = ByteBufferAllocator().buffer(capacity: most)
        var code = Z_OK
        result.writeWithUnsafeMutableBytes(minimumWritableBytes: most) { space in
            var count = uLongf(most)
            code = bytes.withUnsafeReadableBytes { source in
                function(
                    space.baseAddress?.assumingMemoryBound(to: Bytef.self), &count,
                    source.baseAddress?.assumingMemoryBound(to: Bytef.self), uLong(source.count))
            }
            return code == Z_OK ? Int(count) : 0
        }
        return code == Z_OK ? result : nil
    }

    /// Returns the bytes of a chunk's file; nil if the file is none of a chunk.
    static func unpack(_ packed: ByteBuffer) -> ByteBuffer? {
        var file = packed
        guard file.readInteger(as: UInt32.self) == mark,
            let packing = file.readInteger(as: UInt32.self).flatMap(Packing.init),
            let count = file.readInteger(as: UInt32.self).map(Int.init), count <= ChunkID.mostBytes
        else { return nil }
        let bytes: ByteBuffer? =
            switch packing {
            case .none: file
            case .zlib: converted(file, most: count) { uncompress($0, $1, $2, $3) }
            }
        return bytes?.readableBytes == count ? bytes : nil
    }
}

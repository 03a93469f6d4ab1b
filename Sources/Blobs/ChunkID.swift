import CloudCore
import Crypto
package import NIOCore

/// The name of a chunk that is made of its bytes: the 64 lower case hexadecimal digits of their SHA-256. No other text
/// is one, so none can become a path.
package struct ChunkID: Hashable, Sendable, CustomStringConvertible, LosslessStringConvertible {
    package let text: String

    /// Returns nil for any other text.
    package init?(_ text: String) {
        guard text.utf8.count == 64, text.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else {
            return nil
        }
        self.text = text
    }

    /// Makes the name of bytes.
    package init(of bytes: ByteBuffer) {
        var digest = SHA256()
        bytes.withUnsafeReadableBytes { digest.update(bufferPointer: $0) }
        text = Hex.text(digest.finalize())
    }

    package var description: String { text }

    /// The folder of the chunk, one of 256.
    var shard: String { String(text.prefix(2)) }
}

import Foundation

/// Bytes that are all zero, found at the speed of the memory.
package enum Zeros {
    /// Returns whether all bytes are zero. No bytes are.
    package static func fill(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let start = bytes.baseAddress, let first = bytes.first else { return true }
        // The bytes are compared with themselves, one place further on: if the first is zero, so are all.
        return first == 0 && memcmp(start, start + 1, bytes.count - 1) == 0
    }
}

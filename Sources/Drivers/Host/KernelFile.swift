import Foundation

/// Functions to read files that the kernel generates, such as those of `/proc`, which have no size.
///
/// `FileManager` is not used: if a file without a size turns out to be empty, it never frees its 4 KiB buffer, and a
/// search through `/proc` meets such a file with every kernel thread.
package enum KernelFile {
    /// The most bytes that are read from a file.
    private static let most = 1 << 20

    /// Returns the contents of the file; nil if it does not exist or cannot be read.
    package static func bytes(_ path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        while bytes.count < most {
            let count = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4096) { buffer in
                let count = read(file, buffer.baseAddress, buffer.count)
                if count > 0 { bytes.append(contentsOf: buffer[..<count]) }
                return count
            }
            if count == 0 { return bytes }
            if count < 0, errno != EINTR { return nil }
        }
        return bytes
    }

    package static func text(_ path: String) -> String? { bytes(path).map { String(decoding: $0, as: UTF8.self) } }
}

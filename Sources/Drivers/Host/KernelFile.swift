import Foundation

/// Reads files that the kernel makes up when they are read, as those of `/proc`, which have no size.
///
/// Not by `FileManager`: of a file without a size that turns out to be empty it never frees the 4 KiB that it read into, and a process
/// that looks through `/proc` again and again meets one with every kernel thread.
package enum KernelFile {
    /// The most that is read of one, in bytes.
    private static let most = 1 << 20

    /// What it says now; nil when there is none, or it cannot be read.
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

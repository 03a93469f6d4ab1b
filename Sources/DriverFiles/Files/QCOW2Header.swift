import CloudCore
import Drivers
import Foundation

/// The first bytes of a qcow2 file (QEMU's docs/interop/qcow2.txt), read here so that no program opens a file of
/// somebody else before it was looked at.
struct QCOW2Header {
    let virtualBytes: Int64
    /// Whether the file names another file, or is encrypted.
    let dependsOnOthers: Bool

    /// - Throws: `badRequest` if the file is no qcow2 of version 3 or 2.
    init(of path: String) throws(CloudError) {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { throw DurableFile.failure("read", path) }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 104)
        let count = pread(file, &bytes, bytes.count, 0)
        func number(_ at: Int, _ size: Int) -> UInt64 { bytes[at..<at + size].reduce(0) { $0 << 8 | UInt64($1) } }
        guard count >= 72, number(0, 4) == 0x5146_49fb, [2, 3].contains(number(4, 4)), number(24, 8) <= 1 << 50 else {
            throw .badRequest("The file is not in the format qcow2.")
        }
        virtualBytes = Int64(number(24, 8))
        // Only version 3 has features; the third bit is a data file.
        let features = number(4, 4) == 3 ? number(72, 8) : 0
        dependsOnOthers = number(8, 8) != 0 || number(32, 4) != 0 || features & ~0b1_1001 != 0
    }
}

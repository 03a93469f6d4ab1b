import CloudCore
import Drivers
import Foundation

/// A copy of a file that shares its blocks (FICLONE): made at once, at any size.
enum FileClone {
    private static let ficlone: UInt = 0x4004_9409

    /// Makes the copy. The kernel copies the file as it is at one moment, also while somebody writes to it.
    ///
    /// - Returns: false if the file system cannot do this, and then there is no copy.
    static func make(_ source: String, _ target: String) throws(CloudError) -> Bool {
        let from = open(source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard from >= 0 else { throw DurableFile.failure("read", source) }
        defer { close(from) }
        unlink(target)
        let to = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard to >= 0 else { throw DurableFile.failure("make", target) }
        defer { close(to) }
        if ioctl(to, ficlone, from) == 0 { return true }
        let code = errno
        unlink(target)
        if [EOPNOTSUPP, EXDEV, EINVAL, ENOTTY, ENOSYS].contains(code) { return false }
        errno = code
        throw DurableFile.failure("clone", source)
    }
}

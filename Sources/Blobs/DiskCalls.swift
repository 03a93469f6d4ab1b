import CloudCore
import Foundation

/// The system calls that fail on a full or a broken disk, so that a test can simulate one.
struct DiskCalls: Sendable {
    var write: @Sendable (_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int = {
        Foundation.write($0, $1.baseAddress, $1.count)
    }
    var read: @Sendable (_ descriptor: Int32, _ space: UnsafeMutableRawBufferPointer, _ offset: off_t) -> Int = {
        Foundation.pread($0, $1.baseAddress, $1.count, $2)
    }
    var sync: @Sendable (_ descriptor: Int32) -> Int32 = { fsync($0) }
    /// Returns the bytes that can still be stored in the file system of a folder; nil if it does not tell.
    var room: @Sendable (_ folder: String) -> Int64? = { folder in
        var status = statvfs()
        guard let descriptor = try? Descriptor(folder, O_RDONLY | O_DIRECTORY), fstatvfs(descriptor.number, &status) == 0 else { return nil }
        return Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
    }
}

/// An open file or folder. It is closed when its last reference is gone.
final class Descriptor: Sendable {
    let number: Int32

    init(_ path: String, _ flags: Int32, mode: mode_t = 0) throws(CloudError) {
        number = Foundation.open(path, flags | O_CLOEXEC, mode)
        guard number >= 0 else { throw Disk.failure("open", path) }
    }

    deinit { close(number) }

    /// Waits for the exclusive lock of the file. The lock ends with the descriptor, also if the process dies.
    func lock() throws(CloudError) {
        while flock(number, LOCK_EX) != 0 {
            guard errno == EINTR else { throw Disk.failure("lock", "descriptor \(number)") }
        }
    }

    /// Takes the lock if it is free. Returns whether it was.
    func tryLock() -> Bool { flock(number, LOCK_EX | LOCK_NB) == 0 }

    func status() throws(CloudError) -> stat {
        var status = stat()
        guard fstat(number, &status) == 0 else { throw Disk.failure("examine", "descriptor \(number)") }
        return status
    }

    func sync(_ calls: DiskCalls) throws(CloudError) {
        guard calls.sync(number) == 0 else { throw Disk.failure("sync", "descriptor \(number)") }
    }
}

enum Disk {
    #if os(Linux)
    /// `O_DIRECT`, which no Swift module exports because its macro needs a feature test. Its value depends on the
    /// processor (asm/fcntl.h).
    #if arch(arm64) || arch(arm)
    static let direct: Int32 = 0o200_000
    #else
    static let direct: Int32 = 0o40_000
    #endif
    #endif

    /// The unit in bytes of direct reads and writes: their offset, length and memory address must be multiples of it.
    /// It fits all disks.
    static let block = 4096

    /// Returns the error that `errno` stands for. The caller learns only that there is no room, and nothing else about
    /// the host.
    static func failure(_ verb: String, _ path: String) -> CloudError {
        let code = errno
        let detail = "cannot \(verb) \(path): \(String(cString: strerror(code)))"
        return switch code {
        case ENOSPC, EDQUOT, EFBIG:
            full(detail)
        case ENOENT: CloudError(.notFound, "The data could not be found.", detail: detail)
        default: .internalError(detail)
        }
    }

    /// Returns the error for a full store. The reference answers a full store with 413. The `Retry-After` header tells
    /// that the data itself is not too large.
    private static func full(_ detail: String) -> CloudError {
        var error = CloudError(.tooLarge, "There is no space left to store the data.", detail: detail, code: "storage_full")
        error.headers = [("Retry-After", "60")]
        return error
    }

    /// Makes a folder durably, unless it exists. Whoever has made it may not have synced its name yet.
    static func makeFolder(_ path: String, in parent: String, _ calls: DiskCalls) throws(CloudError) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failure("make", path) }
        try Descriptor(parent, O_RDONLY | O_DIRECTORY).sync(calls)
    }

    /// Removes a file durably unless it was stored, or stored again, at or after `cutoff`.
    ///
    /// - Returns: whether the file is gone now.
    static func remove(
        _ name: String, in folder: String, storedBefore cutoff: Timestamp, _ calls: DiskCalls
    ) throws(CloudError) -> Bool {
        do throws(CloudError) {
            let place = try Descriptor(folder, O_RDONLY | O_DIRECTORY)
            // The same bytes may be stored again at this moment: the lock makes the check and the removal one
            // operation.
            try place.lock()
            let path = "\(folder)/\(name)"
            var status = stat()
            guard lstat(path, &status) == 0 else { throw failure("examine", path) }
            guard Timestamp(status.st_mtim) < cutoff else { return false }
            guard unlink(path) == 0 else { throw failure("remove", path) }
            try place.sync(calls)
            return true
        } catch {
            guard error.kind == .notFound else { throw error }
            return true
        }
    }

    /// Returns the names in a folder; none if the folder does not exist.
    static func names(in path: String) throws(CloudError) -> [String] {
        guard let folder = opendir(path) else {
            if errno == ENOENT { return [] }
            throw failure("list", path)
        }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }
}

extension Timestamp {
    init(_ time: timespec) { self.init(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000) }

    var timespec: Foundation.timespec {
        let seconds = seconds
        return Foundation.timespec(tv_sec: Int(seconds), tv_nsec: Int(microseconds - seconds * 1_000_000) * 1000)
    }
}

import CloudCore
import Drivers
import Foundation
import HostModel
import NIOCore

/// The files of volumes. The functions block their thread; each may be repeated after it was interrupted.
enum VolumeFile {
    /// Makes a draft of zeros.
    static func makeBlank(_ target: TargetFile) throws(CloudError) {
        unlink(target.draft)
        if target.format == .qcow2 {
            let options = target.isThin ? [] : ["-o", "preallocation=falloc"]
            try ImageProgram.require(
                ["create", "-q", "-f", "qcow2"] + options + [target.draft, "\(target.bytes)"], .short)
            return
        }
        let file = open(target.draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw DurableFile.failure("make", target.draft) }
        defer { close(file) }
        guard ftruncate(file, off_t(target.bytes)) == 0 else { throw DurableFile.failure("size", target.draft) }
        if !target.isThin { try takeSpace(file, target.bytes, target.draft) }
    }

    /// Makes a draft that shares its blocks with a file of the same format.
    ///
    /// - Returns: false if the file system cannot do this.
    static func makeClone(_ target: TargetFile, of source: String, bytes: Int64) throws(CloudError) -> Bool {
        guard try FileClone.make(source, target.draft) else { return false }
        if bytes < target.bytes { try grow(target.draft, target) }
        return true
    }

    /// Gives a file at least the target's size. Nobody may use the file.
    static func grow(_ path: String, _ target: TargetFile) throws(CloudError) {
        if target.format == .qcow2 {
            guard try virtualBytes(path, .qcow2) < target.bytes else { return }
            let options = target.isThin ? [] : ["--preallocation=falloc"]
            try ImageProgram.require(["resize", "-q", "-f", "qcow2"] + options + [path, "\(target.bytes)"], .short)
            try DurableFile.sync(path)
        } else {
            try growRaw(path, target)
        }
    }

    /// Gives a raw file at least the target's size. A guest may use the file.
    static func growRaw(_ path: String, _ target: TargetFile) throws(CloudError) {
        let file = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { throw DurableFile.failure("size", path) }
        defer { close(file) }
        if lseek(file, 0, SEEK_END) < off_t(target.bytes) {
            guard ftruncate(file, off_t(target.bytes)) == 0 else { throw DurableFile.failure("size", path) }
        }
        if !target.isThin { try takeSpace(file, target.bytes, path) }
        guard fsync(file) == 0 else { throw DurableFile.failure("sync", path) }
    }

    /// Writes a piece of a raw draft.
    static func write(_ bytes: ByteBuffer, at offset: Int64, to path: String) throws(CloudError) {
        let file = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { throw DurableFile.failure("write", path) }
        defer { close(file) }
        var (rest, place) = (bytes, off_t(offset))
        while rest.readableBytes > 0 {
            let count = rest.withUnsafeReadableBytes { pwrite(file, $0.baseAddress, $0.count, place) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw DurableFile.failure("write", path) }
            rest.moveReaderIndex(forwardBy: count)
            place += off_t(count)
        }
    }

    private static func takeSpace(_ file: Int32, _ bytes: Int64, _ path: String) throws(CloudError) {
        let code = posix_fallocate(file, 0, off_t(bytes))
        guard code != 0 else { return }
        errno = code
        throw DurableFile.failure("take space for", path)
    }

    /// Makes a draft durable.
    static func sync(_ target: TargetFile) throws(CloudError) {
        let file = open(target.draft, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { throw DurableFile.failure("read", target.draft) }
        defer { close(file) }
        // Its owner may be the user under which QEMU runs.
        guard fchown(file, geteuid(), getegid()) == 0, fchmod(file, 0o600) == 0 else {
            throw DurableFile.failure("open", target.draft)
        }
        guard fsync(file) == 0 else { throw DurableFile.failure("sync", target.draft) }
    }

    /// Gives a file another name, durably. Has no effect if it was done before.
    static func rename(_ old: String, _ new: String) throws(CloudError) {
        guard Foundation.rename(old, new) == 0 else { throw DurableFile.failure("name", new) }
        for path in [new, old] { try DurableFile.syncFolder((path as NSString).deletingLastPathComponent) }
    }

    /// Gives a file a name that no other file has, durably. Has no effect if it was done before.
    ///
    /// - Throws: `conflict` if another file has the name.
    static func give(_ old: String, _ new: String) throws(CloudError) {
        guard access(old, F_OK) == 0 else { return }
        if link(old, new) != 0 {
            guard errno == EEXIST else { throw DurableFile.failure("name", new) }
            guard isSame(old, new) else {
                throw CloudError(.conflict, "Another file has the name.", detail: new, code: "name_taken")
            }
        }
        try DurableFile.syncFolder((new as NSString).deletingLastPathComponent)
        try DurableFile.remove(old)
    }

    private static func isSame(_ one: String, _ other: String) -> Bool {
        var (first, second) = (stat(), stat())
        guard lstat(one, &first) == 0, lstat(other, &second) == 0 else { return false }
        return first.st_ino == second.st_ino && first.st_dev == second.st_dev
    }

    /// Removes a file and its draft durably. Has no effect if there is none.
    static func remove(_ target: TargetFile) throws(CloudError) {
        unlink(target.draft)
        try DurableFile.remove(target.path)
    }

    /// Returns the bytes that a file takes; nil if there is no file.
    static func usedBytes(_ path: String) -> Int64? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Int64(status.st_blocks) * 512
    }

    /// Returns the size that a guest sees.
    static func virtualBytes(_ path: String, _ format: VolumeFormat) throws(CloudError) -> Int64 {
        if format == .qcow2 { return try QCOW2Header(of: path).virtualBytes }
        var status = stat()
        guard stat(path, &status) == 0 else { throw DurableFile.failure("read", path) }
        return Int64(status.st_size)
    }
}

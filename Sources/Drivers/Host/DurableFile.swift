package import CloudCore
package import Foundation

/// Functions for small files of a host that must be complete or absent, whenever the machine stops.
package enum DurableFile {
    /// Replaces the file. A reader, or a start after a power cut, finds the old bytes or the new ones, never a mixture.
    /// Two writers of one path must take turns.
    package static func write(_ bytes: Data, to path: String, mode: mode_t = 0o600) throws(CloudError) {
        let draft = path + ".new"
        unlink(draft)
        let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard file >= 0 else { throw failure("write", draft) }
        defer { close(file) }
        // The mode is set explicitly, without the process's umask: a program with fewer rights may have to read the
        // file.
        guard fchmod(file, mode) == 0 else { throw failure("open", draft) }
        try write(bytes, file, draft)
        guard fsync(file) == 0 else { throw failure("sync", draft) }
        guard rename(draft, path) == 0 else { throw failure("name", path) }
        try syncFolder((path as NSString).deletingLastPathComponent)
    }

    /// Returns the bytes of the file; nil if there is no file.
    package static func read(_ path: String) throws(CloudError) -> Data? {
        guard let data = FileManager.default.contents(atPath: path) else {
            if access(path, F_OK) == 0 { throw failure("read", path) }
            return nil
        }
        return data
    }

    /// Removes the file durably. Has no effect if there is none.
    package static func remove(_ path: String) throws(CloudError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw failure("remove", path) }
        try syncFolder((path as NSString).deletingLastPathComponent)
    }

    /// Makes a folder durably, unless it exists.
    package static func makeFolder(_ path: String, mode: mode_t = 0o700) throws(CloudError) {
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw failure("make", path) }
        // The mode is set explicitly, without the process's umask.
        guard chmod(path, mode) == 0 else { throw failure("open", path) }
        // Without its name the folder is lost with all that is synced in it. A process that made it may have been
        // killed before this.
        try syncFolder((path as NSString).deletingLastPathComponent)
    }

    /// Removes a folder with its contents. Has no effect if there is none.
    package static func removeFolder(_ path: String) throws(CloudError) {
        guard access(path, F_OK) == 0 else { return }
        do { try FileManager.default.removeItem(atPath: path) } catch {
            if access(path, F_OK) == 0 { throw .internalError("cannot remove \(path)", cause: error) }
        }
    }

    package static func names(in folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }

    /// Returns the error for `errno`. A caller of the API learns only that the host has no space left, and nothing else
    /// about it.
    package static func failure(_ verb: String, _ path: String) -> CloudError {
        let code = errno
        let detail = "cannot \(verb) \(path): \(String(cString: strerror(code)))"
        guard [ENOSPC, EDQUOT].contains(code) else { return .internalError(detail) }
        return CloudError(.unavailable, "The host has no space left.", detail: detail, code: "host_full")
    }

    static func write(_ bytes: some ContiguousBytes, _ file: Int32, _ path: String) throws(CloudError) {
        let isWritten = bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Foundation.write(file, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
        guard isWritten else { throw failure("write", path) }
    }

    /// Makes the bytes of a file durable that another program may have written.
    package static func sync(_ path: String) throws(CloudError) {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { throw failure("read", path) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw failure("sync", path) }
    }

    /// Gives a file another name, durably: after a power cut, the name has all bytes or is not there.
    package static func publish(_ draft: String, as path: String) throws(CloudError) {
        try sync(draft)
        guard rename(draft, path) == 0 else { throw failure("name", path) }
        try syncFolder((path as NSString).deletingLastPathComponent)
    }

    /// Makes the names in a folder durable.
    package static func syncFolder(_ path: String) throws(CloudError) {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failure("open", path) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw failure("sync", path) }
    }
}

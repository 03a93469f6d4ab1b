package import CloudCore
package import Foundation

/// Small files of a host that must be whole or absent, whenever the machine stops.
package enum DurableFile {
    /// Replaces the file: a reader, and a start after a power cut, find the old bytes or the new ones and no mixture.
    /// Two writers of one path must take turns.
    package static func write(_ bytes: Data, to path: String, mode: mode_t = 0o600) throws(CloudError) {
        let draft = path + ".new"
        unlink(draft)
        let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard file >= 0 else { throw failure("write", draft) }
        defer { close(file) }
        // Not what the process's mask left of it: a program without rights may have to read it.
        guard fchmod(file, mode) == 0 else { throw failure("open", draft) }
        try write(bytes, file, draft)
        guard fsync(file) == 0 else { throw failure("sync", draft) }
        guard rename(draft, path) == 0 else { throw failure("name", path) }
        try syncFolder((path as NSString).deletingLastPathComponent)
    }

    /// The bytes of the file; nil when there is none.
    package static func read(_ path: String) throws(CloudError) -> Data? {
        guard let data = FileManager.default.contents(atPath: path) else {
            if access(path, F_OK) == 0 { throw failure("read", path) }
            return nil
        }
        return data
    }

    /// The file is not there, for good.
    package static func remove(_ path: String) throws(CloudError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw failure("remove", path) }
        try syncFolder((path as NSString).deletingLastPathComponent)
    }

    package static func makeFolder(_ path: String, mode: mode_t = 0o700) throws(CloudError) {
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw failure("make", path) }
        // Not what the process's mask left of it.
        guard chmod(path, mode) == 0 else { throw failure("open", path) }
    }

    /// All of a folder. Without effect when there is none.
    package static func removeFolder(_ path: String) throws(CloudError) {
        guard access(path, F_OK) == 0 else { return }
        do { try FileManager.default.removeItem(atPath: path) } catch {
            if access(path, F_OK) == 0 { throw .internalError("cannot remove \(path)", cause: error) }
        }
    }

    package static func names(in folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }

    /// What `errno` stands for. A caller learns that there is no room, and nothing else of this host.
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

    static func syncFolder(_ path: String) throws(CloudError) {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failure("open", path) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw failure("sync", path) }
    }
}

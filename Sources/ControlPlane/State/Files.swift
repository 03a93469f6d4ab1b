import Foundation

/// Functions for files that must be complete or absent, whenever the machine stops.
enum Files {
    /// Replaces a file. A reader, or a start after a power cut, finds either the old text or the new one, never a
    /// mixture.
    ///
    /// - Parameter mode: the permissions that the file has from its first byte.
    static func write(_ text: String, to path: String, mode: mode_t = 0o600) throws {
        let draft = path + ".new"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure("write", draft) }
        do {
            defer { close(descriptor) }
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                let written = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
                guard written > 0 else { throw failure("write", draft) }
                rest = rest.dropFirst(written)
            }
            guard fsync(descriptor) == 0 else { throw failure("write", draft) }
        }
        try move(draft, to: path)
    }

    /// Renames a file and makes the new name durable.
    static func move(_ from: String, to path: String) throws {
        guard rename(from, path) == 0 else { throw failure("write", path) }
        let folder = open((path as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failure("write", path) }
        fsync(folder)
        close(folder)
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Returns the text of a file; nil if there is no file.
    static func text(_ path: String) throws -> String? {
        guard exists(path) else { return nil }
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { throw failure("read", path) }
        return text
    }

    static func failure(_ verb: String, _ path: String) -> StartError {
        StartError("Cannot \(verb) \(path): \(String(cString: strerror(errno))).")
    }
}

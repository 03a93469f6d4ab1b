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
        try syncFolder((path as NSString).deletingLastPathComponent)
    }

    /// Makes a folder and those above it durably, unless they exist, with rights only for their owner.
    static func makeFolder(_ path: String) throws {
        let above = (path as NSString).deletingLastPathComponent
        if !above.isEmpty, !exists(above) { try makeFolder(above) }
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failure("make", path) }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
            throw StartError("Cannot make \(path): it is no folder.")
        }
        // The folder above may be somebody else's, who has made this one.
        if access(above, R_OK) == 0 { try syncFolder(above) }
    }

    /// Makes the names in a folder durable.
    private static func syncFolder(_ path: String) throws {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failure("write", path) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw failure("write", path) }
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

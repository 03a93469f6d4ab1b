import Foundation
import NIOCore
import NIOFoundationCompat

/// Files of the user who runs the command.
enum FileBytes {
    static func read(_ path: String) -> ByteBuffer? {
        FileManager.default.contents(atPath: path).map { ByteBuffer(data: $0) }
    }

    /// Writes a file that only its owner can ever read.
    static func writePrivate(_ text: String, to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw ClientError("\(path) cannot be written: \(String(cString: strerror(errno)))") }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        fchmod(descriptor, 0o600)
        try file.write(contentsOf: Data(text.utf8))
    }
}

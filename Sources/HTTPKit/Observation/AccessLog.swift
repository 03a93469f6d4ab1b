import CloudCore
import Foundation
import Synchronization

/// A log with one line for each request. It keeps at most two files of about 64 MiB each.
///
/// Lines are collected and written once a second, or earlier if there are many: one write for each line would cost more
/// than the request. If the process dies, the lines that are not yet written are lost; nothing important depends on
/// them.
package final class AccessLog: Sendable {
    package struct Line: Sendable {
        var at: Timestamp
        var remote: String
        var method: String
        /// The path without the query, which may contain secrets.
        var path: String
        var status: Int
        var bytes: Int
        var took: Duration
        var requestID: String
    }

    private struct State {
        var waiting: [UInt8] = []
        var file: FileHandle?
        var size = 0
    }

    private let path: String
    private let state = Mutex(State())
    private static let flushAt = 64 << 10
    private static let partSize = 64 << 20

    /// - Parameter path: the file. When it is full, it is renamed to `path.1`.
    package init(path: String) { self.path = path }

    func add(_ line: Line) {
        let path = Self.oneWord(line.path.utf8.prefix(512))
        let text =
            "\(line.at.iso8601Microseconds) \(line.remote) \(line.method) \(path) \(line.status) \(line.bytes) "
            + "\(line.took.wholeMicroseconds)us \(line.requestID)\n"
        state.withLock { state in
            state.waiting.append(contentsOf: text.utf8)
            if state.waiting.count >= Self.flushAt { write(&state) }
        }
    }

    /// Returns the bytes as one word. All bytes but visible ASCII are percent-encoded, so that a client's path cannot
    /// break the format of a line.
    private static func oneWord(_ bytes: some Sequence<UInt8>) -> String {
        bytes.reduce(into: "") { out, byte in
            if byte > 0x20 && byte < 0x7f {
                out.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                out += "%" + Hex.text([byte]).uppercased()
            }
        }
    }

    package func flush() { state.withLock { write(&$0) } }

    private func write(_ state: inout State) {
        guard !state.waiting.isEmpty else { return }
        defer { state.waiting.removeAll(keepingCapacity: true) }
        if state.size > Self.partSize {
            try? state.file?.close()
            state.file = nil
            _ = rename(path, path + ".1")
        }
        if state.file == nil {
            let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { return }
            let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            state.file = file
            state.size = Int((try? file.seekToEnd()) ?? 0)
        }
        // A full disk must not stop the cloud. These lines are lost; later lines are tried again.
        try? state.file?.write(contentsOf: state.waiting)
        state.size += state.waiting.count
    }
}

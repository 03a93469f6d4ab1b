import CloudCore
import Foundation
import Synchronization

/// A line for each request, in a file that never grows past two of its parts.
///
/// Lines are gathered and written once a second or when there are many: a write for each would cost more than the
/// request. What is not written yet is lost with the process; nothing that matters is kept here.
package final class AccessLog: Sendable {
    package struct Line: Sendable {
        var at: Timestamp
        var remote: String
        var method: String
        /// Without the query, which may carry what nobody should log.
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

    /// - Parameter path: the file; the part before it is kept as `path.1`.
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

    /// A log line is one line of so many words, whatever a client put into its path: what is not visible ASCII is encoded.
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
        // A full disk must not stop the cloud: the lines are lost, and the next ones are tried again.
        try? state.file?.write(contentsOf: state.waiting)
        state.size += state.waiting.count
    }
}

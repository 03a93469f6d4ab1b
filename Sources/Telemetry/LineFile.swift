import Foundation
import Synchronization

/// A file of lines that never grows beyond two of its parts.
///
/// Lines are collected and written once a second, or when there are many: one write for each line would cost more than
/// a request. Lines that are not yet written are lost with the process, so nothing important is stored here.
package final class LineFile: Sendable {
    private struct State {
        var waiting: [UInt8] = []
        var file: FileHandle?
        var size = 0
    }

    private let path: String
    private let partSize: Int
    private let state = Mutex(State())
    private static let flushAt = 64 << 10

    /// Creates a log, whose file is opened by the first write.
    ///
    /// - Parameters:
    ///   - path: the file; the previous part is kept as `path.1`.
    ///   - partSize: the bytes after which a new part begins.
    package init(path: String, partSize: Int = 64 << 20) {
        self.path = path
        self.partSize = partSize
    }

    /// Adds a line, which must end with a line feed.
    package func add(_ line: some Sequence<UInt8>) {
        state.withLock { state in
            state.waiting.append(contentsOf: line)
            if state.waiting.count >= Self.flushAt { write(&state) }
        }
    }

    package func flush() { state.withLock { write(&$0) } }

    private func write(_ state: inout State) {
        guard !state.waiting.isEmpty else { return }
        defer { state.waiting.removeAll(keepingCapacity: true) }
        if state.size > partSize {
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
        // A full disk must not stop the cloud. These lines are lost, and the next ones are tried again.
        try? state.file?.write(contentsOf: state.waiting)
        state.size += state.waiting.count
    }
}

import Foundation
import Synchronization

/// Lines in a file that never grows past two of its parts.
///
/// Lines are gathered and written once a second or when there are many: a write for each would cost more than a
/// request. What is not written yet is lost with the process; nothing that matters is kept here.
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

    /// - Parameters:
    ///   - path: the file; the part before it is kept as `path.1`.
    ///   - partSize: the bytes after which a new part begins.
    package init(path: String, partSize: Int = 64 << 20) {
        self.path = path
        self.partSize = partSize
    }

    /// Adds a line, which ends with a line end.
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
        // A full disk must not stop the cloud: the lines are lost, and the next ones are tried again.
        try? state.file?.write(contentsOf: state.waiting)
        state.size += state.waiting.count
    }
}

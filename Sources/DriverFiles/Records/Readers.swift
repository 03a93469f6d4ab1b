import CloudCore
import Synchronization

/// The copies that read a file, so that nobody removes or changes the file under them.
final class Readers: Sendable {
    /// The number of readers of each path; -1 while somebody changes the file.
    private let counts = Mutex<[String: Int]>([:])

    /// Calls the body while nobody changes the file.
    func reading<Value>(
        _ path: String, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
    ) async throws -> Value {
        try counts.withLock { counts in
            guard counts[path] ?? 0 >= 0 else { throw Self.busy(path) }
            counts[path, default: 0] += 1
        }
        defer { release(path) { $0 - 1 } }
        return try await body()
    }

    /// Calls the body while nobody reads the file.
    ///
    /// - Throws: `conflict` (transient) if somebody reads it.
    func changing<Value>(
        _ path: String, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
    ) async throws -> Value {
        try counts.withLock { counts in
            guard counts[path] ?? 0 == 0 else { throw Self.busy(path) }
            counts[path] = -1
        }
        defer { release(path) { _ in 0 } }
        return try await body()
    }

    private func release(_ path: String, _ next: (Int) -> Int) {
        counts.withLock { counts in
            let left = next(counts[path] ?? 0)
            counts[path] = left == 0 ? nil : left
        }
    }

    private static func busy(_ path: String) -> CloudError {
        var busy = CloudError(.conflict, "The volume is being copied.", detail: path, code: "volume_busy")
        busy.isTransient = true
        return busy
    }
}

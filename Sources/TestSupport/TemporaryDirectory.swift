import Foundation

/// Runs `body` with its own directory, which is removed afterwards.
package func withTemporaryDirectory<Value>(_ body: (_ path: String) async throws -> Value) async throws -> Value {
    let path = FileManager.default.temporaryDirectory.path + "/novella-test-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}

package import Foundation

/// A value that one process writes and another process reads, possibly of another release: JSON in a column, a file on
/// a host, a message between control plane and agent. Its shape is a contract (docs/releases.md);
/// `Tests/Released/shapes` has the outline of each.
///
/// The types of its members need not conform: they are part of its outline.
package protocol StoredValue: Codable, Sendable {
    /// The name of the value's golden file, such as `compute.server`. The name is not stored.
    static var storedName: String { get }
}

/// The encoder and decoder of stored values as JSON. No other code in the product encodes or decodes JSON from types,
/// so a type that is stored must conform to `StoredValue`. The texts are those that Foundation's encoder would write,
/// and its decoder reads them; `StoredTests` compares both.
package enum StoredJSON {
    /// The code of the error for a text that cannot be read as the value, for example if a newer peer has sent a case
    /// that this binary does not know.
    package static let unreadableCode = "unreadable_value"

    /// Returns the value as JSON text. Keys are sorted, so that equal values have equal texts.
    package static func text<Value: StoredValue>(_ value: Value) throws(CloudError) -> String {
        String(decoding: try bytes(value), as: UTF8.self)
    }

    /// Returns the bytes of `text(_:)`.
    package static func data<Value: StoredValue>(_ value: Value) throws(CloudError) -> Data { Data(try bytes(value)) }

    private static func bytes<Value: StoredValue>(_ value: Value) throws(CloudError) -> [UInt8] {
        do {
            var writer = JSONWriter(capacity: 2048)
            try StoredEncoder.tree(of: value).write(&writer)
            return writer.bytes
        } catch {
            throw .internalError("\(Value.storedName) cannot be encoded", cause: error)
        }
    }

    /// Reads a value. Unknown members are ignored, so that values of a newer release can be read.
    ///
    /// - Throws: an internal error with `unreadableCode`.
    package static func value<Value: StoredValue>(
        _ type: Value.Type = Value.self, from text: String
    ) throws(CloudError) -> Value {
        try read(type, text.utf8)
    }

    /// Reads a value from the bytes of its text.
    package static func value<Value: StoredValue>(
        _ type: Value.Type = Value.self, from data: Data
    ) throws(CloudError) -> Value {
        try read(type, data)
    }

    private static func read<Value: StoredValue>(
        _ type: Value.Type, _ bytes: some Collection<UInt8>
    ) throws(CloudError) -> Value {
        do { return try StoredDecoder.value(type, from: bytes) } catch { throw unreadable(type, error) }
    }

    /// Finds some members of a value, without making the value.
    package static func parts<Value: StoredValue>(
        _ paths: StoredPaths, of type: Value.Type, from text: String
    ) throws(CloudError) -> StoredParts {
        do { return try StoredParts(paths, of: text) } catch { throw unreadable(type, error) }
    }

    private static func unreadable<Value: StoredValue>(_ type: Value.Type, _ cause: any Error) -> CloudError {
        var unreadable = CloudError.internalError("what was stored is no \(Value.storedName)", cause: cause)
        unreadable.code = unreadableCode
        return unreadable
    }
}

import CloudCore
import Foundation

/// Values as JSON text in a column. Keys are sorted, so that equal values are equal texts.
enum Coding {
    static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            throw CloudError.internalError("cannot encode a \(type(of: value))", cause: error)
        }
    }

    static func decode<Value: Decodable>(_ type: Value.Type = Value.self, from text: String) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(text.utf8))
        } catch {
            throw CloudError.internalError("what was stored is not a \(type)", cause: error)
        }
    }
}

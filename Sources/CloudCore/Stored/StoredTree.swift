/// A stored value on its way to JSON text.
///
/// Foundation's encoder does the same and takes several times as long, which is a part of every write.
enum StoredTree {
    case null
    case bool(Bool)
    case integer(Int64)
    case unsigned(UInt64)
    case number(Double)
    case string(String)
    case object(Members)
    case array(Elements)

    /// The members of an object. It is a class because a container adds to it after its parent holds it.
    final class Members {
        var all: [(key: String, value: StoredTree)] = []
    }

    final class Elements {
        var all: [StoredTree] = []
    }

    /// Writes the value. Keys are sorted by their bytes.
    func write(_ writer: inout JSONWriter) {
        switch self {
        case .null: writer.null()
        case .bool(let value): writer.bool(value)
        case .integer(let value): writer.integer(value)
        case .unsigned(let value): writer.raw(Array(String(value).utf8))
        case .number(let value): writer.raw(Array(Self.text(value).utf8))
        case .string(let value): writer.string(value)
        case .object(let members):
            let sorted = members.all.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            writer.object { writer in
                for (key, value) in sorted {
                    writer.key(dynamic: key)
                    value.write(&writer)
                }
            }
        case .array(let elements): writer.array(of: elements.all) { $1.write(&$0) }
        }
    }

    /// Returns a number as stored values have always had it: without `.0`.
    private static func text(_ value: Double) -> String {
        let text = value.description
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}

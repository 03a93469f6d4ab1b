package import CloudCore

/// The value of a column, in the common subset of both databases: TEXT, INTEGER (64 bits), DOUBLE PRECISION, BLOB.
package enum SQLValue: Sendable, Hashable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])
}

/// A Swift type that can be stored in a column and read from it.
package protocol SQLConvertible: Sendable {
    var sql: SQLValue { get }
    /// Reads the value of a column. Returns nil if the column holds another type.
    init?(sql: SQLValue)
}

extension String: SQLConvertible {
    package var sql: SQLValue { .text(self) }
    package init?(sql: SQLValue) {
        guard case .text(let value) = sql else { return nil }
        self = value
    }
}

extension String {
    /// The text with U+FFFD in place of NUL. PostgreSQL has no NUL in texts, and SQLite's functions end a text at a
    /// NUL; a text that is silently cut off would be worse.
    var withoutNUL: String { utf8.contains(0) ? replacing("\0", with: "\u{fffd}") : self }
}

extension Int64: SQLConvertible {
    package var sql: SQLValue { .integer(self) }
    package init?(sql: SQLValue) {
        guard case .integer(let value) = sql else { return nil }
        self = value
    }
}

extension Int: SQLConvertible {
    package var sql: SQLValue { .integer(Int64(self)) }
    package init?(sql: SQLValue) {
        guard case .integer(let value) = sql else { return nil }
        self = Int(value)
    }
}

/// A Bool is stored as 0 or 1, because SQLite has no type for it.
extension Bool: SQLConvertible {
    package var sql: SQLValue { .integer(self ? 1 : 0) }
    package init?(sql: SQLValue) {
        guard case .integer(let value) = sql else { return nil }
        self = value != 0
    }
}

extension Double: SQLConvertible {
    package var sql: SQLValue { .real(self) }
    package init?(sql: SQLValue) {
        switch sql {
        case .real(let value): self = value
        case .integer(let value): self = Double(value)
        default: return nil
        }
    }
}

extension Array: SQLConvertible where Element == UInt8 {
    package var sql: SQLValue { .blob(self) }
    package init?(sql: SQLValue) {
        guard case .blob(let value) = sql else { return nil }
        self = value
    }
}

/// A timestamp is stored in microseconds since the Unix epoch.
extension Timestamp: SQLConvertible {
    package var sql: SQLValue { .integer(microseconds) }
    package init?(sql: SQLValue) {
        guard case .integer(let value) = sql else { return nil }
        self.init(microseconds: value)
    }
}

extension ID: SQLConvertible {
    package var sql: SQLValue { .text(text) }
    package init?(sql: SQLValue) {
        guard case .text(let value) = sql else { return nil }
        self.init(value)
    }
}

/// JSON is stored as TEXT; SQL never looks into it.
extension JSON: SQLConvertible {
    package var sql: SQLValue { .text(text) }
    package init?(sql: SQLValue) {
        guard case .text(let value) = sql, let json = try? JSON.parse(value, maximumDepth: 256) else { return nil }
        self = json
    }
}

extension JSONObject: SQLConvertible {
    package var sql: SQLValue { .text(JSON.object(self).text) }
    package init?(sql: SQLValue) {
        guard let json = JSON(sql: sql), case .object(let object) = json else { return nil }
        self = object
    }
}

extension Optional: SQLConvertible where Wrapped: SQLConvertible {
    package var sql: SQLValue { self?.sql ?? .null }
    package init?(sql: SQLValue) {
        if case .null = sql {
            self = .none
        } else {
            guard let value = Wrapped(sql: sql) else { return nil }
            self = .some(value)
        }
    }
}

/// A row of a result. It is a value, so it may leave the transaction that read it.
package struct Row: Sendable {
    /// The column names of a result, which all its rows share.
    package final class Columns: Sendable {
        package let names: [String]
        private let positions: [String: Int]

        package init(_ names: [String]) {
            self.names = names
            positions = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        }

        func position(of name: String) -> Int? { positions[name] }
    }

    package let columns: Columns
    package let values: [SQLValue]

    package init(columns: Columns, values: [SQLValue]) {
        self.columns = columns
        self.values = values
    }

    /// Returns the value of a column as the type that is asked for.
    ///
    /// - Throws: `SQLError.misuse` for a missing column or a value of another type: both are bugs.
    package subscript<Value: SQLConvertible>(_ column: String) -> Value {
        get throws {
            guard let position = columns.position(of: column) else {
                throw SQLError.misuse("no column '\(column)' in [\(columns.names.joined(separator: ", "))]")
            }
            return try value(at: position)
        }
    }

    package func value<Value: SQLConvertible>(at position: Int, as: Value.Type = Value.self) throws -> Value { try read(position) }

    // Most columns hold one of these types. They are read without a generic type, which another module would look up
    // anew for each value.

    package func value(at position: Int) throws -> String { try read(position) }
    package func value(at position: Int) throws -> String? { try read(position) }
    package func value(at position: Int) throws -> Int { try read(position) }
    package func value(at position: Int) throws -> Int? { try read(position) }
    package func value(at position: Int) throws -> Int64 { try read(position) }
    package func value(at position: Int) throws -> Int64? { try read(position) }
    package func value(at position: Int) throws -> Bool { try read(position) }
    package func value(at position: Int) throws -> Timestamp { try read(position) }
    package func value(at position: Int) throws -> Timestamp? { try read(position) }

    private func read<Value: SQLConvertible>(_ position: Int) throws -> Value {
        guard let value = Value(sql: values[position]) else {
            throw SQLError.misuse("column '\(columns.names[position])' does not hold a \(Value.self)")
        }
        return value
    }
}

import CloudCore
import SQL

/// The rows that one thing has left in the database, as a pattern for the rows of other things of its kind.
///
/// A copy has other values in place of the thing's own ids, names, addresses and times, wherever these stand in a
/// column, also inside JSON.
struct RowPattern: Sendable {
    /// A value that belongs to one thing.
    enum Key: Sendable, Hashable {
        case text(String)
        /// The number of a server: a column `number`, and the member of that name in JSON.
        case number(Int64)
        /// A time in microseconds, as a column and in JSON.
        case time(Int64)

        fileprivate var text: String {
            switch self {
            case .text(let text): text
            case .number(let number): "\"number\":\(number),"
            case .time(let time): "\(time)"
            }
        }

        fileprivate func isColumn(_ name: String, _ value: Int64) -> Bool {
            switch self {
            case .text: false
            case .number(let number): name == "number" && value == number
            case .time(let time): value == time
            }
        }

        fileprivate var sql: SQLValue {
            switch self {
            case .text(let text): .text(text)
            case .number(let integer), .time(let integer): .integer(integer)
            }
        }
    }

    private enum Value: Sendable {
        case same(SQLValue)
        /// The value of the key at this place.
        case key(Int)
        /// A text with the values of keys in it.
        case parts([Part])
    }

    private enum Part: Sendable {
        case text(String)
        case key(Int)
    }

    private struct Line: Sendable {
        let table: String
        let columns: [String]
        let values: [Value]
    }

    /// The rows of some tables with one value in one column.
    struct Source: Sendable {
        let table: String
        let column: String
        let value: String

        init(_ table: String, _ column: String, _ value: String) {
            (self.table, self.column, self.value) = (table, column, value)
        }
    }

    private let lines: [Line]

    /// Reads the rows of a thing.
    ///
    /// - Parameters:
    ///   - sources: where the rows are, in an order in which they can be inserted.
    ///   - keys: the thing's own values. A copy has as many, in the same order.
    init(_ sources: [Source], keys: [Key], in tx: Transaction) throws {
        lines = try sources.flatMap { source in
            try tx.rows("SELECT * FROM \(source.table) WHERE \(source.column) = ?", source.value).map { row in
                let columns = row.columns.names
                let values = zip(columns, row.values).map { Self.value($1, of: $0, keys) }
                return Line(table: source.table, columns: columns, values: values)
            }
        }
    }

    private static func value(_ value: SQLValue, of column: String, _ keys: [Key]) -> Value {
        switch value {
        case .integer(let integer):
            return keys.firstIndex { $0.isColumn(column, integer) }.map { .key($0) } ?? .same(value)
        case .text(let text):
            var parts = [Part.text(text)]
            for (at, key) in keys.enumerated() { parts = parts.flatMap { split($0, by: key.text, at) } }
            return parts.count == 1 ? .same(value) : .parts(parts)
        default: return .same(value)
        }
    }

    private static func split(_ part: Part, by text: String, _ key: Int) -> [Part] {
        guard case .text(let whole) = part, !text.isEmpty else { return [part] }
        var parts: [Part] = []
        for piece in whole.split(separator: text, omittingEmptySubsequences: false) {
            if !parts.isEmpty { parts.append(.key(key)) }
            parts.append(.text(String(piece)))
        }
        return parts
    }

    /// Returns the rows of a copy, each with its table and columns.
    func rows(_ keys: [Key]) -> [(table: String, columns: [String], values: [SQLValue])] {
        lines.map { ($0.table, $0.columns, Self.values($0, keys)) }
    }

    private static func values(_ line: Line, _ keys: [Key]) -> [SQLValue] {
        line.values.map { value in
            switch value {
            case .same(let value): return value
            case .key(let at): return keys[at].sql
            case .parts(let parts):
                var text = ""
                for part in parts {
                    switch part {
                    case .text(let same): text += same
                    case .key(let at): text += keys[at].text
                    }
                }
                return .text(text)
            }
        }
    }

    /// The rows of one statement.
    private static let together = 20

    /// Inserts the rows of copies.
    func insert(_ copies: [[Key]], in tx: Transaction) throws {
        for line in lines {
            let marks = "(\(line.columns.map { _ in "?" }.joined(separator: ", ")))"
            for first in stride(from: 0, to: copies.count, by: Self.together) {
                let some = copies[first..<min(first + Self.together, copies.count)]
                try tx.execute(
                    """
                    INSERT INTO \(line.table) (\(line.columns.joined(separator: ", ")))
                    VALUES \(some.map { _ in marks }.joined(separator: ", "))
                    """, arguments: some.flatMap { Self.values(line, $0) })
            }
        }
    }
}

import CloudCore
import Resources
import SQL

/// A value that bodies, columns and filters hold as text.
protocol WrittenValue: FieldValue, LosslessStringConvertible {}

extension WrittenValue {
    var json: JSON { .string(description) }
    init?(json: JSON) {
        guard let text = json.string else { return nil }
        self.init(text)
    }
    var sql: SQLValue { .text(description) }
    init?(sql: SQLValue) {
        guard case .text(let text) = sql else { return nil }
        self.init(text)
    }
    static func sql(filter text: String) -> SQLValue? { Self(text)?.sql }
}

extension IPAddress: WrittenValue {}
extension IPPrefix: WrittenValue {
    init?(_ text: String) { self.init(text, alone: false) }
}
extension MACAddress: WrittenValue {}

package import CloudCore
package import SQL

/// A type that the field of a resource may have. A value of it can be written to JSON and to a column, and read back
/// from both.
package protocol FieldValue: SQLConvertible, Equatable {
    var json: JSON { get }
    /// Reads a value from JSON. Returns nil for JSON of another type. The JSON was checked against the field's `Shape`
    /// before.
    init?(json: JSON)
    /// The SQL literal by which a missing value is sorted.
    static var sqlNothing: String { get }
    /// Returns the SQL value for the text of a filter in a URL; nil if the text is not a value of this type. No row can
    /// match then.
    static func sql(filter text: String) -> SQLValue?
    /// Replaces this value by the value of a column.
    ///
    /// - Returns: false, without a change, if the column holds a value of another type.
    mutating func take(_ sql: SQLValue) -> Bool
    /// The functions that access values of this type, and optional ones, in memory. They are requirements of the
    /// protocol, so that a type of this module can have its own implementation.
    static var access: ValueAccess { get }
    static var optionalAccess: ValueAccess { get }
}

extension FieldValue {
    package static var access: ValueAccess { ValueAccess(of: Self.self) }
    package static var optionalAccess: ValueAccess { ValueAccess(of: Self?.self) }
    package static var sqlNothing: String { "''" }
    package static func sql(filter text: String) -> SQLValue? { .text(text) }
    package mutating func take(_ sql: SQLValue) -> Bool {
        guard let value = Self(sql: sql) else { return false }
        self = value
        return true
    }
}

extension String: FieldValue {
    package var json: JSON { .string(self) }
    package init?(json: JSON) {
        guard let value = json.string else { return nil }
        self = value
    }
}

extension Bool: FieldValue {
    package static var sqlNothing: String { "0" }
    /// Reads a filter as Keystone does: `0`, `false`, `no`, `off` and `n` are false. Any other text is true, even an
    /// empty one.
    package static func sql(filter text: String) -> SQLValue? { (!["0", "false", "no", "off", "n"].contains(text.lowercased())).sql }
    package var json: JSON { .bool(self) }
    package init?(json: JSON) {
        guard let value = json.bool else { return nil }
        self = value
    }
}

extension Int64: FieldValue {
    package static var sqlNothing: String { "0" }
    package static func sql(filter text: String) -> SQLValue? { Int64(text).map(SQLValue.integer) }
    package var json: JSON { .integer(self) }
    package init?(json: JSON) {
        guard let value = json.integer else { return nil }
        self = value
    }
}

extension Int: FieldValue {
    package static var sqlNothing: String { "0" }
    package static func sql(filter text: String) -> SQLValue? { Int64.sql(filter: text) }
    package var json: JSON { .integer(Int64(self)) }
    package init?(json: JSON) {
        guard let value = json.integer else { return nil }
        self = Int(value)
    }
}

// The types below take a column's value without an intermediate optional. In generic code the type of the optional
// would be looked up for each value.

extension ID: FieldValue {
    // An id contains only its text, so it has the memory layout of a `String`.
    package static var access: ValueAccess { String.access }
    package static var optionalAccess: ValueAccess { String.optionalAccess }
    package mutating func take(_ sql: SQLValue) -> Bool {
        guard case .text(let text) = sql else { return false }
        self = ID(text)
        return true
    }
    package var json: JSON { .string(text) }
    package init?(json: JSON) {
        guard let value = json.string else { return nil }
        self.init(value)
    }
}

/// Moments have Keystone's format. A service with another format declares a derived field.
extension Timestamp: FieldValue {
    package static var sqlNothing: String { "0" }
    package static func sql(filter text: String) -> SQLValue? { Timestamp(iso8601: text)?.sql }
    package var json: JSON { .string(iso8601Microseconds) }
    package init?(json: JSON) {
        guard let text = json.string else { return nil }
        self.init(iso8601: text)
    }
}

extension JSON: FieldValue {
    package var json: JSON { self }
    package init?(json: JSON) { self = json }
}

extension JSONObject: FieldValue {
    package var json: JSON { .object(self) }
    package init?(json: JSON) {
        guard let value = json.object else { return nil }
        self = value
    }
}

/// Bytes, such as those of a sealed secret. No view shows them.
extension Array: FieldValue where Element == UInt8 {
    package var json: JSON { .string(Base64URL.encode(self)) }
    package init?(json: JSON) {
        guard let bytes = json.string.flatMap({ Base64URL.decode($0) }) else { return nil }
        self = bytes
    }
}

extension Optional: FieldValue where Wrapped: FieldValue {
    package static var access: ValueAccess { Wrapped.optionalAccess }
    package static var sqlNothing: String { Wrapped.sqlNothing }
    package static func sql(filter text: String) -> SQLValue? { Wrapped.sql(filter: text) }
    package var json: JSON { self?.json ?? .null }
    package mutating func take(_ sql: SQLValue) -> Bool {
        if case .null = sql {
            self = .none
            return true
        }
        guard let value = Wrapped(sql: sql) else { return false }
        self = .some(value)
        return true
    }
    package init?(json: JSON) {
        if json.isNull {
            self = .none
        } else {
            guard let value = Wrapped(json: json) else { return nil }
            self = .some(value)
        }
    }
}

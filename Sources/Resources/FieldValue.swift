package import CloudCore
package import SQL

/// A Swift type that a resource's field may have: it goes into JSON and into a column, and comes back from both.
package protocol FieldValue: SQLConvertible, Equatable {
    var json: JSON { get }
    /// Nil when the JSON is of another type. The field's `Shape` was checked before.
    init?(json: JSON)
    /// The SQL literal that a missing value sorts as.
    static var sqlNothing: String { get }
    /// What a filter in a URL stands for; nil where no value is written so, and no row can have it.
    static func sql(filter text: String) -> SQLValue?
    /// Becomes what a column holds.
    ///
    /// - Returns: false, and nothing has changed, when that is something of another type.
    mutating func take(_ sql: SQLValue) -> Bool
    /// How values are reached in memory, and optional ones. A type of this module gets a version of its own by having them as requirements.
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
    /// Keystone's reading of a filter's truth: all but what says no is true, also nothing.
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

// What is generic takes a column's value without an optional of itself in between, whose type would be looked up for each.

extension ID: FieldValue {
    // An id is its text, and nothing else: it lies in memory as that does.
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

/// Written as Keystone writes a moment; a service that writes it otherwise derives a field of its own.
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

/// Bytes, as of a sealed secret. No view shows them.
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

import Foundation

/// The encoder of stored values. Each value that encodes itself gets one of its own.
final class StoredEncoder: Encoder {
    /// The encoded value; nil until it has begun to encode itself.
    fileprivate var tree: StoredTree?

    fileprivate init(_ tree: StoredTree? = nil) { self.tree = tree }

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    static func tree<Value: Encodable>(of value: Value) throws -> StoredTree {
        if Value.self == Data.self, let data = value as? Data { return .string(data.base64EncodedString()) }
        let encoder = StoredEncoder()
        try value.encode(to: encoder)
        // A value that encodes nothing is an empty object, as Foundation has it.
        return encoder.tree ?? .object(StoredTree.Members())
    }

    func container<Key: CodingKey>(keyedBy: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(Keyed(members: members))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer { Unkeyed(elements: elements) }
    func singleValueContainer() -> any SingleValueEncodingContainer { Single(encoder: self) }

    /// The members of the object. A value may ask for its container more than once.
    private var members: StoredTree.Members {
        if case .object(let members)? = tree { return members }
        let members = StoredTree.Members()
        tree = .object(members)
        return members
    }

    private var elements: StoredTree.Elements {
        if case .array(let elements)? = tree { return elements }
        let elements = StoredTree.Elements()
        tree = .array(elements)
        return elements
    }

    fileprivate static func number(_ value: Double) throws -> StoredTree {
        guard value.isFinite else {
            throw EncodingError.invalidValue(value, .init(codingPath: [], debugDescription: "JSON has no such number"))
        }
        return .number(value)
    }
}

/// The members of an object.
private struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let members: StoredTree.Members
    var codingPath: [any CodingKey] { [] }

    private func add(_ key: Key, _ value: StoredTree) { members.all.append((key.stringValue, value)) }

    func encodeNil(forKey key: Key) { add(key, .null) }
    func encode(_ value: Bool, forKey key: Key) { add(key, .bool(value)) }
    func encode(_ value: String, forKey key: Key) { add(key, .string(value)) }
    func encode(_ value: Double, forKey key: Key) throws { add(key, try StoredEncoder.number(value)) }
    func encode(_ value: Float, forKey key: Key) throws { add(key, try StoredEncoder.number(Double("\(value)") ?? 0)) }
    func encode(_ value: Int, forKey key: Key) { add(key, .integer(Int64(value))) }
    func encode(_ value: Int8, forKey key: Key) { add(key, .integer(Int64(value))) }
    func encode(_ value: Int16, forKey key: Key) { add(key, .integer(Int64(value))) }
    func encode(_ value: Int32, forKey key: Key) { add(key, .integer(Int64(value))) }
    func encode(_ value: Int64, forKey key: Key) { add(key, .integer(value)) }
    func encode(_ value: UInt, forKey key: Key) { add(key, .unsigned(UInt64(value))) }
    func encode(_ value: UInt8, forKey key: Key) { add(key, .unsigned(UInt64(value))) }
    func encode(_ value: UInt16, forKey key: Key) { add(key, .unsigned(UInt64(value))) }
    func encode(_ value: UInt32, forKey key: Key) { add(key, .unsigned(UInt64(value))) }
    func encode(_ value: UInt64, forKey key: Key) { add(key, .unsigned(value)) }
    func encode(_ value: some Encodable, forKey key: Key) throws { add(key, try StoredEncoder.tree(of: value)) }

    func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
        let nested = StoredTree.Members()
        add(key, .object(nested))
        return KeyedEncodingContainer(Keyed<Nested>(members: nested))
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        let nested = StoredTree.Elements()
        add(key, .array(nested))
        return Unkeyed(elements: nested)
    }

    func superEncoder(forKey key: Key) -> any Encoder {
        let nested = StoredTree.Members()
        add(key, .object(nested))
        return StoredEncoder(.object(nested))
    }

    func superEncoder() -> any Encoder {
        let nested = StoredTree.Members()
        members.all.append(("super", .object(nested)))
        return StoredEncoder(.object(nested))
    }
}

/// The elements of an array.
private struct Unkeyed: UnkeyedEncodingContainer {
    let elements: StoredTree.Elements
    var codingPath: [any CodingKey] { [] }
    var count: Int { elements.all.count }

    func encodeNil() { elements.all.append(.null) }
    func encode(_ value: Bool) { elements.all.append(.bool(value)) }
    func encode(_ value: String) { elements.all.append(.string(value)) }
    func encode(_ value: Double) throws { elements.all.append(try StoredEncoder.number(value)) }
    func encode(_ value: Int) { elements.all.append(.integer(Int64(value))) }
    func encode(_ value: Int64) { elements.all.append(.integer(value)) }
    func encode(_ value: UInt8) { elements.all.append(.unsigned(UInt64(value))) }
    func encode(_ value: UInt64) { elements.all.append(.unsigned(value)) }
    func encode(_ value: some Encodable) throws { elements.all.append(try StoredEncoder.tree(of: value)) }

    func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type) -> KeyedEncodingContainer<Nested> {
        let nested = StoredTree.Members()
        elements.all.append(.object(nested))
        return KeyedEncodingContainer(Keyed<Nested>(members: nested))
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        let nested = StoredTree.Elements()
        elements.all.append(.array(nested))
        return Unkeyed(elements: nested)
    }

    func superEncoder() -> any Encoder {
        let nested = StoredTree.Members()
        elements.all.append(.object(nested))
        return StoredEncoder(.object(nested))
    }
}

/// A value without members or elements.
private struct Single: SingleValueEncodingContainer {
    let encoder: StoredEncoder
    var codingPath: [any CodingKey] { [] }

    func encodeNil() { encoder.tree = .null }
    func encode(_ value: Bool) { encoder.tree = .bool(value) }
    func encode(_ value: String) { encoder.tree = .string(value) }
    func encode(_ value: Double) throws { encoder.tree = try StoredEncoder.number(value) }
    func encode(_ value: Float) throws { encoder.tree = try StoredEncoder.number(Double("\(value)") ?? 0) }
    func encode(_ value: Int) { encoder.tree = .integer(Int64(value)) }
    func encode(_ value: Int8) { encoder.tree = .integer(Int64(value)) }
    func encode(_ value: Int16) { encoder.tree = .integer(Int64(value)) }
    func encode(_ value: Int32) { encoder.tree = .integer(Int64(value)) }
    func encode(_ value: Int64) { encoder.tree = .integer(value) }
    func encode(_ value: UInt) { encoder.tree = .unsigned(UInt64(value)) }
    func encode(_ value: UInt8) { encoder.tree = .unsigned(UInt64(value)) }
    func encode(_ value: UInt16) { encoder.tree = .unsigned(UInt64(value)) }
    func encode(_ value: UInt32) { encoder.tree = .unsigned(UInt64(value)) }
    func encode(_ value: UInt64) { encoder.tree = .unsigned(value) }
    func encode(_ value: some Encodable) throws { encoder.tree = try StoredEncoder.tree(of: value) }
}

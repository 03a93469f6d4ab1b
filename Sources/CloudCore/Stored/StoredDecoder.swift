import Foundation

/// The decoder of stored values: a place in a document. Foundation's decoder takes several times as long, which is most
/// of the cost of a row in a list.
struct StoredDecoder: Decoder {
    let document: StoredDocument
    let at: Int

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    private var entry: StoredDocument.Entry { document.entries[at] }

    static func value<Value: Decodable>(_ type: Value.Type, from bytes: some Collection<UInt8>) throws -> Value {
        try StoredDecoder(document: try StoredDocument(bytes), at: 0).decode(type)
    }

    func container<Key: CodingKey>(keyedBy: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard entry.kind == .object else { throw mismatch([String: Any].self) }
        return KeyedDecodingContainer(Keyed(object: self, count: Int(entry.count)))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard entry.kind == .array else { throw mismatch([Any].self) }
        return Unkeyed(document: document, count: Int(entry.count), place: at + 1)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { self }

    // MARK: Values

    fileprivate func mismatch(_ type: Any.Type) -> DecodingError {
        let context = DecodingError.Context(codingPath: [], debugDescription: "\(entry.kind) at byte \(entry.start)")
        return entry.kind == .null ? .valueNotFound(type, context) : .typeMismatch(type, context)
    }

    fileprivate var string: String {
        get throws {
            guard entry.kind == .string || entry.kind == .escapedString else { throw mismatch(String.self) }
            return try document.text(entry)
        }
    }

    fileprivate var bool: Bool {
        get throws {
            switch entry.kind {
            case .yes: true
            case .no: false
            default: throw mismatch(Bool.self)
            }
        }
    }

    fileprivate func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws -> Value {
        guard entry.kind == .number else { throw mismatch(type) }
        if let integer = document.integer(entry), let value = Value(exactly: integer) { return value }
        // A number such as 1.0 or 1e3 may be a whole one, too, and one above 2^63 may fit.
        let text = document.number(entry)
        if let number = text, abs(number) < 0x1p53, let value = Value(exactly: number) { return value }
        if let value = Value(try document.text(entry), radix: 10) { return value }
        throw mismatch(type)
    }

    fileprivate var number: Double {
        get throws {
            guard entry.kind == .number, let number = document.number(entry) else { throw mismatch(Double.self) }
            return number
        }
    }
}

extension StoredDecoder: SingleValueDecodingContainer {
    func decodeNil() -> Bool { entry.kind == .null }
    func decode(_ type: Bool.Type) throws -> Bool { try bool }
    func decode(_ type: String.Type) throws -> String { try string }
    func decode(_ type: Double.Type) throws -> Double { try number }
    func decode(_ type: Float.Type) throws -> Float { Float(try number) }
    func decode(_ type: Int.Type) throws -> Int { try integer(type) }
    func decode(_ type: Int8.Type) throws -> Int8 { try integer(type) }
    func decode(_ type: Int16.Type) throws -> Int16 { try integer(type) }
    func decode(_ type: Int32.Type) throws -> Int32 { try integer(type) }
    func decode(_ type: Int64.Type) throws -> Int64 { try integer(type) }
    func decode(_ type: UInt.Type) throws -> UInt { try integer(type) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try integer(type) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try integer(type) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try integer(type) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try integer(type) }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        if type == Data.self, let data = Data(base64Encoded: try string) as? Value { return data }
        return try Value(from: self)
    }
}

/// The members of an object.
private struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let object: StoredDecoder
    let count: Int

    var codingPath: [any CodingKey] { [] }

    var allKeys: [Key] {
        var keys: [Key] = []
        var place = object.at + 1
        for _ in 0..<count {
            if let key = (try? object.document.text(object.document.entries[place])).flatMap({ Key(stringValue: $0) }) {
                keys.append(key)
            }
            place = Int(object.document.entries[place + 1].next)
        }
        return keys
    }

    /// Returns the value of a member; nil if there is none.
    private func find(_ key: Key) -> StoredDecoder? {
        var name = key.stringValue
        return name.withUTF8 { name in
            var place = object.at + 1
            for _ in 0..<count {
                let entry = object.document.entries[place]
                if entry.kind == .string {
                    if object.document.isString(entry, name) {
                        return StoredDecoder(document: object.document, at: place + 1)
                    }
                } else if (try? object.document.text(entry)) == String(decoding: name, as: UTF8.self) {
                    return StoredDecoder(document: object.document, at: place + 1)
                }
                place = Int(object.document.entries[place + 1].next)
            }
            return nil
        }
    }

    private func require(_ key: Key) throws -> StoredDecoder {
        if let found = find(key) { return found }
        throw DecodingError.keyNotFound(key, .init(codingPath: [], debugDescription: "no member '\(key.stringValue)'"))
    }

    /// Returns the value of a member; nil if there is none or if it is null.
    private func present(_ key: Key) -> StoredDecoder? { find(key).flatMap { $0.decodeNil() ? nil : $0 } }

    func contains(_ key: Key) -> Bool { find(key) != nil }
    func decodeNil(forKey key: Key) throws -> Bool { try require(key).decodeNil() }
    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try require(key).bool }
    func decode(_ type: String.Type, forKey key: Key) throws -> String { try require(key).string }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try require(key).number }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { Float(try require(key).number) }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try require(key).integer(type) }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try require(key).integer(type) }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try require(key).integer(type) }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try require(key).integer(type) }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try require(key).integer(type) }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try require(key).integer(type) }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try require(key).integer(type) }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try require(key).integer(type) }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try require(key).integer(type) }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try require(key).integer(type) }
    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value { try require(key).decode(type) }

    // The protocol's own forms of these look for the member three times.
    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? { try present(key)?.bool }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? { try present(key)?.string }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? { try present(key)?.integer(type) }
    func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? { try present(key)?.integer(type) }
    func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
        try present(key)?.decode(type)
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws
        -> KeyedDecodingContainer<Nested>
    {
        try require(key).container(keyedBy: type)
    }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try require(key).unkeyedContainer()
    }
    func superDecoder() throws -> any Decoder { object }
    func superDecoder(forKey key: Key) throws -> any Decoder { try require(key) }
}

/// The elements of an array.
private struct Unkeyed: UnkeyedDecodingContainer {
    let document: StoredDocument
    let total: Int
    private var place: Int
    private(set) var currentIndex = 0

    init(document: StoredDocument, count: Int, place: Int) {
        (self.document, total, self.place) = (document, count, place)
    }

    var codingPath: [any CodingKey] { [] }
    var count: Int? { total }
    var isAtEnd: Bool { currentIndex >= total }

    private var next: StoredDecoder {
        get throws {
            guard !isAtEnd else {
                throw DecodingError.valueNotFound(Any.self, .init(codingPath: [], debugDescription: "no more elements"))
            }
            return StoredDecoder(document: document, at: place)
        }
    }

    /// Returns a value that is made of the next element, and passes over the element.
    private mutating func take<Value>(_ body: (StoredDecoder) throws -> Value) throws -> Value {
        let value = try body(try next)
        place = Int(document.entries[place].next)
        currentIndex += 1
        return value
    }

    mutating func decodeNil() throws -> Bool {
        guard try next.decodeNil() else { return false }
        return try take { _ in true }
    }

    mutating func decode(_ type: String.Type) throws -> String { try take { try $0.string } }
    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try take { try $0.decode(type) } }
    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested>
    {
        try take { try $0.container(keyedBy: type) }
    }
    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try take { try $0.unkeyedContainer() }
    }
    mutating func superDecoder() throws -> any Decoder { try take { $0 } }
}

/// The notes of what a type's `init(from:)` has asked for.
final class ShapeNotes {
    let reader: ShapeReader
    /// The text that is given to a type that consists of one text.
    let sample: String
    /// The number of the case that an enum with payloads is given; nil for a type that is no such enum.
    let choice: Int?
    /// Whether members that may be missing are missing.
    var leavesOut = false

    var members: [String: Shape.Member] = [:]
    /// The outline of a single value.
    var single: Shape?
    var chosen = ""
    var caseCount = 0
    /// The member that was requested with `decodeIfPresent`, which first asks whether it exists.
    var maybe: String?

    init(_ reader: ShapeReader, sample: String = "", choice: Int? = nil) {
        self.reader = reader
        self.sample = sample
        self.choice = choice
    }

    func member<Value: Decodable>(_ name: String, _ type: Value.Type) throws -> Value {
        let found = try reader.example(type)
        if !leavesOut { members[name] = Shape.Member(shape: found.shape, presence: maybe == name ? .optional : .required) }
        maybe = nil
        return found.value
    }
}

/// A decoder that answers each request of an `init(from:)` with a valid value.
struct ShapeDecoder: Decoder {
    let notes: ShapeNotes
    let codingPath: [any CodingKey] = []
    let userInfo: [CodingUserInfoKey: Any] = [:]

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
        var keys: [Key] = []
        if let choice = notes.choice, let all = EnumCases.all(of: type), choice < all.count {
            keys = [all[choice]]
            (notes.chosen, notes.caseCount) = (all[choice].stringValue, all.count)
        }
        return KeyedDecodingContainer(ShapeMembers(notes: notes, allKeys: keys))
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { ShapeSingle(notes: notes) }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        throw ShapeReader.Unreadable(description: "A stored type decodes a list by hand: an outline cannot show that.")
    }
}

/// The members of a struct, or of the payload of a case.
struct ShapeMembers<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let notes: ShapeNotes
    let allKeys: [Key]
    let codingPath: [any CodingKey] = []

    func contains(_ key: Key) -> Bool {
        notes.maybe = key.stringValue
        return !notes.leavesOut
    }

    func decodeNil(forKey key: Key) -> Bool { false }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value { try notes.member(key.stringValue, type) }

    // The payload of a case: its members are noted as those of the case.
    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) -> KeyedDecodingContainer<Nested> {
        KeyedDecodingContainer(ShapeMembers<Nested>(notes: notes, allKeys: []))
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try ShapeDecoder(notes: notes).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { throw ShapeReader.Unreadable(description: "A stored class has a parent.") }
    func superDecoder(forKey key: Key) throws -> any Decoder { try superDecoder() }

    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try notes.member(key.stringValue, type) }
    func decode(_ type: String.Type, forKey key: Key) throws -> String { try notes.member(key.stringValue, type) }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try notes.member(key.stringValue, type) }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try notes.member(key.stringValue, type) }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try notes.member(key.stringValue, type) }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try notes.member(key.stringValue, type) }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try notes.member(key.stringValue, type) }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try notes.member(key.stringValue, type) }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try notes.member(key.stringValue, type) }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try notes.member(key.stringValue, type) }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try notes.member(key.stringValue, type) }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try notes.member(key.stringValue, type) }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try notes.member(key.stringValue, type) }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try notes.member(key.stringValue, type) }
}

/// A value that is no object, such as an id, an address or a time.
struct ShapeSingle: SingleValueDecodingContainer {
    let notes: ShapeNotes
    let codingPath: [any CodingKey] = []

    func decodeNil() -> Bool { false }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let found = try notes.reader.example(type)
        notes.single = found.shape
        return found.value
    }

    func decode(_ type: String.Type) -> String {
        notes.single = .leaf("text")
        return notes.sample
    }

    func decode(_ type: Bool.Type) throws -> Bool { try value(type) }
    func decode(_ type: Double.Type) throws -> Double { try value(type) }
    func decode(_ type: Float.Type) throws -> Float { try value(type) }
    func decode(_ type: Int.Type) throws -> Int { try value(type) }
    func decode(_ type: Int8.Type) throws -> Int8 { try value(type) }
    func decode(_ type: Int16.Type) throws -> Int16 { try value(type) }
    func decode(_ type: Int32.Type) throws -> Int32 { try value(type) }
    func decode(_ type: Int64.Type) throws -> Int64 { try value(type) }
    func decode(_ type: UInt.Type) throws -> UInt { try value(type) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try value(type) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try value(type) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try value(type) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try value(type) }

    private func value<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let found = try notes.reader.example(type)
        notes.single = found.shape
        return found.value
    }
}

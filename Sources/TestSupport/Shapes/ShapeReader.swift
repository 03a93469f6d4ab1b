package import CloudCore
import Foundation

/// A reader that finds the outline of a type by decoding a value of it. Its decoder answers each request with a valid
/// value, and notes the request. The requests of `init(from:)` are what a row must have, so nothing is written by hand
/// and nothing is forgotten.
package struct ShapeReader {
    /// The names of stored values that have their own goldens. Inside of other values they are shown by these names.
    private let names: [ObjectIdentifier: String]
    private var depth = 0

    package init(_ stored: [any StoredValue.Type]) {
        names = Dictionary(stored.map { (ObjectIdentifier($0), $0.storedName) }) { first, _ in first }
    }

    package struct Unreadable: Error, CustomStringConvertible {
        package let description: String
    }

    /// Returns the whole outline of a type, also if it has its own golden.
    package func shape<Value: Codable>(of type: Value.Type) throws -> Shape { try example(type, isWhole: true).shape }

    /// Returns the outline of a type, and a value of it without the members that may be missing.
    func example<Value: Decodable>(_ type: Value.Type, isWhole: Bool = false) throws -> (shape: Shape, value: Value) {
        guard depth < 40 else { throw Unreadable(description: "\(type) has itself in it, which an outline cannot show") }
        var inner = self
        inner.depth += 1
        let found = try inner.read(type)
        if !isWhole, let name = names[ObjectIdentifier(type)] { return (.named(name), found.value) }
        return found
    }

    private func read<Value: Decodable>(_ type: Value.Type) throws -> (shape: Shape, value: Value) {
        if let known = Self.leaves[ObjectIdentifier(type)], let value = known.value as? Value { return (.leaf(known.word), value) }
        if let container = type as? any Container.Type {
            if let found = try container.example(self) as? (shape: Shape, value: Value) { return found }
        }
        if let cases = EnumCases.all(of: type), let first = cases.first, let words = try Self.words(cases) {
            return (.words(words), first)
        }
        if EnumCases.isEnum(type) { return try choice(type) }
        return try plain(type)
    }

    /// The types that decoders know by themselves.
    private static let leaves: [ObjectIdentifier: (word: String, value: any Sendable)] = [
        ObjectIdentifier(Bool.self): ("truth", false), ObjectIdentifier(String.self): ("text", ""),
        ObjectIdentifier(Int.self): ("integer", 0), ObjectIdentifier(Int64.self): ("integer", Int64(0)),
        ObjectIdentifier(Int8.self): ("integer: Int8", Int8(0)), ObjectIdentifier(Int16.self): ("integer: Int16", Int16(0)),
        ObjectIdentifier(Int32.self): ("integer: Int32", Int32(0)), ObjectIdentifier(UInt.self): ("integer: UInt", UInt(0)),
        ObjectIdentifier(UInt8.self): ("integer: UInt8", UInt8(0)), ObjectIdentifier(UInt16.self): ("integer: UInt16", UInt16(0)),
        ObjectIdentifier(UInt32.self): ("integer: UInt32", UInt32(0)), ObjectIdentifier(UInt64.self): ("integer: UInt64", UInt64(0)),
        ObjectIdentifier(Double.self): ("number", 0.0), ObjectIdentifier(Float.self): ("number", Float(0)),
        ObjectIdentifier(Data.self): ("bytes", Data()),
    ]

    /// Returns the JSON of an enum's cases; nil if the cases are objects.
    private static func words<Value>(_ cases: [Value]) throws -> [JSON]? {
        let words = try cases.map { try ($0 as? any Encodable).map(encoded) ?? .null }
        return words.contains { $0.object != nil } ? nil : words
    }

    private static func encoded(_ value: any Encodable) throws -> JSON {
        // Older decoders do not accept a single word as a document, so the value is put into a list.
        let text = String(decoding: try JSONEncoder().encode([AnyEncodable(value)]), as: UTF8.self)
        return try JSON.parse(text).array?.first ?? .null
    }

    // MARK: Structs

    private func plain<Value: Decodable>(_ type: Value.Type) throws -> (shape: Shape, value: Value) {
        for sample in ShapeSample.all {
            let notes = ShapeNotes(self, sample: sample.text)
            do {
                _ = try Value(from: ShapeDecoder(notes: notes))
                notes.leavesOut = true
                let value = try Value(from: ShapeDecoder(notes: notes))
                if let single = notes.single { return (single == .leaf("text") ? .leaf(sample.word) : single, value) }
                return (.object(try Self.members(notes, of: value)), value)
            } catch where notes.single == .leaf("text") {
                continue
            }
        }
        throw Unreadable(description: "\(type) takes none of the texts of `ShapeSample`: add one that it takes")
    }

    /// Returns the members that were requested. A member that may be missing and is written all the same has a default.
    private static func members(
        _ notes: ShapeNotes, of value: some Decodable, case name: String? = nil
    ) throws -> [String: Shape.Member] {
        guard let value = value as? any Encodable else { return notes.members }
        let written = try encoded(value)
        let found = name.map { written[$0] ?? .null } ?? written
        var members = notes.members
        for (name, member) in members where member.presence == .optional {
            if let value = found[name] { members[name]?.presence = .defaulted(value) }
        }
        return members
    }

    // MARK: Enums with payloads

    private func choice<Value: Decodable>(_ type: Value.Type) throws -> (shape: Shape, value: Value) {
        var cases: [String: Shape] = [:]
        var first: Value?
        var number = 0
        while true {
            let notes = ShapeNotes(self, choice: number)
            let whole = try Value(from: ShapeDecoder(notes: notes))
            if let single = notes.single { return (single, whole) }
            notes.leavesOut = true
            let value = try Value(from: ShapeDecoder(notes: notes))
            first = first ?? value
            cases[notes.chosen] = .object(try Self.members(notes, of: value, case: notes.chosen))
            number += 1
            if number >= notes.caseCount { break }
        }
        guard let first else { throw Unreadable(description: "\(type) has no case") }
        return (.choice(cases), first)
    }
}

/// Sample texts for types that accept only some texts.
enum ShapeSample {
    static let all: [(word: String, text: String)] = [
        ("text", ""), ("text: SHA-512", String(repeating: "0", count: 128)), ("text: IP address", "192.0.2.1"),
        ("text: IP network", "192.0.2.0/24"), ("text: MAC address", "02:00:00:00:00:01"),
    ]
}

private struct AnyEncodable: Encodable {
    let value: any Encodable

    init(_ value: any Encodable) { self.value = value }
    func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }
}

// MARK: - Lists and maps

private protocol Container {
    static func example(_ reader: ShapeReader) throws -> (shape: Shape, value: Self)
}

extension Array: Container where Element: Decodable {
    fileprivate static func example(_ reader: ShapeReader) throws -> (shape: Shape, value: Self) {
        (.list(try reader.example(Element.self).shape), [])
    }
}

extension Set: Container where Element: Decodable {
    fileprivate static func example(_ reader: ShapeReader) throws -> (shape: Shape, value: Self) {
        (.list(try reader.example(Element.self).shape), [])
    }
}

extension Optional: Container where Wrapped: Decodable {
    fileprivate static func example(_ reader: ShapeReader) throws -> (shape: Shape, value: Self) {
        (try reader.example(Wrapped.self).shape, nil)
    }
}

extension Dictionary: Container where Key: Decodable, Value: Decodable {
    fileprivate static func example(_ reader: ShapeReader) throws -> (shape: Shape, value: Self) {
        guard Key.self == String.self || Key.self == Int.self || Key.self is any CodingKeyRepresentable.Type else {
            throw ShapeReader.Unreadable(description: "\(Self.self) is a list of keys and values in JSON: take texts as keys")
        }
        return (.map(try reader.example(Value.self).shape), [:])
    }
}

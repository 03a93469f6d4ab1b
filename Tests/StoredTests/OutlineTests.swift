import CloudCore
@testable import Durable
import Foundation
@testable import TestSupport
import Testing

/// Tests of the outlines of small types, and of the faults that changes have.
@Suite("Outlines") struct OutlineTests {
    private enum Before {
        struct Toy: StoredValue {
            static let storedName = "toy"
            enum Color: String, Codable, Sendable { case red, green = "GREEN" }
            enum Only: String, Codable, Sendable { case one }
            enum Level: Int, Codable, Sendable { case low = 1, high = 9 }
            enum Motion: Codable, Sendable {
                case still
                case turning(Double, by: Color?)
            }
            struct Part: Codable, Sendable { var size: Int64 }

            var id: ID<Part>
            var name = "toy"
            var color: Color
            var only: Only?
            var level: Level
            var motion: Motion
            var parts: [Part]
            var tags: Set<String>
            var sizes: [String: Int]
            var at: Timestamp?
            var address: IPAddress
            var picture: Data?
            @Defaulted<Default.True> var isNew: Bool
        }
    }

    private static func shape<Value: Codable>(_ type: Value.Type) throws -> Shape { try ShapeReader([]).shape(of: type) }

    @Test("An outline has the members, their types, and whether they may be missing")
    func outline() throws {
        let shape = try Self.shape(Before.Toy.self)
        #expect(
            shape.json == [
                "id": "text", "name": "text", "color": ["one of": ["red", "GREEN"]], "only?": ["one of": ["one"]],
                "level": ["one of": [1, 9]],
                "motion": ["case still": [:], "case turning": ["_0": "number", "by?": ["one of": ["red", "GREEN"]]]],
                "parts": [["size": "integer"]], "tags": ["text"], "sizes": ["*": "integer"], "at?": "integer",
                "address": "text: IP address", "picture?": "bytes", "isNew = true": "truth",
            ])
        #expect(try Shape(JSON.parse(shape.json.pretty())) == shape)
    }

    @Test("A stored value within another one is shown by its name")
    func named() throws {
        struct Box: Codable, Sendable { var toy: Before.Toy, more: [Before.Toy] }
        #expect(try ShapeReader([Before.Toy.self]).shape(of: Box.self).json == ["toy": "<toy>", "more": ["<toy>"]])
    }

    // MARK: Changes

    private struct First: Codable, Sendable {
        enum Word: String, Codable, Sendable { case on, off }
        enum Verb: Codable, Sendable { case go, stop(seconds: Int) }
        var name: String
        var count: UInt16
        var word: Word
        var verb: Verb
        var note: String?
        @Defaulted<Default.False> var isOld: Bool
    }

    private func faults<New: Codable>(_ type: New.Type) throws -> [String] {
        let old = try Self.shape(First.self)
        return ShapeChange(before: [:], now: [:], keep: "Keep it.").faults(old, try Self.shape(type), at: "first")
    }

    @Test("Optional members, more cases and wider types are no faults, since older values can still be read")
    func allowed() throws {
        struct Second: Codable, Sendable {
            enum Word: String, Codable, Sendable { case on, off, dim }
            enum Verb: Codable, Sendable { case go, stop(seconds: Int, isHard: Bool?), wait }
            var name: ID<First>
            var count: Int
            var word: Word
            var verb: Verb
            var note: String?
            @Defaulted<Default.False> var isOld: Bool
            var more: [String]?
            @Defaulted<Default.Zero> var size: Int
        }
        #expect(try faults(Second.self) == [])
        #expect(try faults(First.self) == [])
    }

    @Test("Every other change is a fault that says what to do")
    func refused() throws {
        struct Second: Codable, Sendable {
            enum Word: String, Codable, Sendable { case on, dark }
            enum Verb: Codable, Sendable { case go, halt(seconds: Int) }
            var title: String
            var count: UInt8
            var word: Word
            var verb: Verb
            var note: String
            @Defaulted<Default.True> var isOld: Bool
            var isHidden = false
        }
        let found = try faults(Second.self)
        let parts = [
            "`first.count` was \"integer: UInt16\" and is \"integer: UInt8\". Keep it.",
            "What was written without `first.isOld` meant false, and would mean true.",
            "`first.name` is not there any more",
            "`first.note` could be missing in what was written before",
            "The case `first.verb.stop` is not there any more",
            "The word \"off\" of first.word is not there any more",
            "`first.isHidden` is new, and what was written before does not have it: Swift's decoding ignores an initial value. "
                + "Give it a default, as `@Defaulted<Default.False> var isHidden = false`, or make it Optional.",
            "`first.title` is new",
        ]
        #expect(found.count == parts.count, "\(found)")
        for part in parts { #expect(found.contains { $0.hasPrefix(part) }, "\(part) is not in \(found)") }
    }

    @Test("A workflow with other steps than a release's is a fault, and so is a missing workflow")
    func steps() throws {
        let json: JSON = ["input": ["id": "text"], "state": [:], "steps": ["local:claim", "|", "remote:boot"]]
        let other: JSON = ["input": ["id": "text"], "state": [:], "steps": ["local:claim", "|", "remote:start"]]
        let released = StoredOutlines([try StoredOutline(name: "workflow.a.1", json)])
        #expect(StoredOutlines([try StoredOutline(name: "workflow.a.1", json)]).faults(of: "workflow.a.1", since: released) == [])
        let changed = StoredOutlines([try StoredOutline(name: "workflow.a.1", other)]).faults(of: "workflow.a.1", since: released)
        #expect(changed.count == 1 && changed.first?.contains("Give the changed workflow the next version") == true)
        let gone = StoredOutlines([]).faults(of: "workflow.a.1", since: released)
        #expect(gone.first?.contains("the former one stays beside it") == true)
        #expect(StoredOutlines([]).faults(of: "workflow.b.1", since: released) == [])
    }

    // MARK: Defaults

    private struct Thing: StoredValue, Hashable {
        static let storedName = "thing"
        var name: String
        @Defaulted<Default.True> var isNew = true
        @Defaulted<Default.EmptyList<String>> var tags: [String] = []
        @Defaulted<Default.EmptyMap<Int>> var sizes = ["a": 1]
    }

    @Test("A member with a default may be missing or null, and is written as if it had no wrapper")
    func defaults() throws {
        let old = try StoredJSON.value(Thing.self, from: #"{"name": "x"}"#)
        #expect(old.isNew && old.tags.isEmpty && old.sizes.isEmpty)
        #expect(try StoredJSON.value(Thing.self, from: #"{"name": "x", "isNew": null, "tags": null}"#) == old)
        #expect(try StoredJSON.value(Thing.self, from: #"{"name": "x", "isNew": false, "tags": ["t"]}"#).isNew == false)
        #expect(throws: CloudError.self) { try StoredJSON.value(Thing.self, from: #"{"name": "x", "isNew": 3}"#) }
        var made = Thing(name: "y")
        made.tags.append("z")
        #expect(try StoredJSON.text(made) == #"{"isNew":true,"name":"y","sizes":{"a":1},"tags":["z"]}"#)
        #expect(made == Thing(name: "y", tags: ["z"]))
    }
}

@testable import CloudCore
import Testing

@Suite("Parts of stored values")
struct StoredPartsTests {
    private struct Thing: StoredValue {
        static let storedName = "test.thing"

        struct Inner: Codable {
            var name = "inner"
            var text: String?
        }

        var a = "first"
        var abcdefgh = 1
        var abcdefghijklmno1 = true
        var abcdefghijklmno2 = false
        var labels = ["b": "2", "a": "1"]
        var list = ["x", "\"y\""]
        var inner = Inner()
        var other: Inner?
        var none: String?
    }

    private enum Part: Int, CaseIterable {
        case a, eight, sixteen, another, labels, list, name, text, otherName, none, inner

        var path: String {
            switch self {
            case .a: "a"
            case .eight: "abcdefgh"
            case .sixteen: "abcdefghijklmno1"
            case .another: "abcdefghijklmno2"
            case .labels: "labels"
            case .list: "list"
            case .name: "inner.name"
            case .text: "inner.text?"
            case .otherName: "other?.name"
            case .none: "none?"
            case .inner: "inner"
            }
        }
    }

    private static let paths = StoredPaths(Part.allCases.map(\.path))

    private static func parts(_ text: String) throws -> [Part: String] {
        let parts = try StoredJSON.parts(paths, of: Thing.self, from: text)
        var written: [Part: String] = [:]
        for part in Part.allCases where parts.has(part.rawValue) {
            var json = JSONWriter()
            parts.write(part.rawValue, into: &json)
            written[part] = json.text
        }
        return written
    }

    @Test("Each part is written as the whole value has it, at any depth")
    func parts() throws {
        var thing = Thing()
        #expect(
            try Self.parts(try StoredJSON.text(thing)) == [
                .a: "\"first\"", .eight: "1", .sixteen: "true", .another: "false", .labels: #"{"a":"1","b":"2"}"#,
                .list: #"["x","\"y\""]"#, .name: "\"inner\"", .inner: #"{"name":"inner"}"#,
            ])
        (thing.other, thing.none, thing.inner.text) = (.init(name: "o"), "", "t")
        let more = try Self.parts(try StoredJSON.text(thing))
        #expect(more[.otherName] == "\"o\"" && more[.none] == "\"\"" && more[.text] == "\"t\"")
    }

    @Test("A part that is missing or null is written as null, or as another text")
    func missing() throws {
        let parts = try StoredJSON.parts(
            StoredPaths(["a?", "b?.c", "d"]), of: Thing.self, from: #"{"a":null,"b":[1],"d":5}"#)
        #expect(!parts.has(0) && !parts.has(1) && parts.integer(2) == 5 && parts.text(2) == nil && !parts.isTrue(2))
        var json = JSONWriter()
        json.elements { json in
            json.element { parts.write(0, into: &$0) }
            json.element { parts.write(1, otherwise: "-", into: &$0) }
        }
        #expect(json.text == #"[null,"-"]"#)
    }

    @Test("A text without a member that every value has is unreadable, and so is one that is no JSON")
    func unreadable() {
        let paths = StoredPaths(["a", "b.c", "d?.e"])
        let texts = [
            #"{"a":1}"#, #"{"b":{"c":1}}"#, #"{"a":1,"b":{}}"#, #"{"a":1,"b":2}"#, "[]", "{", "",
            #"{"a":null,"b":{"c":1}}"#,
        ]
        for text in texts {
            let error = #expect(throws: CloudError.self) { try StoredJSON.parts(paths, of: Thing.self, from: text) }
            #expect(error?.code == StoredJSON.unreadableCode, "\(text)")
        }
        #expect(throws: Never.self) { try StoredJSON.parts(paths, of: Thing.self, from: #"{"a":1,"b":{"c":1}}"#) }
    }

    @Test(
        "Texts in other forms are written in the form of answers",
        arguments: [
            (#"{"labels":{"b":"2","a":"1"}}"#, #"{"a":"1","b":"2"}"#),
            (#"{ "labels" : { "a" : "1" } }"#, #"{"a":"1"}"#),
            (#"{"labels":{}}"#, "{}"), (#"{"labels":{ }}"#, "{}"),
            (#"{"labels":{"a":"\/ \u00e9 \b"}}"#, #"{"a":"/ é \u0008"}"#),
            (#"{"labels":{"\u0061":"1"}}"#, #"{"a":"1"}"#),
            (#"{"labels":{"é":"1","e":"2"}}"#, #"{"e":"2","é":"1"}"#),
            (#"{"l\u0061bels":{"a":"é"}}"#, #"{"a":"é"}"#),
            (#"{"labels":[ 1.0 , true,null,"x" ]}"#, #"[1.0,true,null,"x"]"#),
        ])
    func forms(_ text: String, _ written: String) throws {
        let parts = try StoredJSON.parts(StoredPaths(["labels"]), of: Thing.self, from: text)
        var json = JSONWriter()
        parts.write(0, into: &json)
        #expect(json.text == written)
    }
}

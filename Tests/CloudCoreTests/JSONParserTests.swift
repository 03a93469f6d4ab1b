import CloudCore
import TestSupport
import Testing

@Suite struct JSONParserTests {
    @Test(
        "JSON that RFC 8259 allows is accepted",
        arguments: [
            ("null", .null), (" true ", true), ("\t\n\r false", false), ("0", 0), ("-0", 0), ("-12", -12), ("1.5e3", .number(1500)),
            ("1E2", .number(100)), ("1e-2", .number(0.01)), ("0.0", .number(0)), ("\"\"", ""), ("[]", []), ("{}", [:]),
            ("[1,\"a\",null,[ ],{ }]", [1, "a", nil, [], [:]]), ("{\"a\" : {\"b\":[true]}}", ["a": ["b": [true]]]),
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"), (#""\u0041\u00e9\u4e16""#, "Aé世"), (#""\ud83d\ude00""#, "😀"),
            (#""\u0000""#, "\0"), ("\"\u{7f}\u{2028}\"", "\u{7f}\u{2028}"), ("{\"\":1}", ["": 1]),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", .number(9_223_372_036_854_775_808)), ("1e308", .number(1e308)),
        ] as [(String, JSON)])
    func accepted(text: String, value: JSON) throws {
        #expect(try JSON.parse(text) == value)
    }

    @Test("A document with more values than the limit is refused, however they are nested")
    func mostValues() throws {
        for text in ["[1,2,3]", "{\"a\":[1],\"b\":2}", "[[[[]]]]", "[{\"a\":{\"b\":1}}]"] {
            #expect(throws: Never.self) { try JSON.parse(text, mostValues: 4) }
            let error = #expect(throws: JSONSyntaxError.self) { try JSON.parse(text, mostValues: 3) }
            #expect(error?.reason == "more than 3 values")
        }
    }

    @Test("Removing members leaves an object as if they had never been there, and 50,000 removals take linear time")
    func removal() throws {
        var random = SplitMix64(seed: 3)
        var object = JSONObject()
        var plain: [(key: String, value: JSON)] = []
        for step in 0..<4000 {
            let key = "k\(Int.random(in: 0..<60, using: &random))"
            let at = plain.firstIndex { $0.key == key }
            if Bool.random(using: &random) {
                object[key] = .integer(Int64(step))
                if let at { plain[at].value = .integer(Int64(step)) } else { plain.append((key, .integer(Int64(step)))) }
            } else {
                object[key] = nil
                if let at { plain.remove(at: at) }
            }
            #expect(object.keys == plain.map(\.key) && object.count == plain.count)
            #expect(plain.allSatisfy { object[$0.key] == $0.value } && object["none"] == nil)
        }
        var many = JSONObject((0..<50_000).map { ("k\($0)", JSON.integer(Int64($0))) })
        let started = ContinuousClock.now
        for number in 0..<49_999 { many["k\(number)"] = nil }
        #expect(many == ["k49999": 49_999])
        #expect(ContinuousClock.now - started < .seconds(20))
    }

    @Test(
        "JSON that RFC 8259 does not allow is refused",
        arguments: [
            "", " ", "nul", "nulll", "True", "[1,]", "[,1]", "[1 2]", "[1", "]", "{", "{}}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}",
            "{a:1}", "{'a':1}", "{1:2}", "01", "-", "+1", "-01", "1.", ".5", "1e", "1e+", "0x10", "NaN", "Infinity", "-Infinity",
            "1e400", "-1e400", "\"", "\"a", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\n\"", "\"\t\"", "\"\0\"",
            "// comment\n1", "/* */1", "1 2", "\u{feff}1", "\u{a0}1", "'a'", "[1]x",
        ])
    func refused(text: String) {
        #expect(throws: JSONSyntaxError.self) { try JSON.parse(text) }
    }

    @Test(
        "Half of a surrogate pair is refused",
        arguments: [#""\ud83d""#, #""\ude00""#, #""\ud83dx""#, #""\ud83d\n""#, #""\ud83d\ud83d""#, #""\ude00\ud83d""#, #""\ud83d\u0041""#])
    func surrogates(text: String) {
        #expect(throws: JSONSyntaxError.self) { try JSON.parse(text) }
    }

    @Test(
        "Bytes that are not UTF-8 are refused, in names and in values",
        arguments: [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0x80], [0xe2, 0x82]] as [[UInt8]])
    func invalidUTF8(bytes: [UInt8]) {
        let quote = UInt8(ascii: "\"")
        #expect(throws: JSONSyntaxError.self) { try JSON.parse([quote] + bytes + [quote]) }
        #expect(throws: JSONSyntaxError.self) { try JSON.parse(Array("{\"".utf8) + bytes + Array("\":1}".utf8)) }
        #expect(throws: JSONSyntaxError.self) { try JSON.parse(Array("\"\\n".utf8) + bytes + [quote]) }
        #expect(throws: JSONSyntaxError.self) { try JSON.parse(bytes) }
        #expect(throws: JSONSyntaxError.self) { try JSON.parse(Array("\"\\u".utf8) + bytes + [quote]) }
    }

    @Test("A duplicate name in one object is refused, however it is escaped, and the error has its place")
    func duplicates() throws {
        let error = #expect(throws: JSONSyntaxError.self) { try JSON.parse(#"{"a":1,"\u0061":2}"#) }
        #expect(error?.offset == 7)
        #expect(error?.reason.contains("'a' twice") == true)
        let many = (0..<50).map { "\"k\($0)\":0" }.joined(separator: ",")
        #expect(throws: JSONSyntaxError.self) { try JSON.parse("{\(many),\"k25\":1}") }
        #expect(try JSON.parse("{\(many)}").object?.count == 50)
        #expect(try JSON.parse(#"{"a":{"a":1},"b":[{"a":1}]}"#)["b"] == [["a": 1]])
    }

    @Test("Nesting deeper than the limit is refused")
    func depth() throws {
        func nested(_ depth: Int, _ open: String, _ close: String) -> String {
            String(repeating: open, count: depth) + "0" + String(repeating: close, count: depth)
        }
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            #expect(throws: Never.self) { try JSON.parse(nested(64, open, close)) }
            #expect(throws: JSONSyntaxError.self) { try JSON.parse(nested(65, open, close)) }
            #expect(throws: Never.self) { try JSON.parse(nested(3, open, close), maximumDepth: 3) }
            #expect(throws: JSONSyntaxError.self) { try JSON.parse(nested(4, open, close), maximumDepth: 3) }
            #expect(throws: JSONSyntaxError.self) { try JSON.parse(String(repeating: open, count: 1_000_000)) }
        }
    }

    @Test("A number has at most 64 characters")
    func longNumbers() {
        #expect(throws: Never.self) { try JSON.parse(String(repeating: "9", count: 64)) }
        #expect(throws: JSONSyntaxError.self) { try JSON.parse(String(repeating: "9", count: 65)) }
        #expect(throws: JSONSyntaxError.self) { try JSON.parse("0." + String(repeating: "0", count: 1_000_000)) }
    }

    @Test(
        "A syntax error has the offset of the wrong byte and the reason",
        arguments: [("[1, x]", 4, "unexpected character"), ("[] x", 3, "unexpected text after the value"), ("{\"a\":", 5, "unexpected end")])
    func offsets(text: String, offset: Int, reason: String) {
        let error = #expect(throws: JSONSyntaxError.self) { try JSON.parse(text) }
        #expect(error?.offset == offset)
        #expect(error?.reason == reason)
    }

    @Test("Random bytes either parse into a value that survives a round trip, or are refused", arguments: 1...20 as ClosedRange<UInt64>)
    func fuzz(seed: UInt64) throws {
        var chance = SplitMix64(seed: seed)
        let letters = Array(#"{}[]",:\u0dD8eE+-.19 tfn/"#.utf8) + [0, 0xff, 0xc3, 0xa9, 0xed, 0xa0, 0x0a]
        for _ in 0..<300 {
            var bytes = Array(Self.value(depth: 4, &chance).text.utf8)
            for _ in 0..<Int.random(in: 0...4, using: &chance) {
                let at = Int.random(in: 0...bytes.count, using: &chance)
                let letter = letters.randomElement(using: &chance) ?? 0
                switch Int.random(in: 0..<4, using: &chance) {
                case 0: bytes.insert(letter, at: at)
                case 1 where at < bytes.count: bytes.remove(at: at)
                case 2 where at < bytes.count: bytes[at] = letter
                default: bytes.removeLast(Int.random(in: 0...min(3, bytes.count), using: &chance))
                }
            }
            guard let value = try? JSON.parse(bytes) else { continue }
            #expect(try JSON.parse(value.text) == value)
        }
    }

    @Test("A value that is written parses as the same value", arguments: 1...20 as ClosedRange<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var chance = SplitMix64(seed: seed)
        for _ in 0..<200 {
            let value = Self.value(depth: 5, &chance)
            let again = try JSON.parse(value.text)
            #expect(again == value)
            // The order of the members is kept too; equality does not compare it.
            #expect(again.text == value.text)
        }
    }

    private static func value(depth: Int, _ chance: inout SplitMix64) -> JSON {
        switch Int.random(in: 0..<(depth > 0 ? 9 : 6), using: &chance) {
        case 0: .null
        case 1: .bool(Bool.random(using: &chance))
        case 2: .integer(Int64(bitPattern: chance.next()))
        case 3: .integer(Int64.random(in: -9...9, using: &chance))
        case 4: .number(Double(bitPattern: chance.next()).isFinite ? Double.random(in: -1e9...1e9, using: &chance) : 0.5)
        case 5: .string(text(&chance))
        case 6: .array((0..<Int.random(in: 0...4, using: &chance)).map { _ in value(depth: depth - 1, &chance) })
        default:
            .object(JSONObject((0..<Int.random(in: 0...15, using: &chance)).map { _ in (text(&chance), value(depth: depth - 1, &chance)) }))
        }
    }

    private static func text(_ chance: inout SplitMix64) -> String {
        let ranges: [ClosedRange<UInt32>] = [0...0x7f, 0x20...0x7e, 0x80...0x7ff, 0x4e00...0x4fff, 0x1f600...0x1f64f]
        var text = ""
        for _ in 0..<Int.random(in: 0...8, using: &chance) {
            let range = ranges.randomElement(using: &chance) ?? 0...0
            if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &chance)) { text.unicodeScalars.append(scalar) }
        }
        return text
    }
}

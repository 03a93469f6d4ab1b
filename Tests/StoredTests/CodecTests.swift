import CloudCore
import Foundation
import Testing

/// The encoder and decoder of stored values against Foundation's, which wrote and read them before.
@Suite("The text of stored values") struct CodecTests {
    private struct Everything: StoredValue, Equatable {
        static let storedName = "test.everything"

        enum Choice: Codable, Equatable {
            case plain
            case pair(Int, name: String)
        }

        enum Word: String, Codable { case one, two }

        struct Inner: Codable, Equatable {
            var list: [[Int]] = [[], [1, 2]]
            var word: Word?
            var text: String?
        }

        var texts = ["", "plain", "\"quoted\" \\ / \n\r\t\u{1}\u{1f}\u{7f}", "é \u{1f600} \u{2028}", "q\u{301}"]
        var small: Int8 = -128
        var least = Int64.min
        var most = Int64.max
        var unsigned = UInt64.max
        var byte: UInt8 = 255
        var numbers = [0, 1, -1.5, 1e20, 1e-7, 0.1, 123_456_789_012_345_680]
        var yes = true
        var nothing: String?
        var something: String? = "here"
        var choices = [Choice.plain, .pair(7, name: "seven")]
        var inner = Inner(word: .two)
        var byName = ["b": 1, "a": 2, "B": 3, "a10": 4, "a9": 5]
        var byNumber = [3: "three", -1: "minus one"]
        var byWord = [Word.one: 1]
        var set: Set<Int> = [5]
        var data = Data([0, 1, 255])
        var optional: [Int?] = [1, nil, 3]
        var twice: [String: [Inner]] = ["x": [Inner(), Inner(text: "t")]]
    }

    private func foundation(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    @Test("A value has the text that Foundation's encoder gives it, and each decoder reads it")
    func same() throws {
        let value = Everything()
        let text = try StoredJSON.text(value)
        #expect(text == (try foundation(value)))
        #expect(try StoredJSON.value(Everything.self, from: text) == value)
        #expect(try JSONDecoder().decode(Everything.self, from: Data(text.utf8)) == value)
        #expect(try StoredJSON.value(Everything.self, from: try StoredJSON.data(value)) == value)
    }

    private struct Number: StoredValue {
        static let storedName = "test.number"
        var n: Int
        var other: Double?
    }

    @Test(
        "A text is read or refused as by Foundation's decoder",
        arguments: [
            #"{"n":1}"#, #" { "n" : 1 , "x" : [ { } , [ ] ] } "#, #"{"n":1.0}"#, #"{"n":1e3}"#, #"{"n":1.5}"#,
            #"{"n":9223372036854775808}"#, #"{"n":-9223372036854775808}"#, #"{"n":"1"}"#, #"{"n":true}"#,
            #"{"n":null}"#,
            #"{"\u006e":1}"#, #"{"n":1}x"#, #"{"n":1"#, #"{n:1}"#, #"{"n":1 "x":2}"#, "[]", "", "{}",
            #"{"n":1,"other":null}"#, #"{"n":1,"other":2}"#, #"{"n":1,"other":-0.5e-3}"#, #"{"n":1,"x":"\q"}"#,
        ])
    func alike(_ text: String) throws {
        let ours = try? StoredJSON.value(Number.self, from: text)
        let theirs = try? JSONDecoder().decode(Number.self, from: Data(text.utf8))
        #expect(ours?.n == theirs?.n && ours?.other == theirs?.other)
    }

    @Test("A text that ends too early is an error at every place")
    func cut() throws {
        let bytes = Array(try StoredJSON.text(Everything()).utf8)
        for count in 0..<bytes.count {
            #expect(throws: CloudError.self) { try StoredJSON.value(Everything.self, from: Data(bytes[..<count])) }
        }
    }
}

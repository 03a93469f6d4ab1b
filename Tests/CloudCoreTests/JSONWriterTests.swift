import CloudCore
import Testing

@Suite struct JSONWriterTests {
    private func written(_ write: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        write(&writer)
        return writer.text
    }

    @Test("Commas and colons are in the right places, and an absent value is written as null")
    func structure() {
        let text = written { writer in
            writer.object { writer in
                writer.member("id", "a")
                writer.member("none", String?.none)
                writer.member("count", 3)
                writer.member("missing", Int?.none)
                writer.member("on", true)
                writer.object("inner") { _ in }
                writer.array("list", of: [1, 2]) { $0.integer($1) }
                writer.array("empty", of: [String]()) { $0.string($1) }
                writer.member("json", ["x": [nil]] as JSON)
                writer.key(dynamic: "a\"b")
                writer.number(0.5)
            }
        }
        #expect(
            text == """
                {"id":"a","none":null,"count":3,"missing":null,"on":true,"inner":{},"list":[1,2],"empty":[],\
                "json":{"x":[null]},"a\\"b":0.5}
                """)
    }

    @Test(
        "Strings are escaped where JSON requires it, and nowhere else",
        arguments: [
            ("", #""""#), ("a/b é 世 😀", #""a/b é 世 😀""#), ("\"\\", #""\"\\""#), ("\n\r\t", #""\n\r\t""#),
            ("\0\u{1}\u{8}\u{1f}", #""\u0000\u0001\u0008\u001f""#), ("\u{7f}\u{2028}", "\"\u{7f}\u{2028}\""),
        ])
    func escapes(text: String, json: String) {
        #expect(written { $0.string(text) } == json)
    }

    @Test("Integers are written in full, and numbers that are not finite as null")
    func numbers() {
        #expect(written { $0.integer(.min) } == "-9223372036854775808")
        #expect(written { $0.integer(.max) } == "9223372036854775807")
        #expect(written { $0.integer(0) } == "0")
        #expect(written { $0.number(.nan) } == "null")
        #expect(written { $0.number(.infinity) } == "null")
        #expect(written { $0.number(16) } == "16.0")
        #expect(written { $0.number(1e100) } == "1e+100")
    }

    @Test("An object keeps the order of its members through changes and removals")
    func order() {
        var object = JSONObject()
        for number in 0..<20 { object["k\(number)"] = .integer(Int64(number)) }
        object["k3"] = "changed"
        object["k0"] = nil
        object["k0"] = "last"
        #expect(object.keys == (1..<20).map { "k\($0)" } + ["k0"])
        #expect(object["k3"] == "changed")
        #expect(object["k19"] == 19)
        #expect(object["nothing"] == nil)
    }

    @Test("Objects with the same members are equal in any order")
    func equality() {
        let left: JSON = ["a": 1, "b": [2]]
        let right: JSON = ["b": [2], "a": 1]
        #expect(left == right)
        #expect(left.hashValue == right.hashValue)
        #expect(left != ["a": 1])
        #expect(left != ["a": 1, "c": [2]])
    }
}

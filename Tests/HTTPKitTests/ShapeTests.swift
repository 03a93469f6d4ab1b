import CloudCore
import HTTPKit
import Testing

@Suite("Shapes")
struct ShapeTests {
    private let shape = Shape.object([
        .init("name", .name, required: true), .init("enabled", .boolean), .init("count", .integer(0...10)),
        .init("kind", .oneOf(["a", "b"])), .init("tags", .array(.string(1...5, .tag), 0...2, unique: true)),
        .init("url", .nullable(.url)), .init("at", .string(0...40, .moment)),
    ])

    @Test(
        "A value that fits the shape is accepted",
        arguments: [
            #"{"name": "x"}"#, #"{"name": "é", "enabled": false, "count": 10, "kind": "b", "tags": ["a", "b"]}"#,
            #"{"name": "x", "url": null}"#, #"{"name": "x", "url": "http://a"}"#, #"{"name": "x", "at": "2026-01-31T23:59:59Z"}"#,
        ])
    func fits(text: String) throws { try shape.check(try JSON.parse(text), at: "thing") }

    @Test(
        "A value that does not fit is refused, and the message names the place",
        arguments: [
            (#"{}"#, "thing"), (#"{"name": ""}"#, "thing/name"), (#"{"name": "  "}"#, "thing/name"), (#"{"name": 5}"#, "thing/name"),
            (#"{"name": "x", "enabled": "true"}"#, "thing/enabled"), (#"{"name": "x", "count": 11}"#, "thing/count"),
            (#"{"name": "x", "count": 1.5}"#, "thing/count"), (#"{"name": "x", "kind": "c"}"#, "thing/kind"),
            (#"{"name": "x", "tags": ["a", "a"]}"#, "thing/tags"), (#"{"name": "x", "tags": ["a,b"]}"#, "thing/tags/0"),
            (#"{"name": "x", "tags": ["a", "b", "c"]}"#, "thing/tags"), (#"{"name": "x", "url": "nothing"}"#, "thing/url"),
            (#"{"name": "x", "other": 1}"#, "other"), (#"[]"#, "thing"), (#"{"name": "a\u0000b"}"#, "thing/name"),
            (#"{"name": "x", "at": "yesterday"}"#, "thing/at"), (#"{"name": "x", "at": "2026-02-30T00:00:00Z"}"#, "thing/at"),
        ])
    func refused(text: String, place: String) throws {
        let json = try JSON.parse(text)
        #expect { try shape.check(json, at: "thing") } throws: { error in
            let error = error as? CloudError
            return error?.kind == .badRequest && error?.message.contains(place) == true
        }
    }
}

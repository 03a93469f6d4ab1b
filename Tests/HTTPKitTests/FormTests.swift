import CloudCore
import HTTPKit
import Testing

@Suite("Forms")
struct FormTests {
    private enum Color: String, CaseIterable, Sendable { case red, green }

    private struct Part: Sendable, Equatable {
        var size = 0
    }

    private struct Thing: Sendable {
        var name = ""
        var note = Update<String>.keep
        var color: Color?
        var isOpen = true
        var parts: [Part] = []
        var labels: [String: String] = [:]
        var part = Part()
    }

    private static let part = Form.object(Part(), [.required("size", \.size, .natural)])
    private static let form = Form.object(
        Thing(),
        [
            .required("name", \.name, Form.string(1...5).mapped { $0.uppercased() }, until: 9),
            .required("name", \.name, .string(1...10), since: 10),
            .update("note", \.note, .string(), since: 3), .optional("color", \.color, .word()), .optional("open", \.isOpen, .truth),
            .optional("parts", \.parts, .array(part)), .optional("labels", \.labels, .dictionary(.word, .string(0...3))),
            FormMember.optional("part_size", \Part.size, .natural, requiredSince: 20).of(\.part),
            .ignored("old", .integer(0...1), until: 4),
        ]
    ).inside("thing")

    private static let dialect = Dialect(checksMembersFirst: true) { mismatch in
        .badRequest("\(mismatch.place.reversed().map(\.name).joined(separator: "/")): \(mismatch.schemaWords(limit: 40))")
    }

    private func thing(_ text: String, minor: Int = 5) throws -> Thing {
        try Self.form.parse(try JSON.parse(text), minor: minor, Self.dialect)
    }

    @Test("A body becomes a typed value in one pass")
    func reads() throws {
        let thing = try thing(
            #"{"thing": {"name": "abc", "color": "red", "open": "off", "parts": [{"size": 1}, {"size": "2"}], "labels": {"a": "b"}, "part_size": 7}}"#)
        #expect(thing.name == "ABC")
        #expect(thing.color == .red)
        #expect(!thing.isOpen)
        #expect(thing.parts == [Part(size: 1), Part(size: 2)])
        #expect(thing.labels == ["a": "b"])
        #expect(thing.part == Part(size: 7))
    }

    @Test("A member of a change is absent, null or a value")
    func updates() throws {
        #expect(try thing(#"{"thing": {"name": "a"}}"#).note == .keep)
        #expect(try thing(#"{"thing": {"name": "a", "note": null}}"#).note == .clear)
        #expect(try thing(#"{"thing": {"name": "a", "note": "x"}}"#).note == .set("x"))
    }

    @Test("A member exists only in its microversions, and a name may have other forms in others")
    func versions() throws {
        #expect(throws: CloudError.self) { try thing(#"{"thing": {"name": "a", "note": "x"}}"#, minor: 2) }
        #expect(throws: CloudError.self) { try thing(#"{"thing": {"name": "abcdef"}}"#, minor: 9) }
        #expect(try thing(#"{"thing": {"name": "abcdef"}}"#, minor: 10).name == "abcdef")
        #expect(try thing(#"{"thing": {"name": "a", "old": 1}}"#, minor: 4).name == "A")
        #expect(throws: CloudError.self) { try thing(#"{"thing": {"name": "a", "old": 1}}"#, minor: 5) }
        #expect(throws: CloudError.self) { try thing(#"{"thing": {"name": "a"}}"#, minor: 20) }
    }

    @Test(
        "A mismatch is reported with its place, in JSON Schema's words",
        arguments: [
            (#"{}"#, ": 'thing' is a required property"),
            (#"{"thing": {}}"#, "thing: 'name' is a required property"),
            (#"{"thing": {"name": ""}}"#, "thing/name: '' should be non-empty"),
            (#"{"thing": {"name": "abcdef"}}"#, "thing/name: 'abcdef' is too long"),
            (#"{"thing": {"name": "a", "color": "blue"}}"#, "thing/color: 'blue' is not one of ['red', 'green']"),
            (#"{"thing": {"name": "a", "parts": [{"size": -1}]}}"#, "thing/parts/0/size: -1 is less than the minimum of 0"),
            (#"{"thing": {"name": "a", "parts": [{"size": "x"}]}}"#, "thing/parts/0/size: 'x' does not match '^[0-9]*$'"),
            (#"{"thing": {"name": "a", "parts": [{}]}}"#, "thing/parts/0: 'size' is a required property"),
            (#"{"thing": {"name": 5}}"#, "thing/name: 5 is not of type 'string'"),
            (#"{"thing": {"name": "a", "note": 5}}"#, "thing/note: 5 is not of type 'string', 'null'"),
            (#"{"thing": {"name": "a", "labels": {"a b": "c"}}}"#, "thing/labels: 'a b' does not match any of the regexes: '^[a-zA-Z0-9-_]*$'"),
            (#"{"thing": {"name": "a", "x": 1, "y": 2}}"#, "thing: Additional properties are not allowed ('x', 'y' were unexpected)"),
        ])
    func refuses(text: String, message: String) throws {
        #expect { try thing(text) } throws: { ($0 as? CloudError)?.message == message }
    }

    @Test("The shape of a form is data that names every member with its versions")
    func isData() throws {
        guard case .object(let envelope) = Self.form.shape, case .object(let members)? = envelope.named.first?.shape else {
            Issue.record("the form has no object")
            return
        }
        #expect(members.named.map(\.name) == ["name", "name", "note", "color", "open", "parts", "labels", "part_size", "old"])
        #expect(members.named.map(\.versions.lowerBound) == [0, 10, 3, 0, 0, 0, 0, 0, 0])
        #expect(members.named.compactMap(\.requiredSince) == [0, 0, 20])
    }
}

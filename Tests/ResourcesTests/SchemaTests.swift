import CloudCore
import HTTPKit
import Resources
import SQL
import TestSupport
import Testing

/// Tests of the bodies that a schema accepts and the views that it gives.
@Suite struct SchemaTests {
    private func made(_ widget: JSON) throws -> Widget { try Widget.schema.new(from: ["widget": widget]).resource }

    private func changed(_ widget: Widget, _ change: JSON) throws -> Widget {
        var widget = widget
        let given = try Widget.schema.changes(from: ["widget": change])
        try Widget.schema.checkFixed(given, of: widget)
        try Widget.schema.apply(given, to: &widget)
        return widget
    }

    private func view<R: Resource>(_ resource: R) throws -> JSON {
        var writer = JSONWriter()
        writer.object { R.schema.view(resource, into: &$0) }
        return try JSON.parse(writer.bytes)
    }

    @Test("A body sets the fields that callers may set, and the others get their defaults")
    func create() throws {
        let widget = try made(["name": "n", "size": 5, "enabled": false, "note": nil, "options": ["a": 1]])
        var expected = Widget("", "n", size: 5, enabled: false)
        expected.options = ["a": 1]
        #expect(widget == expected)
        #expect(try made(["name": "n"]).owner == "nobody")
        #expect(try made(["name": "n", "owner": "me"]).owner == "me")
    }

    @Test(
        "An invalid body is refused, and the message names the place",
        arguments: [
            (#"{}"#, "'widget'"), (#"{"widget": []}"#, "'widget'"), (#"{"widget": null}"#, "'widget'"), (#"{"other": {}}"#, "'widget'"),
            (#"{"widget": {"name": "n"}, "more": 1}"#, "'more'"), (#"{"widget": {}}"#, "'name'"), (#"{"widget": {"name": 1}}"#, "widget/name"),
            (#"{"widget": {"name": null}}"#, "widget/name"), (#"{"widget": {"name": ""}}"#, "widget/name"),
            (#"{"widget": {"name": "n", "size": "1"}}"#, "widget/size"), (#"{"widget": {"name": "n", "size": 1001}}"#, "widget/size"),
            (#"{"widget": {"name": "n", "size": 1.5}}"#, "widget/size"), (#"{"widget": {"name": "n", "enabled": "true"}}"#, "widget/enabled"),
            (#"{"widget": {"name": "n", "enabled": 1}}"#, "widget/enabled"), (#"{"widget": {"name": "n", "options": []}}"#, "widget/options"),
            (#"{"widget": {"name": "n", "password": ""}}"#, "widget/password"), (#"{"widget": {"name": "n", "owner": "a b"}}"#, "widget/owner"),
        ])
    func refused(body: String, place: String) throws {
        let object = try #require(try JSON.parse(body).object)
        let message = badRequest { _ = try Widget.schema.new(from: object) }
        #expect(message?.contains(place) == true, "\(message ?? "not refused")")
    }

    @Test("A closed schema accepts no unknown member on create or update")
    func closed() throws {
        for body: JSON in [["name": "n", "other": 1], ["name": "n", "label": "x"], ["name": "n", "id": "x"], ["name": "n", "extra": [:]]] {
            #expect(badRequest { _ = try ClosedWidget.schema.new(from: ["widget": body]) } != nil, "\(body.text)")
        }
        for body: JSON in [["size": 5], ["id": "x"], ["other": 1]] {
            #expect(badRequest { _ = try ClosedWidget.schema.changes(from: ["widget": body]) } != nil, "\(body.text)")
        }
        #expect(try ClosedWidget.schema.new(from: ["widget": ["name": "n", "size": 3]]).resource.size == 3)
    }

    @Test("An open schema keeps and shows unknown members, and nobody can set the fields of the service")
    func extras() throws {
        let widget = try made([
            "name": "n", "own": ["a": [1, nil]], "id": "mine", "made_at": "2026-01-01T00:00:00Z", "label": "mine", "links": ["self": "x"],
            "password": "secret",
        ])
        #expect(widget.id.text == "")
        #expect(widget.madeAt == nil)
        #expect(widget.extra == ["own": ["a": [1, nil]]])
        let shown = try view(widget)
        #expect(shown["own"] == ["a": [1, nil]])
        #expect(shown["label"] == "widget n")
        #expect(shown["links"] == nil)
        let later = try changed(widget, ["own": nil, "more": true])
        #expect(later.extra["more"] == true)
        #expect(later.extra["own"] == .null)
    }

    @Test("An input-only field is never shown, and a null field is shown or omitted as declared")
    func views() throws {
        let shown = try view(try made(["name": "n", "password": "secret"]))
        #expect(!shown.text.contains("secret") && !shown.text.contains("password"))
        #expect(shown["note"] == nil)
        #expect(shown["made_at"] == .null)
        #expect(try view(try made(["name": "n", "note": "x"]))["note"] == "x")
        #expect(Array((shown.object ?? [:]).keys) == ["id", "name", "owner", "enabled", "size", "made_at", "options", "label"])
    }

    @Test("A body tells which fields it has, by their places, and a null from a value")
    func fields() throws {
        let given = try Given<Boxed>(["name": "n", "colour": nil, "shade": 3], at: "boxed")
        #expect(given.has(\.name) && given.has(\.paint.colour) && given.has(\.paint.shade) && !given.has(\.id))
        #expect(given.sets(\.name) && !given.sets(\.paint.colour) && given.sets(\.paint.shade) && !given.sets(\.id))
        #expect(try !Given<Boxed>(["shade": 3], at: "boxed").has(\.paint.colour))
    }

    @Test("A fixed field may be repeated but not changed, and an id never changes")
    func fixed() throws {
        var widget = Widget("w", "n")
        widget.owner = "me"
        #expect(try changed(widget, ["name": "m", "owner": "me", "id": "w"]).name == "m")
        #expect(badRequest { _ = try changed(widget, ["owner": "you"]) }?.contains("widget/owner") == true)
        #expect(badRequest { _ = try changed(widget, ["id": "v"]) }?.contains("ID") == true)
        #expect(badRequest { _ = try changed(widget, ["id": 1]) } != nil)
        #expect(badRequest { _ = try changed(widget, [:]) } != nil)
        #expect(try changed(widget, ["label": "mine"]) == widget)
    }

    @Test("A stored resource reads back unchanged, on both databases", arguments: DatabaseKind.allCases)
    func stored(kind: DatabaseKind) async throws {
        var widget = Widget("w", "é ' \" \\ % 日", size: 7, enabled: false, note: "")
        widget.madeAt = Timestamp(microseconds: 1_767_225_600_123_456)
        widget.options = ["a": ["b": [1, 2.5, "x", nil, true]]]
        widget.extra = ["z": 1, "a": 2]
        try await withWidgets(kind, [widget, Widget("v", "plain")]) { [widget] database in
            let store = ResourceStore<Widget>()
            #expect(try await database.read { tx in try store.find(widget.id, in: tx) } == widget)
            #expect(try await database.read { tx in try store.find(ID("v"), in: tx) } == Widget("v", "plain"))
            #expect(try await database.read { tx in try store.find(ID("u"), in: tx) } == nil)
            await #expect(throws: CloudError.self) { _ = try await database.read { tx in try store.require(ID("u"), in: tx) } }
            var later = widget
            later.note = nil
            later.madeAt = nil
            try await database.write { [later] tx in try store.update(later, in: tx) }
            #expect(try await database.read { tx in try store.find(widget.id, in: tx) } == later)
            #expect(try await database.write { tx in try store.delete(widget.id, in: tx) })
            #expect(try await database.write { tx in try store.delete(widget.id, in: tx) } == false)
            await #expect(throws: SQLError.self) { try await database.insert([Widget("v", "again")]) }
        }
    }
}

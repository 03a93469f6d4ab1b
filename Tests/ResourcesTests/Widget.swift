import CloudCore
import HTTPKit
import Resources
import SQL
import TestSupport

/// A resource with a field of every kind.
struct Widget: Resource, Equatable {
    struct Input: ResourceInput {
        var password: String?
        var hint = Update<String>.keep
    }

    var id: ID<Widget> = ID("")
    var name = ""
    var owner = "nobody"
    var isEnabled = true
    var size = 1
    var note: String?
    var madeAt: Timestamp?
    var options: JSONObject = [:]
    var extra: JSONObject = [:]

    init() {}

    init(_ id: String, _ name: String, size: Int = 1, enabled: Bool = true, note: String? = nil) {
        self.id = ID(id)
        self.name = name
        self.size = size
        isEnabled = enabled
        self.note = note
    }

    static let schema = ResourceSchema<Widget>("widget", "widgets", table: "widget", open: true, fields)

    static let fields: [Field<Widget>] = [
        Field("id", \.id, .any, create: .unknown, update: .fixed),
        Field("name", \.name, .name, create: .required, filter: .text),
        Field("owner", \.owner, .id, update: .fixed, filter: .exact),
        Field("enabled", \.isEnabled, .boolean, filter: .exact, column: "is_enabled"),
        Field("size", \.size, .integer(0...1000), filter: .exact),
        Field("note", \.note, .nullable(.text), filter: .text, shown: .whenSet),
        Field("made_at", \.madeAt, .nullable(.string(0...40, .moment)), create: .unknown, update: .unknown, filter: .exact),
        Field("options", \.options, .openObject),
        Field("label", derived: { .string("widget \($0.name)") }),
        Field(input: .optional("password", \.password, .string(1...10))),
        Field(input: .update("hint", \.hint, .string(1...10))),
    ]

    static let schemas = [
        Schema(
            service: "test",
            [
                Migration(
                    1, "widgets",
                    """
                    CREATE TABLE widget (
                      id TEXT PRIMARY KEY, name TEXT NOT NULL, owner TEXT NOT NULL, is_enabled INTEGER NOT NULL, size INTEGER NOT NULL,
                      note TEXT, made_at INTEGER, options TEXT NOT NULL, extra TEXT NOT NULL)
                    """)
            ])
    ]
}

/// A resource whose bodies allow no unknown members.
struct ClosedWidget: Resource {
    var id: ID<ClosedWidget> = ID("")
    var name = ""
    var size = 1

    static let schema = ResourceSchema<ClosedWidget>(
        "widget", "widgets", table: "widget",
        [
            Field("id", \.id, .any, create: .unknown, update: .unknown),
            Field("name", \.name, .name, create: .required, filter: .text),
            Field("size", \.size, .integer(0...1000), update: .unknown),
            Field("label", derived: { .string($0.name) }),
        ])
}

/// A resource with fields that a part of it has.
struct Boxed: Resource {
    struct Paint: Sendable {
        var colour: String?
        var shade = 1
    }

    var id: ID<Boxed> = ID("")
    var name = ""
    var paint = Paint()

    static let schema = ResourceSchema<Boxed>(
        "boxed", "boxes", table: "boxed",
        [
            Field(own: "id", \.id), Field("name", \.name, .name),
            Field("colour", of: \.paint, \.colour, .nullable(.text)), Field("shade", of: \.paint, \.shade, .any),
        ])
}

/// Runs the body with a database that has the widgets.
func withWidgets(
    _ kind: DatabaseKind, _ widgets: [Widget] = [], _ body: (Database) async throws -> Void
) async throws {
    try await TestDatabase.withDatabase(kind, schemas: Widget.schemas) { test in
        try await test.database.insert(widgets)
        try await body(test.database)
    }
}

extension Database {
    func insert(_ widgets: [Widget]) async throws {
        try await write { tx in for widget in widgets { try ResourceStore<Widget>().insert(widget, in: tx) } }
    }

    /// Returns the page that a URL's query selects.
    func page(_ query: String) async throws -> (rows: [Widget], hasMore: Bool) {
        let list = try Widget.schema.query(from: try Query(query))
        return try await read { tx in try ResourceStore<Widget>().page(list, in: tx) }
    }

    func ids(_ query: String) async throws -> [String] { try await page(query).rows.map(\.id.text) }
}

func badRequest(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch let error as CloudError where error.kind == .badRequest {
        return error.message
    } catch {
        return nil
    }
}

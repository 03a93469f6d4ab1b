import ArgumentParser
import CloudCore
import Foundation
import HTTPKit
import Resources
import SQL

/// The rows of a list: read from SQLite into structs, and written from them as JSON.
struct ListBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lists", abstract: "Rows of a list that are read, and written as JSON, in a second.")

    @Option(help: "The rows of one list.")
    var rows = 1000

    @Option(help: "The lists that are read and written.")
    var turns = 200

    @Option(help: "The folder in which SQLite's file is made.")
    var folder = FileManager.default.temporaryDirectory.path

    func run() async throws {
        let file = URL(filePath: folder).appending(path: "novella-bench-\(World.real.random.hexID())")
        try FileManager.default.createDirectory(at: file, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: file) }
        let database = try Database.sqlite(path: file.appending(path: "bench.db").path)
        let store = ResourceStore<Thing>()
        let things = (0..<rows).map { Thing(number: $0) }
        try await database.write { tx in
            try tx.script(Thing.table)
            try store.insert(things, in: tx)
        }
        let reads = try await Measure.each(turns) { _ = try await database.read { tx in try store.all(in: tx) } }
        let views = try await Measure.each(turns) {
            var writer = JSONWriter()
            writer.object { writer in
                writer.array("things", of: things) { writer, thing in
                    writer.object { Thing.schema.view(thing, into: &$0) }
                }
            }
        }
        row("List of \(rows)", "Rows/s", "median ms", "99 % ms")
        row("---", "--:", "--:", "--:")
        for (name, figure) in [("read", reads), ("written", views)] {
            row(
                name, "\(figure.perSecond * rows)", figure.milliseconds(below: 0.5), figure.milliseconds(below: 0.99))
        }
        await database.close()
    }
}

/// A resource with a field of each usual type.
private struct Thing: Resource {
    var id: ID<Thing> = ID("")
    var name = ""
    var owner: ID<Thing>?
    var isEnabled = true
    var size = 1
    var madeAt: Timestamp?

    init() {}

    init(number: Int) {
        id = ID("\(number)-0123456789abcdef0123456789abcdef")
        name = "a thing with the number \(number)"
        owner = number.isMultiple(of: 2) ? id : nil
        size = number
        madeAt = Timestamp(microseconds: Int64(number) * 1_000_000)
    }

    static let schema = ResourceSchema<Thing>("thing", "things", table: "bench_thing", fields)

    static let fields: [Field<Thing>] = [
        Field("id", \.id, .any, create: .unknown, update: .fixed), Field("name", \.name, .name, create: .required),
        Field("owner", \.owner, .nullable(.id)), Field("enabled", \.isEnabled, .boolean, column: "is_enabled"),
        Field("size", \.size, .integer(0...1_000_000)),
        Field("made_at", \.madeAt, .nullable(.string(0...40, .moment)), create: .unknown, update: .unknown),
    ]

    static let table = """
        CREATE TABLE bench_thing (
          id TEXT PRIMARY KEY, name TEXT NOT NULL, owner TEXT, is_enabled INTEGER NOT NULL, size INTEGER NOT NULL,
          made_at INTEGER)
        """
}

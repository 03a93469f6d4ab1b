import Foundation
import SQL

enum Databases {
    enum Kind: Sendable { case sqlite }

    static func open(_ kind: Kind, _ schemas: [Schema]) async throws -> Database {
        let path = FileManager.default.temporaryDirectory.appending(path: "durable-\(UUID().uuidString).sqlite").path
        let database = try Database.sqlite(path: path, readers: 1, durable: false)
        _ = try await database.migrate(schemas)
        return database
    }
}

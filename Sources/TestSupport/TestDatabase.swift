import Foundation
package import SQL
import Synchronization
import Testing

/// The databases on which every test of rows runs: `@Test(arguments: DatabaseKind.allCases)`.
package enum DatabaseKind: CaseIterable, Sendable, CustomTestStringConvertible {
    case sqlite, postgreSQL

    package var testDescription: String { self == .sqlite ? "SQLite" : "PostgreSQL" }

    /// The kind for tests that run on one kind: SQLite, unless `NOVELLA_TEST_DATABASE=postgresql` is set.
    package static let usual: DatabaseKind =
        switch ProcessInfo.processInfo.environment["NOVELLA_TEST_DATABASE"] {
        case nil, "sqlite": .sqlite
        case "postgresql": .postgreSQL
        case .some(let other): preconditionFailure("NOVELLA_TEST_DATABASE must be sqlite or postgresql, not \(other)")
        }
}

/// The database of one test. No other test uses it, and it is removed when the test is over.
package final class TestDatabase: Sendable {
    package let kind: DatabaseKind
    package let database: Database
    /// The path of a SQLite file, or libpq's connection string.
    package let location: String
    /// The databases that `reopen` has opened.
    private let others = Mutex<[Database]>([])

    private init(kind: DatabaseKind, location: String) throws {
        self.kind = kind
        self.location = location
        database = try Self.open(kind, location)
    }

    /// Opens the same database again, as a second process would. It is closed with the test.
    package func reopen() throws -> Database {
        let other = try Self.open(kind, location)
        others.withLock { $0.append(other) }
        return other
    }

    /// Runs `body` with a fresh database that has the schemas, then closes and removes it.
    ///
    /// A test must use one database at a time: only a limited number is open at once, and tests that hold one and wait
    /// for a second could wait for each other.
    ///
    /// - Parameter template: the database to copy: the path of a SQLite file, or the name of a template of
    ///   `PostgresServer`.
    package static func withDatabase<Value>(
        _ kind: DatabaseKind, schemas: [Schema] = [], copying template: String? = nil, isolation: isolated (any Actor)? = #isolation,
        _ body: (TestDatabase) async throws -> Value
    ) async throws -> Value {
        switch kind {
        case .sqlite:
            await places.take()
            let folder = FileManager.default.temporaryDirectory.appending(path: "novella-test-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: folder) }
            let path = folder.appending(path: "test.db").path
            let result: Result<Value, any Error>
            do {
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                if let template { try FileManager.default.copyItem(atPath: template, toPath: path) }
                result = .success(try await use(kind, path, schemas, body))
            } catch {
                result = .failure(error)
            }
            await places.give()
            return try result.get()
        case .postgreSQL:
            let server = try await PostgresServer.started()
            let name = try await server.createDatabase(copying: template)
            do {
                let value = try await use(kind, server.parameters(database: name), schemas, body)
                try await server.dropDatabase(name)
                return value
            } catch {
                try? await server.dropDatabase(name)
                throw error
            }
        }
    }

    /// The places of open SQLite databases. All tests of a process begin at once, and a cloud for each would need
    /// gigabytes and thousands of files.
    private static let places = Places(32)

    private static func use<Value>(
        _ kind: DatabaseKind, _ location: String, _ schemas: [Schema], isolation: isolated (any Actor)? = #isolation,
        _ body: (TestDatabase) async throws -> Value
    ) async throws -> Value {
        let test = try TestDatabase(kind: kind, location: location)
        let result: Result<Value, any Error>
        do {
            if !schemas.isEmpty { _ = try await test.database.migrate(schemas) }
            result = .success(try await body(test))
        } catch {
            result = .failure(error)
        }
        for database in test.others.withLock({ $0 }) + [test.database] { await database.close() }
        return try result.get()
    }

    private static func open(_ kind: DatabaseKind, _ location: String) throws -> Database {
        switch kind {
        case .sqlite: try .sqlite(path: location, readers: 2, durable: false)
        case .postgreSQL: try .postgreSQL(location, connections: 4)
        }
    }
}

import CloudCore
import SQL
import Synchronization
import TestSupport

/// The tables for most of these tests.
let things = Schema(
    service: "test",
    [
        Migration(
            1, "things",
            """
            CREATE TABLE thing (
              id TEXT PRIMARY KEY, name TEXT, size INTEGER NOT NULL DEFAULT 0 CHECK (size >= 0), ratio DOUBLE PRECISION, bytes BLOB);
            CREATE UNIQUE INDEX thing_name ON thing (name);
            CREATE TABLE part (id TEXT PRIMARY KEY, thing_id TEXT NOT NULL REFERENCES thing (id));
            """)
    ])

func withThings<Value>(_ kind: DatabaseKind, _ body: (Database) async throws -> Value) async throws -> Value {
    try await TestDatabase.withDatabase(kind, schemas: [things]) { try await body($0.database) }
}

extension Database {
    func add(_ id: String, size: Int = 0) async throws {
        try await write { tx in try tx.execute("INSERT INTO thing (id, size) VALUES (?, ?)", id, size) }
    }

    func ids() async throws -> [String] {
        try await read { tx in try tx.rows("SELECT id FROM thing ORDER BY id").map { try $0["id"] } }
    }
}

/// The kinds of `SQLError`, without details of one database.
enum Refusal: Equatable {
    case none, unique, foreignKey, check, misuse, unavailable, full, cutOff, other(String)

    static func of<Value>(_ body: () async throws -> Value) async -> Refusal {
        do {
            _ = try await body()
            return .none
        } catch let error as SQLError {
            switch error {
            case .uniqueViolation: return .unique
            case .foreignKeyViolation: return .foreignKey
            case .checkViolation: return .check
            case .misuse: return .misuse
            default: return .other("\(error)")
            }
        } catch let error as CloudError where error.message == Budget.cutOff.message {
            return .cutOff
        } catch let error as CloudError
            where error.kind == .unavailable && error.headers.contains(where: { $0.value == "60" })
        {
            return .full
        } catch let error as CloudError where error.kind == .unavailable && error.isTransient {
            return .unavailable
        } catch {
            return .other("\(error)")
        }
    }
}

/// The error of a closure that fails for its own reasons.
struct Deliberate: Error, Equatable {
    var number = 0
}

/// A value that closures on several threads change.
final class Shared<Value: Sendable>: Sendable {
    private let state: Mutex<Value>

    init(_ value: Value) { state = Mutex(value) }

    var value: Value { state.withLock { $0 } }

    func change(_ body: @Sendable (inout Value) -> Void) { state.withLock { body(&$0) } }
}

import CloudCore
import Foundation
import GRDB

/// A connection to a SQLite file, by GRDB.
final class SQLiteConnection: Connection {
    private let queue: DatabaseQueue
    /// Set while a closure runs on the connection.
    private var open: GRDB.Database?

    /// - Parameter isReader: a reader sees the last commit and can change nothing.
    init(path: String, isReader: Bool, durable: Bool) throws {
        var configuration = Configuration()
        configuration.readonly = isReader
        configuration.busyMode = .timeout(10)
        configuration.foreignKeysEnabled = true
        configuration.maximumReaderCount = 1
        configuration.prepareDatabase { db in
            if !isReader {
                try db.execute(sql: "PRAGMA journal_mode = WAL")
                // FULL: the write-ahead log is synced at each commit, so an acknowledged write survives a power cut.
                try db.execute(sql: "PRAGMA synchronous = \(durable ? "FULL" : "OFF")")
                try db.execute(sql: "PRAGMA wal_autocheckpoint = 4000")
            }
            try db.execute(sql: "PRAGMA cache_size = -8000")
            try db.execute(sql: "PRAGMA temp_store = MEMORY")
        }
        do {
            queue = try DatabaseQueue(path: path, configuration: configuration)
        } catch {
            throw Self.named(error)
        }
    }

    /// Runs `body` with the connection open: inside, `rows` and `execute` work.
    func use<Value>(_ body: () throws -> Value) throws -> Value {
        try queue.inDatabase { db in
            open = db
            defer { open = nil }
            return try body()
        }
    }

    func close() { try? queue.close() }

    private func database() throws -> GRDB.Database {
        guard let open else { throw SQLError.misuse("a connection used outside its transaction") }
        return open
    }

    func rows(_ sql: String, _ arguments: [SQLValue]) throws -> [Row] {
        do {
            let statement = try statement(sql, arguments)
            let columns = Row.Columns(statement.columnNames)
            var rows: [Row] = []
            let cursor = try GRDB.Row.fetchCursor(statement)
            while let row = try cursor.next() {
                rows.append(Row(columns: columns, values: row.databaseValues.map(Self.value)))
            }
            return rows
        } catch {
            throw Self.named(error, sql)
        }
    }

    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int {
        do {
            try statement(sql, arguments).execute()
            return try database().changesCount
        } catch {
            throw Self.named(error, sql)
        }
    }

    /// Several statements without arguments, as a migration has them.
    func script(_ sql: String) throws {
        do { try database().execute(sql: sql) } catch { throw Self.named(error, sql) }
    }

    private func statement(_ sql: String, _ arguments: [SQLValue]) throws -> Statement {
        let statement = try database().cachedStatement(sql: sql)
        try statement.setArguments(StatementArguments(arguments.map(Self.databaseValue)))
        return statement
    }

    private static func value(_ value: DatabaseValue) -> SQLValue {
        switch value.storage {
        case .null: .null
        case .int64(let value): .integer(value)
        case .double(let value): .real(value)
        case .string(let value): .text(value)
        case .blob(let data): .blob(Array(data))
        }
    }

    private static func databaseValue(_ value: SQLValue) -> DatabaseValue {
        switch value {
        case .null: .null
        case .integer(let value): value.databaseValue
        case .real(let value): value.databaseValue
        case .text(let value): value.withoutNUL.databaseValue
        case .blob(let bytes): bytes.withUnsafeBytes { Data($0) }.databaseValue
        }
    }

    private static func named(_ error: any Error, _ sql: String = "") -> any Error {
        guard let error = error as? DatabaseError else { return error }
        let text = "\(error.message ?? "") (\(error.extendedResultCode.rawValue)) \(sql)"
        switch error.extendedResultCode {
        case .SQLITE_CONSTRAINT_UNIQUE, .SQLITE_CONSTRAINT_PRIMARYKEY: return SQLError.uniqueViolation(constraint: text)
        case .SQLITE_CONSTRAINT_FOREIGNKEY: return SQLError.foreignKeyViolation(constraint: text)
        case .SQLITE_CONSTRAINT_CHECK, .SQLITE_CONSTRAINT_NOTNULL: return SQLError.checkViolation(constraint: text)
        default: break
        }
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED: return SQLError.unavailable(text)
        case .SQLITE_ERROR, .SQLITE_MISUSE, .SQLITE_RANGE, .SQLITE_MISMATCH, .SQLITE_READONLY: return SQLError.misuse(text)
        default: return SQLError.broken(text)
        }
    }
}

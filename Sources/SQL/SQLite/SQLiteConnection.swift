import CloudCore
import Foundation
import GRDB
import GRDBSQLite

/// A connection to a SQLite file, by GRDB.
final class SQLiteConnection: Connection {
    private let queue: DatabaseQueue
    /// Set while a closure runs on the connection.
    private var open: GRDB.Database?
    /// The columns of statements that were run here, by their text.
    private var columns: [String: Row.Columns] = [:]

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
            let columns = columns(of: statement, sql)
            var rows: [Row] = []
            let cursor = try GRDB.Row.fetchCursor(statement)
            while try cursor.next() != nil { rows.append(Row(columns: columns, values: Self.values(statement.sqliteStatement))) }
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
        // It may change tables.
        columns = [:]
        do { try database().execute(sql: sql) } catch { throw Self.named(error, sql) }
    }

    private func statement(_ sql: String, _ arguments: [SQLValue]) throws -> Statement {
        let statement = try database().cachedStatement(sql: sql)
        try statement.setArguments(StatementArguments(arguments.map(Self.databaseValue)))
        return statement
    }

    private static let mostKnownColumns = 512

    private func columns(of statement: Statement, _ sql: String) -> Row.Columns {
        if let known = columns[sql] { return known }
        let found = Row.Columns(statement.columnNames)
        if columns.count >= Self.mostKnownColumns { columns = [:] }
        columns[sql] = found
        return found
    }

    /// The row that the statement stands at. Read from SQLite itself: each value once, and with no value of GRDB's in between.
    private static func values(_ statement: OpaquePointer) -> [SQLValue] {
        let count = Int(sqlite3_column_count(statement))
        return [SQLValue](unsafeUninitializedCapacity: count) { values, filled in
            for at in 0..<count { values.initializeElement(at: at, to: value(statement, Int32(at))) }
            filled = count
        }
    }

    private static func value(_ statement: OpaquePointer, _ at: Int32) -> SQLValue {
        switch sqlite3_column_type(statement, at) {
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(statement, at))
        case SQLITE_FLOAT: return .real(sqlite3_column_double(statement, at))
        case SQLITE_TEXT:
            // The text first: asking for it may change how many bytes it has.
            let text = sqlite3_column_text(statement, at)
            let bytes = UnsafeBufferPointer(start: text, count: Int(sqlite3_column_bytes(statement, at)))
            return .text(String(decoding: bytes, as: UTF8.self))
        case SQLITE_BLOB:
            let bytes = sqlite3_column_blob(statement, at)
            return .blob(Array(UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(statement, at)))))
        default: return .null
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

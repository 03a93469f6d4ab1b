import CloudCore
internal import CSQLite
import Foundation

/// A connection to a SQLite file. It prepares each statement once and keeps it, because preparing costs more than
/// running.
final class SQLiteConnection: Connection {
    /// A prepared statement with the names of its columns.
    private final class Prepared {
        let handle: OpaquePointer
        let parameters: Int32
        /// The names of the columns, made when rows are first read: most statements that write return no rows.
        private(set) lazy var columns = Row.Columns(
            (0..<sqlite3_column_count(handle)).map { sqlite3_column_name(handle, $0).map { String(cString: $0) } ?? "" })

        init(_ handle: OpaquePointer) {
            self.handle = handle
            parameters = sqlite3_bind_parameter_count(handle)
        }

        /// Whether the statement has so few parameters that it is kept. Statements with lists of values differ by the
        /// length of the list: each would be kept once for each length, and takes memory for each value.
        var isKept: Bool { parameters <= 64 }
    }

    private static let mostPrepared = 256
    /// The use of a connection.
    enum Role {
        case writes, reads, readsLong

        /// The memory for pages of the database, in KiB. The system keeps the pages of the file as well, once for all
        /// connections. A long read goes through most pages once.
        fileprivate var pages: Int {
            switch self {
            case .writes: 4000
            case .reads: 2000
            case .readsLong: 500
            }
        }
    }

    private static let busySeconds: Int32 = 10
    /// The instructions of SQLite's virtual machine between two looks of the vigil; they take some 50 µs.
    static let stride: Int32 = 2000
    /// The mark by which SQLite copies a value before the call returns.
    private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    private let database: OpaquePointer
    private var prepared: [String: Prepared] = [:]
    let vigil = Vigil()
    private(set) var steps = 0

    /// Opens a connection.
    ///
    /// - Parameters:
    ///   - role: what the connection is for. One that reads sees the last commit and can change nothing.
    ///   - durable: whether each commit of a writer is synced to the disk.
    init(path: String, _ role: Role, durable: Bool) throws {
        let isReader = role != .writes
        var opened: OpaquePointer?
        // Only one thread at a time uses a connection, so SQLite needs no locks of its own.
        let flags = SQLITE_OPEN_NOMUTEX | (isReader ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
        let code = sqlite3_open_v2(path, &opened, flags, nil)
        guard code == SQLITE_OK, let opened else {
            // A failure also returns a handle, which has the error's text.
            defer { sqlite3_close_v2(opened) }
            throw Self.error(code, opened, "open \(path)")
        }
        database = opened
        do {
            sqlite3_extended_result_codes(database, 1)
            sqlite3_busy_timeout(database, Self.busySeconds * 1000)
            guard csqlite_refuse_quoted_texts(database) == SQLITE_OK else { throw failure("configure") }
            if !isReader {
                try script("PRAGMA journal_mode = WAL")
                // FULL syncs the write-ahead log at each commit, so an acknowledged write survives a power cut.
                try script("PRAGMA synchronous = \(durable ? "FULL" : "OFF")")
                try script("PRAGMA wal_autocheckpoint = 4000")
            }
            watch()
            try script("PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY")
            try script("PRAGMA cache_size = -\(role.pages)")
        } catch {
            sqlite3_close_v2(database)
            throw error
        }
    }

    /// Lets SQLite ask the vigil, while a statement runs, whether it must stop.
    private func watch() {
        let itself = Unmanaged.passUnretained(vigil).toOpaque()
        sqlite3_progress_handler(
            database, Self.stride,
            { itself in
                guard let itself else { return 0 }
                return Unmanaged<Vigil>.fromOpaque(itself).takeUnretainedValue().mustStop() ? 1 : 0
            }, itself)
    }

    /// Whether no transaction is open, because SQLite has rolled it back by itself or because none was begun.
    var isIdle: Bool { sqlite3_get_autocommit(database) != 0 }

    /// Frees the pages that are only kept to be read again, and the statements.
    func releaseMemory() {
        forget()
        sqlite3_db_release_memory(database)
    }

    func close() {
        forget()
        sqlite3_close_v2(database)
    }

    // MARK: - Statements

    func rows(_ sql: String, _ arguments: [SQLValue]) throws -> [Row] {
        let statement = try statement(sql, arguments)
        // A statement that is not reset holds its transaction open.
        defer { end(statement) }
        var rows: [Row] = []
        while try step(statement, sql) {
            try vigil.countRow()
            rows.append(Row(columns: statement.columns, values: Self.values(statement.handle)))
        }
        return rows
    }

    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int {
        let statement = try statement(sql, arguments)
        defer { end(statement) }
        while try step(statement, sql) {}
        return Int(sqlite3_changes(database))
    }

    /// Runs several statements without arguments, as migrations need.
    func script(_ sql: String) throws {
        // The script may change tables, and so the columns of prepared statements.
        forget()
        guard sqlite3_exec(database, sql, nil, nil, nil) == SQLITE_OK else { throw failure(sql) }
    }

    private func forget() {
        for statement in prepared.values { sqlite3_finalize(statement.handle) }
        prepared = [:]
    }

    /// Ends a statement and counts its steps. A statement that is not reset holds its transaction open, and one whose
    /// values are not cleared keeps a copy of them.
    private func end(_ statement: Prepared) {
        steps += Int(sqlite3_stmt_status(statement.handle, SQLITE_STMTSTATUS_VM_STEP, 1))
        guard statement.isKept else {
            sqlite3_finalize(statement.handle)
            return
        }
        sqlite3_reset(statement.handle)
        sqlite3_clear_bindings(statement.handle)
    }

    /// Runs a statement to its next row. Returns whether there is a row to read.
    private func step(_ statement: Prepared, _ sql: String) throws -> Bool {
        switch sqlite3_step(statement.handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw failure(sql)
        }
    }

    private func statement(_ sql: String, _ arguments: [SQLValue]) throws -> Prepared {
        let statement = try prepared[sql] ?? prepare(sql)
        guard Int(statement.parameters) == arguments.count else {
            defer { end(statement) }
            throw SQLError.misuse("\(arguments.count) arguments for \(statement.parameters): \(SQLError.brief(sql))")
        }
        for (at, argument) in arguments.enumerated() {
            guard Self.bind(argument, to: Int32(at + 1), of: statement.handle) == SQLITE_OK else {
                defer { end(statement) }
                throw failure(sql)
            }
        }
        return statement
    }

    private func prepare(_ sql: String) throws -> Prepared {
        if prepared.count >= Self.mostPrepared { forget() }
        var handle: OpaquePointer?
        let length = try sql.withCString { text in
            var rest: UnsafePointer<CChar>?
            guard sqlite3_prepare_v3(database, text, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, &rest) == SQLITE_OK else { throw failure(sql) }
            return rest.map { $0 - text } ?? 0
        }
        guard let handle else { throw SQLError.misuse("no statement: \(SQLError.brief(sql))") }
        guard sql.utf8.dropFirst(length).allSatisfy({ " \n\t".utf8.contains($0) }) else {
            sqlite3_finalize(handle)
            throw SQLError.misuse("more than one statement: \(SQLError.brief(sql))")
        }
        let statement = Prepared(handle)
        if statement.isKept { prepared[sql] = statement }
        return statement
    }

    // MARK: - Values

    private static func bind(_ value: SQLValue, to position: Int32, of statement: OpaquePointer) -> Int32 {
        switch value {
        case .null: return sqlite3_bind_null(statement, position)
        case .integer(let value): return sqlite3_bind_int64(statement, position, value)
        case .real(let value): return sqlite3_bind_double(statement, position, value)
        case .text(let value): return sqlite3_bind_text(statement, position, value.withoutNUL, -1, transient)
        case .blob(let bytes):
            if bytes.isEmpty { return sqlite3_bind_zeroblob(statement, position, 0) }
            return bytes.withUnsafeBytes { sqlite3_bind_blob64(statement, position, $0.baseAddress, UInt64($0.count), transient) }
        }
    }

    /// Returns the row that the statement stands at.
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
            // The text is read first, because reading it may change its number of bytes.
            let text = sqlite3_column_text(statement, at)
            let bytes = UnsafeBufferPointer(start: text, count: Int(sqlite3_column_bytes(statement, at)))
            return .text(String(decoding: bytes, as: UTF8.self))
        case SQLITE_BLOB:
            let bytes = sqlite3_column_blob(statement, at)
            return .blob(Array(UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(statement, at)))))
        default: return .null
        }
    }

    // MARK: - Errors

    /// Returns the error of the last call on this connection.
    private func failure(_ sql: String) -> SQLError { Self.error(sqlite3_extended_errcode(database), database, sql) }

    private static func error(_ code: Int32, _ database: OpaquePointer?, _ sql: String) -> SQLError {
        let text = "\(database.flatMap { sqlite3_errmsg($0) }.map { String(cString: $0) } ?? "") (\(code)) \(SQLError.brief(sql))"
        // Extended codes are macros that Swift does not see (sqlite3.h): a primary code, and a number in the bits above
        // it.
        switch (code & 0xff, code >> 8) {
        case (SQLITE_CONSTRAINT, 6), (SQLITE_CONSTRAINT, 8): return .uniqueViolation(constraint: text)  // PRIMARYKEY, UNIQUE
        case (SQLITE_CONSTRAINT, 3): return .foreignKeyViolation(constraint: text)
        case (SQLITE_CONSTRAINT, 1), (SQLITE_CONSTRAINT, 5): return .checkViolation(constraint: text)  // CHECK, NOTNULL
        case (SQLITE_INTERRUPT, _): return .interrupted(text)
        case (SQLITE_BUSY, _), (SQLITE_LOCKED, _): return .unavailable(text)
        case (SQLITE_ERROR, _), (SQLITE_MISUSE, _), (SQLITE_RANGE, _), (SQLITE_MISMATCH, _), (SQLITE_READONLY, _): return .misuse(text)
        case (SQLITE_FULL, _): return .full(text)
        // The files beside the database, such as the write-ahead log, cannot grow either.
        case (SQLITE_IOERR, _) where database.map { sqlite3_system_errno($0) } == ENOSPC: return .full(text)
        default: return .broken(text)
        }
    }
}

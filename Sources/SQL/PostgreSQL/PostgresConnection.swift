internal import CLibPQ
import CloudCore

/// A connection to PostgreSQL by libpq. It is opened at its first use, and again after it was lost.
final class PostgresConnection: Connection {
    private let parameters: String
    private var handle: OpaquePointer?
    /// The names of the statements that this session has prepared, by their text.
    private var prepared: [String: String] = [:]
    let vigil = Vigil()
    /// The budget of the running transaction.
    private var budget: Budget?
    private let stopper = PostgresStopper()
    /// PostgreSQL tells no session how much work its statements were.
    let steps = 0

    /// The most prepared statements of a session; at this number all of them are dropped.
    private static let mostPrepared = 500
    /// The time of a statement that no request waits for: one that hangs must not hold its thread for ever.
    private static let statementLimit = Duration.seconds(30)

    init(parameters: String) { self.parameters = parameters }

    deinit { reset() }

    func rows(_ sql: String, _ arguments: [SQLValue]) throws -> [Row] {
        let result = try run(sql, arguments)
        defer { PQclear(result) }
        let width = PQnfields(result)
        let columns = Row.Columns((0..<width).map { String(cString: PQfname(result, $0)) })
        let types = (0..<width).map { PQftype(result, $0) }
        return try (0..<PQntuples(result)).map { row in
            Row(columns: columns, values: try (0..<width).map { try Self.value(result, row, $0, types[Int($0)]) })
        }
    }

    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int {
        let result = try run(sql, arguments)
        defer { PQclear(result) }
        return Int(String(cString: PQcmdTuples(result))) ?? 0
    }

    /// Runs several statements in one text, without arguments and unprepared.
    func script(_ sql: String) throws {
        let result = PQexec(try open(), sql)
        defer { PQclear(result) }
        try check(result, sql)
    }

    /// Closes the session, so that the next use opens a new one; for a session whose state is unknown.
    func reset() {
        stopper.attach(to: nil)
        PQfinish(handle)
        handle = nil
        prepared = [:]
    }

    func close() { reset() }

    /// Rolls the transaction back. The session stays usable; if the rollback fails, the next use opens a new one.
    func rollBack() {
        // A session that was lost has taken its transaction with it.
        guard handle != nil else { return }
        if (try? execute("ROLLBACK", [])) == nil { reset() }
    }

    // MARK: Stopping

    /// Runs transactions for a request. The statement that runs is stopped when the client leaves.
    func watching<Value>(_ budget: Budget?, _ body: () throws -> Value) throws -> Value {
        guard let budget else { return try body() }
        vigil.begin(budget)
        self.budget = budget
        let (result, isSent) = stopper.watching(budget, body)
        vigil.end()
        self.budget = nil
        if isSent { reset() }
        do {
            return try result.get()
        } catch SQLError.unavailable(let text) where budget.isOver {
            throw SQLError.interrupted(text)
        }
    }

    /// Begins a transaction. Its statements have no more time than its request.
    func begin(_ sql: String) throws {
        try vigil.check()
        guard let remaining = budget?.remaining, remaining < Self.statementLimit else {
            _ = try execute(sql, [])
            return
        }
        try script("\(sql); SET LOCAL statement_timeout = \(max(1, remaining.wholeMicroseconds / 1000))")
    }

    // MARK: The session

    private func open() throws -> OpaquePointer {
        if let handle {
            if PQstatus(handle) == CONNECTION_OK { return handle }
            reset()
        }
        let fresh = PQconnectdb(parameters)
        guard let fresh, PQstatus(fresh) == CONNECTION_OK else {
            let reason = fresh.map { String(cString: PQerrorMessage($0)) } ?? "out of memory"
            PQfinish(fresh)
            throw SQLError.unavailable(reason)
        }
        handle = fresh
        stopper.attach(to: fresh)
        let settings = PQexec(
            fresh,
            """
            SET statement_timeout = \(Self.statementLimit.wholeMicroseconds / 1000);
            SET lock_timeout = '10s'; SET bytea_output = 'hex'; SET client_min_messages = 'error'
            """)
        defer { PQclear(settings) }
        try check(settings, "SET")
        return fresh
    }

    private func run(_ sql: String, _ arguments: [SQLValue]) throws -> OpaquePointer? {
        let handle = try open()
        let name = try statement(sql, handle)
        let texts: [[CChar]?] = arguments.map(Self.text)
        let result = Self.withPointers(texts) { pointers in
            PQexecPrepared(handle, name, CInt(arguments.count), pointers, nil, nil, 0)
        }
        do {
            try check(result, sql)
            return result
        } catch {
            PQclear(result)
            throw error
        }
    }

    private func statement(_ sql: String, _ handle: OpaquePointer) throws -> String {
        if let name = prepared[sql] { return name }
        if prepared.count >= Self.mostPrepared {
            try script("DEALLOCATE ALL")
            prepared = [:]
        }
        let name = "s\(prepared.count)"
        let result = PQprepare(handle, name, Self.numbered(sql), 0, nil)
        defer { PQclear(result) }
        try check(result, sql)
        prepared[sql] = name
        return name
    }

    private func check(_ result: OpaquePointer?, _ sql: String) throws {
        let status = PQresultStatus(result)
        if status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK { return }
        guard let result, let code = PQresultErrorField(result, CInt(UInt8(ascii: "C"))) else {
            let reason = handle.map { String(cString: PQerrorMessage($0)) } ?? "no connection"
            reset()
            throw SQLError.unavailable(reason)
        }
        let state = String(cString: code)
        let message = "\(String(cString: PQresultErrorMessage(result)))\(SQLError.brief(sql))"
        let constraint = PQresultErrorField(result, CInt(UInt8(ascii: "n"))).map { String(cString: $0) } ?? message
        switch state {
        case "23505": throw SQLError.uniqueViolation(constraint: constraint)
        case "23503": throw SQLError.foreignKeyViolation(constraint: constraint)
        case "23514", "23502": throw SQLError.checkViolation(constraint: constraint)
        // 53200: there is no room for another of the locks that SERIALIZABLE takes. The session is intact, and there is
        // room when other transactions have ended.
        case "40001", "40P01", "53200": throw SQLError.serializationFailure(message)
        case "53100": throw SQLError.full(message)
        case "57014", "55P03": throw SQLError.unavailable(message)
        // 08P01: libpq sent something else than the statement takes, such as another number of arguments. The session
        // is intact.
        case "08P01": throw SQLError.misuse(message)
        case let state where state.hasPrefix("08") || state.hasPrefix("57P") || state.hasPrefix("53"):
            reset()
            throw SQLError.unavailable(message)
        case let state where ["22", "25", "42"].contains(state.prefix(2)): throw SQLError.misuse(message)
        default: throw SQLError.broken(message)
        }
    }

    // MARK: Values

    /// Replaces each `?` of a statement by its number: `$1`, `$2`. A `?` in quotes or in a comment stays as it is, as
    /// in SQLite.
    private static func numbered(_ sql: String) -> String {
        var out: [UInt8] = []
        var number = 0
        var rest = Array(sql.utf8)[...]
        func take(through end: String, from start: Int) {
            let found = rest.dropFirst(start).firstRange(of: end.utf8)?.upperBound ?? rest.endIndex
            out += rest[..<found]
            rest = rest[found...]
        }
        while let byte = rest.first {
            switch byte {
            // A doubled quote ends one text and begins the next, so it needs no case of its own.
            case UInt8(ascii: "'"): take(through: "'", from: 1)
            case UInt8(ascii: "\""): take(through: "\"", from: 1)
            case UInt8(ascii: "-") where rest.starts(with: "--".utf8): take(through: "\n", from: 2)
            case UInt8(ascii: "/") where rest.starts(with: "/*".utf8): take(through: "*/", from: 2)
            case UInt8(ascii: "?"):
                number += 1
                out += "$\(number)".utf8
                rest = rest.dropFirst()
            default:
                out.append(byte)
                rest = rest.dropFirst()
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func text(_ value: SQLValue) -> [CChar]? {
        switch value {
        case .null: nil
        case .integer(let value): Array(String(value).utf8CString)
        case .real(let value): Array(value.description.utf8CString)
        case .text(let value): Array(value.withoutNUL.utf8CString)
        case .blob(let bytes): Array(("\\x" + Hex.text(bytes)).utf8CString)
        }
    }

    private static func withPointers<Value>(
        _ texts: [[CChar]?], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Value
    ) -> Value {
        var lengths: [Int?] = []
        var all: [CChar] = []
        for text in texts {
            lengths.append(text.map { _ in all.count })
            if let text { all += text }
        }
        return all.withUnsafeBufferPointer { storage in
            let pointers = lengths.map { offset in offset.flatMap { at in storage.baseAddress.map { $0 + at } } }
            return (pointers + [nil]).withUnsafeBufferPointer { buffer in
                // The buffer holds at least the closing nil.
                body(buffer.baseAddress!)  // tidy: allow force-unwrap, the buffer is never empty
            }
        }
    }

    private static func value(_ result: OpaquePointer?, _ row: CInt, _ column: CInt, _ type: Oid) throws -> SQLValue {
        if PQgetisnull(result, row, column) == 1 { return .null }
        guard let start = PQgetvalue(result, row, column) else { return .null }
        let length = Int(PQgetlength(result, row, column))
        let text = start.withMemoryRebound(to: UInt8.self, capacity: length) {
            String(decoding: UnsafeBufferPointer(start: $0, count: length), as: UTF8.self)
        }
        switch type {
        case 20, 21, 23: return .integer(Int64(text) ?? 0)  // int8, int2, int4
        case 1700: return Int64(text).map(SQLValue.integer) ?? .real(Double(text) ?? 0)  // numeric: sums of int8
        case 700, 701: return .real(Double(text) ?? 0)
        case 16: return .integer(text == "t" ? 1 : 0)
        case 17:
            guard let bytes = Hex.bytes(text.dropFirst(2)) else { throw SQLError.misuse("bytea in an unknown form") }
            return .blob(bytes)
        default: return .text(text)
        }
    }
}

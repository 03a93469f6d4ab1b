import CloudCore
import Foundation

/// Copies of SQLite databases that are in use.
package enum SQLiteCopy {
    /// Writes a copy of a database as it is at one moment. Whoever writes to it goes on meanwhile, also in another
    /// process: in WAL mode a reader holds up no writer.
    ///
    /// It blocks the calling thread.
    ///
    /// - Parameter copy: the path of a file that must not exist.
    package static func write(of path: String, to copy: String) throws {
        let connection = try SQLiteConnection(path: path, isReader: true, durable: true)
        defer { connection.close() }
        try connection.script("VACUUM INTO '\(copy.replacing("'", with: "''"))'")
    }

    /// Reads all of a database.
    ///
    /// It blocks the calling thread.
    ///
    /// - Throws: `SQLError` that names the first damage.
    package static func check(_ path: String) throws {
        let connection = try SQLiteConnection(path: path, isReader: true, durable: true)
        defer { connection.close() }
        let verdict: String? = try connection.rows("PRAGMA quick_check(1)", []).first?.value(at: 0)
        guard verdict == "ok" else { throw SQLError.broken("\(path) is damaged: \(verdict ?? "it cannot be read")") }
    }
}

import CloudCore
import Foundation

/// Copies of SQLite databases that are in use.
package enum SQLiteCopy {
    /// Writes a copy of a database as it is at one moment. Writers, also those of other processes, go on meanwhile: in
    /// WAL mode a reader holds up no writer.
    ///
    /// The call blocks its thread.
    ///
    /// - Parameter copy: the path of the copy; no file may exist there.
    package static func write(of path: String, to copy: String) throws {
        let connection = try SQLiteConnection(path: path, .reads, durable: true)
        defer { connection.close() }
        try connection.script("VACUUM INTO '\(copy.replacing("'", with: "''"))'")
    }

    /// Reads the whole database and checks it for damage.
    ///
    /// The call blocks its thread.
    ///
    /// - Throws: `SQLError` that names the first damage.
    package static func check(_ path: String) throws {
        let connection = try SQLiteConnection(path: path, .reads, durable: true)
        defer { connection.close() }
        let verdict: String? = try connection.rows("PRAGMA quick_check(1)", []).first?.value(at: 0)
        guard verdict == "ok" else { throw SQLError.broken("\(path) is damaged: \(verdict ?? "it cannot be read")") }
    }
}

import Foundation
import SQL

/// PostgreSQL's own programs, `pg_dump` and `pg_restore`.
struct PostgresPrograms: Sendable {
    private let variables: [String: String]

    /// - Parameter connection: the connection string of the configuration.
    init(_ connection: String) throws { variables = try PostgresAddress.environment(connection) }

    /// Writes a dump of a database to a file. The dump shows a snapshot that another session has exported.
    func dump(snapshot: String, to path: String) throws {
        try run("pg_dump", ["--format=custom", "--no-owner", "--no-privileges", "--snapshot=\(snapshot)", "--file=\(path)"])
    }

    /// Restores a dump into the database in one transaction.
    func restore(_ path: String) throws {
        let name = variables["PGDATABASE"] ?? variables["PGUSER"] ?? "postgres"
        try run("pg_restore", ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", "--dbname=\(name)", path])
    }

    private func run(_ program: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(variables) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        let complaints = Pipe()
        process.standardError = complaints
        do { try process.run() } catch { throw StartError("\(program) cannot be started: \(error).") }
        let text = String(decoding: complaints.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        if process.terminationStatus == 127 {
            throw StartError("\(program) is not there, and a backup of a PostgreSQL needs it: apt-get install postgresql-client.")
        }
        guard process.terminationStatus == 0 else {
            throw StartError("\(program) failed: \(text.trimmingCharacters(in: .whitespacesAndNewlines).replacing("\n", with: " "))")
        }
    }
}

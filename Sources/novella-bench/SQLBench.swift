import ArgumentParser
import CloudCore
import Foundation
import SQL

/// Measures commits of one row, and reads of one row by its key: the least that every request costs.
struct SQLBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sql", abstract: "Commits and reads a second, on SQLite and PostgreSQL.",
        discussion: "SQLite's file is made in the folder and removed; on PostgreSQL a table 'bench_row' is made and dropped.")

    @Option(help: "A libpq connection string. Without one, SQLite alone is measured.")
    var postgres: String?

    @Option(help: "Where SQLite's file is made. It should be on the disk that is to be measured.")
    var folder = FileManager.default.temporaryDirectory.path

    @Option(help: "Seconds that each figure is measured for.")
    var seconds = 5

    func run() async throws {
        row("Database", "Callers", "Commits/s", "median ms", "99 % ms", "Reads/s", "median ms", "99 % ms")
        row("---", "--:", "--:", "--:", "--:", "--:", "--:", "--:")
        let file = URL(filePath: folder).appending(path: "novella-bench-\(World.real.random.hexID())")
        try FileManager.default.createDirectory(at: file, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: file) }
        try await measure("SQLite", try .sqlite(path: file.appending(path: "bench.db").path))
        if let postgres { try await measure("PostgreSQL", try .postgreSQL(postgres)) }
    }

    private func measure(_ name: String, _ database: Database) async throws {
        for callers in [1, 16] {
            try await database.write { tx in
                try tx.script("CREATE TABLE bench_row (id TEXT PRIMARY KEY, name TEXT NOT NULL, size INTEGER NOT NULL)")
            }
            let commits = try await Measure.rate(callers: callers, for: .seconds(seconds)) { caller, turn in
                _ = try await database.write { tx in
                    try tx.execute("INSERT INTO bench_row (id, name, size) VALUES (?, ?, ?)", "\(caller)-\(turn)", "a name", turn)
                }
            }
            let reads = try await Measure.rate(callers: callers, for: .seconds(seconds)) { caller, turn in
                _ = try await database.read { tx in
                    try tx.row("SELECT id, name, size FROM bench_row WHERE id = ?", "\(caller)-\(turn % 100)")
                }
            }
            try await database.write { tx in try tx.script("DROP TABLE bench_row") }
            row(
                name, "\(callers)", "\(commits.perSecond)", commits.milliseconds(below: 0.5), commits.milliseconds(below: 0.99),
                "\(reads.perSecond)", reads.milliseconds(below: 0.5), reads.milliseconds(below: 0.99))
        }
        await database.close()
    }
}

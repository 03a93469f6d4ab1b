import ArgumentParser
import CloudCore
import Foundation
import Placement
import SQL

/// Measures Placement's index over many providers: loading, memory, searches, claims, and following commits of other
/// processes.
struct PlacementBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "placement", abstract: "Searches and claims over many providers.",
        discussion: """
            Makes providers: four of five are flat hosts, the others stand in trees of a host with two NUMA nodes. Nine of ten hosts \
            are full. SQLite's file is made in the folder and removed; PostgreSQL's database must be empty, and what is made in it stays.
            """)

    @Option(help: "How many providers.")
    var providers = 10_000

    @Option(help: "An empty database to use instead of SQLite, as a libpq connection string.")
    var postgres: String?

    @Option(help: "Where SQLite's file is made. It should be on the disk that is to be measured.")
    var folder = FileManager.default.temporaryDirectory.path

    @Option(help: "Seconds that each rate is measured for.")
    var seconds = 5

    /// The path of the database that the process fills before it ends. Filling has its own process, because the heap
    /// that it leaves behind would be counted as the index.
    @Option(help: .hidden)
    var fill: String?

    func run() async throws {
        if let fill { return try await BenchProviders(count: providers).fill(try open(fill)) }
        let file = URL(filePath: folder).appending(path: "novella-bench-\(World.real.random.hexID())")
        try FileManager.default.createDirectory(at: file, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: file) }
        let path = file.appending(path: "bench.db").path
        let filler = Process()
        filler.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        filler.arguments = ["placement", "--providers", "\(providers)", "--fill", path] + (postgres.map { ["--postgres", $0] } ?? [])
        try filler.run()
        filler.waitUntilExit()
        guard filler.terminationStatus == 0 else { throw ExitCode.failure }
        try await measure(try open(path))
    }

    private func open(_ path: String) throws -> Database {
        if let postgres { try .postgreSQL(postgres) } else { try .sqlite(path: path) }
    }

    private func measure(_ database: Database) async throws {
        let placement = try PlacementAssembly(database: database, world: .real, policyOverrides: [:])
        // This read opens connections and fills their caches, which are not part of the index.
        _ = try await database.read { tx in try tx.value("SELECT count(*) FROM placement_inventory") as Int? }
        let before = try Self.residentKilobytes()
        let loading = try await Measure.each(1) { try await placement.prepare() }
        let after = try Self.residentKilobytes()
        row("\(providers) providers, \(postgres == nil ? "SQLite" : "PostgreSQL")", "10 % ms", "median ms", "99 % ms", "found or per second")
        row("---", "--:", "--:", "--:", "--:")
        row("load the index", "", loading.milliseconds(below: 0.5), "", "")
        row("resident memory of it", "", "", "", "\((after - before) / 1024) MB, \((after - before) * 1024 / providers) bytes a provider")
        for query in BenchQuery.all {
            var found = 0
            let measured = try await Measure.each(query.request.limit == nil ? 10 : 200) {
                found = try await placement.candidates(query.request).count
            }
            row(query.name, measured.milliseconds(below: 0.1), measured.milliseconds(below: 0.5), measured.milliseconds(below: 0.99), "\(found)")
        }
        let hosts = BenchProviders(count: providers)
        let following = try await Measure.each(500) { turn in
            try await database.write { tx in _ = try placement.claim(hosts.smallClaim("follow-\(turn)", turn), in: tx) }
        } _: {
            try await placement.prepare()
        }
        row("follow one commit", following.milliseconds(below: 0.1), following.milliseconds(below: 0.5), following.milliseconds(below: 0.99), "")
        for callers in [1, 16] {
            let claims = try await Measure.rate(callers: callers, for: .seconds(seconds)) { caller, turn in
                try await database.write { tx in
                    _ = try placement.claim(hosts.smallClaim("\(callers)-\(caller)-\(turn)", caller * 7919 + turn * 31), in: tx)
                }
            }
            row(
                "claim, \(callers) callers", claims.milliseconds(below: 0.1), claims.milliseconds(below: 0.5),
                claims.milliseconds(below: 0.99), "\(claims.perSecond)")
        }
        await database.close()
    }

    private static func residentKilobytes() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0
    }
}

import ArgumentParser
import CloudCore
import Foundation
import SQL

/// Measures a whole cloud of a given size from outside: start, requests, lists, memory, end.
struct CloudBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cloud", abstract: "Start a simulated cloud, fill it, and measure requests, lists, start and end.",
        discussion: """
            Two projects, their networks and one server of each are made through the API. The other servers are \
            copies of the rows of these two, made while the cloud does not run; the simulated hosts do not have their \
            machines. \
            PostgreSQL's database must be empty, and what is made in it stays.
            """)

    @Option(help: "The program to measure.")
    var binary = ".build/release/novella"

    @Option(help: "How many simulated hosts.")
    var hosts = 10

    @Option(help: "How many servers.")
    var servers = 100

    @Option(help: "How often each request is measured.")
    var rounds = 50

    @Option(help: "An empty database to use instead of SQLite, as a libpq connection string.")
    var postgres: String?

    @Option(help: "Where the state directory is made. It should be on the disk that is to be measured.")
    var folder = FileManager.default.temporaryDirectory.path

    @Flag(help: "Leave the state directory.")
    var keep = false

    func run() async throws {
        let place = URL(filePath: folder).appending(path: "novella-bench-\(World.real.random.hexID())")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        defer { if !keep { try? FileManager.default.removeItem(at: place) } }
        let cloud = CloudUnderTest(binary: binary, folder: place.path, hosts: hosts, postgres: postgres)
        defer { _ = cloud.end(by: SIGKILL) }
        row(
            "\(hosts) hosts, \(servers) servers, \(postgres == nil ? "SQLite" : "PostgreSQL")", "median ms", "99 % ms",
            "found")
        row("---", "--:", "--:", "--:")
        show("first start to ready", try cloud.start())
        let few = min(1000, servers / 10)
        let fixtures = try CloudFixtures(on: cloud, servers: servers, few: few)
        _ = cloud.end(by: SIGTERM)
        let database: Database =
            if let postgres { try .postgreSQL(postgres) } else { try .sqlite(path: cloud.database) }
        let filling = try await ContinuousClock().measure {
            try await CloudFill(database, fixtures, hosts: hosts, servers: servers).run(
                all: servers - few - 1, few: few - 1)
        }
        await database.close()
        show("fill by copied rows", filling)
        show("start to ready", try cloud.start())
        try measure(cloud, fixtures)
    }

    private func measure(_ cloud: CloudUnderTest, _ fixtures: CloudFixtures) throws {
        row("resident when ready", "", "", "\(cloud.residentMiB) MiB")
        let work = try CloudWork(cloud, fixtures, rounds: rounds)
        try work.run()
        for figure in work.figures {
            let measure = Measure(figure.durations)
            row(figure.name, measure.milliseconds(below: 0.5), measure.milliseconds(below: 0.99), figure.found)
        }
        row("resident after that", "", "", "\(cloud.residentMiB) MiB")
        let before = cloud.processorTime
        sleep(UInt32(Self.rest))  // tidy: allow sleep, the cloud at rest is measured
        let used = (cloud.processorTime - before) / .seconds(1) / Double(Self.rest)
        row("processors at rest, of one", "", "", "\((used * 100).rounded() / 100)")
        show("SIGTERM to the end", cloud.end(by: SIGTERM))
        show("start to ready", try cloud.start())
        // A server that was acknowledged is there after the process was killed at once.
        let id = try CloudWork(cloud, fixtures, rounds: 1).leave()
        _ = cloud.end(by: SIGKILL)
        show("start to ready after kill -9", try cloud.start())
        guard try CloudWork(cloud, fixtures, rounds: 1).isThere(id) else { throw BenchError("server \(id) is lost") }
    }

    /// The seconds for which the cloud is watched at rest.
    private static let rest = 60

    private func show(_ name: String, _ duration: Duration) {
        row(name, Measure([duration]).milliseconds(below: 0.5), "", "")
    }
}

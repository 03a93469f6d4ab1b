import CloudCore
import Foundation
#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif
import Logging
import SQL
import TestSupport
import Testing

@testable import ControlPlane

@Suite struct CloudProcessTests {
    private static let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private var configuration: Configuration {
        var configuration = Configuration()
        configuration.server.listen = "127.0.0.1:0"
        configuration.libvirt.virtType = "none"
        return configuration
    }

    /// Starts a cloud on a free port, runs `body` once it serves, and stops it as a signal does.
    private func withProcess(_ path: String, _ body: @escaping @Sendable (CloudProcess) async throws -> Void) async throws {
        let (ready, isReady) = AsyncStream<String>.makeStream()
        let process = try await CloudProcess.start(
            configuration, directory: StateDirectory(path: path), world: .real, log: Self.log, isAlone: false
        ) { url in
            isReady.yield(url)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await process.run() }
            group.addTask {
                for await url in ready {
                    #expect(url == process.url)
                    break
                }
                do {
                    try await body(process)
                } catch {
                    await process.stop()
                    throw error
                }
                await process.stop()
            }
            try await group.waitForAll()
        }
    }

    private func get(_ url: String) async throws -> (status: Int, text: String) {
        let (data, response) = try await URLSession.shared.data(from: #require(URL(string: url)))
        return ((response as? HTTPURLResponse)?.statusCode ?? 0, String(decoding: data, as: UTF8.self))
    }

    @Test func aProcessServesStopsOnRequestAndFindsItsStateAgain() async throws {
        try await withTemporaryDirectory { path in
            try await withProcess(path) { process in
                let health = try await get(process.url + "/healthz")
                #expect(health.status == 200)
                #expect(health.text == #"{"status":"ok","database":"ok","images":"ok","version":"\#(Version.current)"}"#)
                let metrics = try await get(process.url + "/metrics").text
                for name in ["process_resident_memory_bytes ", "process_open_fds ", "novella_uptime_seconds ", "novella_schema_steps "] {
                    #expect(metrics.contains("\n\(name)"), "\(name)")
                }
                #expect(try await get(process.url + "/v3").status == 200)
            }
            let directory = StateDirectory(path: path)
            let first = try ClientFiles.passwords(in: try #require(try Files.text(directory.clouds)), "")
            #expect(first.admin != nil)
            #expect(try Files.text(directory.accessLog)?.contains("GET /healthz 200") == true, "the last lines are not lost")
            try await withProcess(path) { process in
                let text = try #require(try Files.text(directory.clouds))
                #expect(text.contains(process.url))
                #expect(try ClientFiles.passwords(in: text, "") == first)
            }
        }
    }

    @Test func aSecondStartOnTheSameStateIsRefusedWhileTheFirstServes() async throws {
        try await withTemporaryDirectory { path in
            try await withProcess(path) { process in
                await #expect(throws: StartError.self) {
                    _ = try await CloudProcess.start(
                        configuration, directory: process.directory, world: .real, log: Self.log, isAlone: false) { _ in }
                }
                let health = try await get(process.url + "/healthz")
                #expect(health.status == 200)
            }
        }
    }

    @Test func anAddressInUseEndsTheStartBeforeAnythingIsMade() async throws {
        try await withTemporaryDirectory { path in
            try await withProcess(path + "/a") { process in
                var taken = Configuration()
                taken.server.listen = String(process.url.dropFirst("http://".count))
                let other = StateDirectory(path: path + "/b")
                let error = await #expect(throws: StartError.self) {
                    _ = try await CloudProcess.start(
                        taken, directory: other, world: .real, log: Self.log, isAlone: false) { _ in }
                }
                #expect(error?.description.contains("Address already in use") == true)
                #expect(!Files.exists(other.database))
            }
        }
    }

    @Test("The doctor finds a difference between kept and counted usage, and a recount mends it")
    func usageIsCounted() async throws {
        try await withTemporaryDirectory { path in
            let directory = StateDirectory(path: path + "/state")
            func verdict() async -> String {
                let finding = await UsageCheck.run(Configuration(), directory)
                return "\(finding.verdict.rawValue): \(finding.text)"
            }
            #expect(await verdict() == "ok: there is no database yet")
            #expect(!Files.exists(directory.path), "looking changes nothing")
            _ = try await SchemaSteps.run(Configuration(), directory: directory, isDry: false, log: Self.log)
            #expect(await verdict() == "ok: as many as there are rows")
            let database = try CloudProcess.openDatabase(Configuration(), directory)
            try await database.write { tx in
                try tx.execute(
                    "INSERT INTO networking_usage (project_id, user_id, resource, used) VALUES ('p', '', 'port', 2)")
            }
            await database.close()
            let found = "1 kept otherwise than counted, such as networking_usage: port of project p, kept 2, counted 0."
            #expect(await verdict() == "lacking: \(found) Stop the cloud and start `novella migrate --recount`.")
            #expect(
                try await SchemaSteps.recount(Configuration(), directory: directory) == [
                    "image_usage", "networking_usage", "compute_usage", "volume_usage",
                ])
            #expect(await verdict() == "ok: as many as there are rows")
        }
    }

    @Test func migrationsAreListedInAdvanceAndAppliedOnce() async throws {
        try await withTemporaryDirectory { path in
            let directory = StateDirectory(path: path + "/state")
            func steps(isDry: Bool) async throws -> [String] {
                try await SchemaSteps.run(Configuration(), directory: directory, isDry: isDry, log: Self.log)
            }
            let pending = try await steps(isDry: true)
            #expect(!pending.isEmpty)
            #expect(!Files.exists(directory.path), "looking changes nothing")
            #expect(try await steps(isDry: false) == pending)
            #expect(try await steps(isDry: true) == [])
            #expect(try await steps(isDry: false) == [])
        }
    }
}

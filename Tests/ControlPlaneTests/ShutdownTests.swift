import CloudCore
import Drivers
import Foundation
import HostModel
import Logging
import TestSupport
import Testing

@testable import ControlPlane

/// A process that is told to stop ends, and nothing writes to its database afterwards.
@Suite("The end of a process") struct ShutdownTests {
    /// A log handler that keeps all lines.
    private struct Memory: LogHandler {
        let lines: Box<[String]>
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        init(lines: Box<[String]>) { self.lines = lines }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let line = "\(event.message) \(event.metadata ?? [:])"
            lines.update { $0.append(line) }
        }
    }

    @Test("A cancelled listener hears none of the waiting events, even if there are thousands")
    func news() async throws {
        let hub = EventHub<Int>()
        let stream = hub.listen()
        for number in 0..<1000 { hub.send(number) }
        let heard = await withTaskGroup(of: Int.self) { group in
            group.addTask {
                while !Task.isCancelled { await Task.yield() }
                var heard = 0
                for await _ in stream.untilCancelled() { heard += 1 }
                return heard
            }
            group.cancelAll()
            return await group.reduce(0, +)
        }
        #expect(heard == 0)
    }

    @Test("With many hosts that report at once, a stopped process uses no closed database", arguments: [300, 3000])
    func database(hosts: Int) async throws {
        try await withTemporaryDirectory { path in
            let lines = Box<[String]>([])
            var configuration = Configuration()
            configuration.server.listen = "127.0.0.1:0"
            configuration.server.drainTimeout = .zero
            configuration.simulate = .init(enabled: true, hosts: hosts)
            let (ready, isReady) = AsyncStream<String>.makeStream()
            let process = try await CloudProcess.start(
                configuration, directory: StateDirectory(path: path), world: .real, log: Logger(label: "test") { _ in Memory(lines: lines) },
                isAlone: false
            ) { isReady.yield($0) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await process.run() }
                group.addTask {
                    for await _ in ready { break }
                    await process.stop()
                }
                try await group.waitForAll()
            }
            #expect(lines.value.filter { $0.contains("database is closed") } == [])
        }
    }
}

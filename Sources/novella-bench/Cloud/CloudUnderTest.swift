import CloudCore
import Foundation

/// A cloud that the benchmark starts and ends: a process of a given binary, with its own state directory.
final class CloudUnderTest {
    private let binary: String
    private let folder: String
    private let hosts: Int
    private let postgres: String?
    private var process: Process?
    private(set) var port: UInt16 = 0

    init(binary: String, folder: String, hosts: Int, postgres: String?) {
        (self.binary, self.folder, self.hosts, self.postgres) = (binary, folder, hosts, postgres)
    }

    var database: String { folder + "/state/novella.db" }

    /// Starts the cloud. Returns the time until it serves.
    func start() throws -> Duration {
        let process = Process()
        process.executableURL = URL(filePath: binary)
        process.arguments = [
            "up", "--simulate", "--hosts", "\(hosts)", "--listen", "127.0.0.1:0", "--state", folder + "/state",
        ]
        var environment = ProcessInfo.processInfo.environment
        environment["NOVELLA_DATABASE_CONNECTION"] = postgres
        process.environment = environment
        let output = Pipe()
        process.standardOutput = output
        let log = folder + "/log"
        if !FileManager.default.fileExists(atPath: log) {
            _ = FileManager.default.createFile(atPath: log, contents: nil)
        }
        let errors = try FileHandle(forWritingTo: URL(filePath: log))
        try errors.seekToEnd()
        process.standardError = errors
        let begin = ContinuousClock.now
        try process.run()
        self.process = process
        var text = ""
        while !text.contains("\n") {
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else { throw BenchError("the cloud did not start: see \(log)") }
            text += String(decoding: more, as: UTF8.self)
        }
        let taken = ContinuousClock.now - begin
        guard let port = text.trimmed.split(separator: ":").last.flatMap({ UInt16($0) }) else {
            throw BenchError("the cloud said '\(text)' instead of 'ready'")
        }
        self.port = port
        return taken
    }

    /// Ends the cloud by a signal. Returns the time until the process is gone.
    func end(by signal: Int32) -> Duration {
        guard let process else { return .zero }
        self.process = nil
        let begin = ContinuousClock.now
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        return ContinuousClock.now - begin
    }

    /// The resident memory in MiB.
    var residentMiB: Int {
        let path = "/proc/\(process?.processIdentifier ?? 0)/status"
        let lines = (try? String(contentsOfFile: path, encoding: .utf8))?.split(separator: "\n") ?? []
        let words = lines.first { $0.hasPrefix("VmRSS:") }?.split(whereSeparator: \.isWhitespace) ?? []
        return (words.dropFirst().first.flatMap { Int($0) } ?? 0) / 1024
    }

    /// The processor time that the process has used so far.
    var processorTime: Duration {
        let path = "/proc/\(process?.processIdentifier ?? 0)/stat"
        let fields = (try? String(contentsOfFile: path, encoding: .utf8))?.split(separator: " ") ?? []
        guard fields.count > 14, let user = Int(fields[13]), let system = Int(fields[14]) else { return .zero }
        return .milliseconds((user + system) * 10)
    }

    /// Returns the administrator, logged in to a project.
    func administrator(of project: String = "admin") throws -> CloudUser {
        let text = try String(contentsOfFile: folder + "/state/openrc", encoding: .utf8)
        let line = text.split(separator: "\n").first { $0.contains("OS_PASSWORD=") }
        guard let password = line?.split(separator: "=", maxSplits: 1).last else {
            throw BenchError("openrc has no password")
        }
        return try CloudUser(HTTPLine(port: port), password: password.trimmingCharacters(in: ["'"]), project: project)
    }
}

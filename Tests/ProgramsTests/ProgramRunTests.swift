import Foundation
import Programs
import TestSupport
import Testing

@Suite("Runs of programs")
struct ProgramRunTests {
    private static func run(
        _ words: [String], input: String = "", cpuSeconds: UInt? = 30, outputBytes: Int = 1 << 20, seconds: Int = 400
    ) throws(ProgramRun.Failure) -> ProgramRun.Outcome {
        let limits = ProgramRun.Limits(
            memoryBytes: 1 << 30, cpuSeconds: cpuSeconds, fileBytes: 4096, openFiles: 64, outputBytes: outputBytes)
        var run = ProgramRun(words[0], Array(words.dropFirst()), limits: limits, seconds: seconds)
        run.input = Array(input.utf8)
        return try run()
    }

    private static func shell(_ text: String) throws(ProgramRun.Failure) -> (status: Int32, output: String) {
        let outcome = try run(["sh", "-c", text])
        return (outcome.status, String(decoding: outcome.output, as: UTF8.self))
    }

    /// Whether a process is there and not dead.
    private static func lives(_ pid: pid_t) -> Bool {
        guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
        return stat.split(separator: ")").last?.hasPrefix(" Z") != true
    }

    @Test("Input, output, complaints and the status come and go whole")
    func conversation() throws {
        let text = String(repeating: "0123456789", count: 50_000)
        #expect(try Self.run(["cat"], input: text).output == Array(text.utf8))
        let outcome = try Self.run(["sh", "-c", "echo out; echo wrong >&2; exit 7"])
        #expect(outcome.status == 7 && outcome.output == Array("out\n".utf8) && outcome.complaint == "wrong\n")
        #expect(try Self.run(["true"], input: text).status == 0, "a program may leave its input unread")
        #expect(try Self.shell("cat | wc -c").output.trimmingCharacters(in: .whitespacesAndNewlines) == "0")
    }

    @Test("Output is heard as it comes, and a program that is not wanted any more is killed")
    func unwanted() throws {
        let limits = ProgramRun.Limits(memoryBytes: 1 << 30, cpuSeconds: 30, outputBytes: 2)
        var run = ProgramRun("sh", ["-c", "echo begun; sleep 400"], limits: limits, seconds: 400)
        var heard: [UInt8] = []
        run.hear = { heard += $0 }
        run.isUnwanted = { !heard.isEmpty }
        #expect { try run() } throws: { if case .unwanted = $0 as? ProgramRun.Failure { true } else { false } }
        #expect(heard == Array("begun\n".utf8))
    }

    @Test("A program that a signal ends has minus its number as its status")
    func signals() throws {
        #expect(try Self.shell("kill -TERM $$").status == -SIGTERM)
        #expect(try Self.run(["sh", "-c", "while :; do :; done"], cpuSeconds: 1).status < 0)
    }

    @Test("A program that is not there, or is none, is told")
    func notStarted() async throws {
        #expect(throws: ProgramRun.Failure.self) { try Self.run(["no-such-program"]) }
        #expect(ProgramRun.path(of: "no-such-program") == nil)
        #expect(ProgramRun.path(of: "sh") != nil && ProgramRun.path(of: "/bin/sh") == "/bin/sh")
        try await withTemporaryDirectory { folder in
            let file = folder + "/program"
            try Data([1, 2, 3]).write(to: URL(filePath: file))
            chmod(file, 0o700)
            do {
                _ = try Self.run([file])
                Issue.record("garbage was run")
            } catch {
                guard case .notStarted(ENOEXEC)? = error as? ProgramRun.Failure else { throw error }
            }
        }
    }

    @Test("A program inherits nothing, and has its limits")
    func limits() throws {
        let environment = String(decoding: try Self.run(["env"]).output, as: UTF8.self)
        let names = environment.split(separator: "\n").compactMap { $0.split(separator: "=").first }
        #expect(names.sorted() == ["LC_ALL", "MALLOC_ARENA_MAX", "PATH"])
        #expect(try Self.shell("ls /proc/self/fd | wc -l").output.contains("4"), "three, and the folder itself")
        let found = try Self.shell("ulimit -v; ulimit -t; ulimit -n; ulimit -c").output.split(separator: "\n")
        #expect(found == ["1048576", "30", "64", "0"])
        let group = try Self.shell("cut -d' ' -f1,5,6 /proc/$$/stat").output.split(whereSeparator: \.isWhitespace)
        #expect(group.count == 3 && group[0] == group[1], "a group of its own")
        #expect(group.last == "\(getsid(0))", "in this session")
    }

    @Test("Output past the bound is heard and dropped")
    func bound() throws {
        let words = ["sh", "-c", "head -c 3000000 /dev/zero; head -c 9000 /dev/zero >&2; exit 3"]
        let outcome = try Self.run(words, outputBytes: 1000)
        #expect(outcome.status == 3 && outcome.output.count == 1000 && outcome.complaint.utf8.count == 4000)
    }

    @Test("After its time a program is killed, and its children with it")
    func deadline() async throws {
        try await withTemporaryDirectory { folder in
            let file = folder + "/pid"
            var child: pid_t?
            // On a busy machine a second may be over before the child is there.
            for seconds in [1, 5, 25, 125] where child == nil {
                do {
                    _ = try Self.run(["sh", "-c", "sleep 1000 & echo $! > \(file); wait"], seconds: seconds)
                    Issue.record("it has ended by itself")
                } catch {
                    guard case .late? = error as? ProgramRun.Failure else { throw error }
                }
                child = (try? String(contentsOfFile: file, encoding: .utf8)).flatMap { pid_t($0.dropLast()) }
            }
            let pid = try #require(child)
            try await eventually { !Self.lives(pid) }
        }
    }

    @Test("A daemon that holds the pipes is not waited for, and can be ended")
    func daemon() async throws {
        let output = try Self.shell("sleep 1000 & echo $!").output
        let pid = try #require(pid_t(output.dropLast()))
        #expect(Self.lives(pid))
        ProgramRun.end(pid, patience: 400_000)
        try await eventually { !Self.lives(pid) }
    }
}

import Foundation

/// A private PostgreSQL server of this test process. It starts at its first use.
///
/// A small shell script owns the server. It ends the server and removes its files when the pipe from this process
/// closes. The kernel closes the pipe however this process dies, so no killed test run leaves a server behind.
package final class PostgresServer: @unchecked Sendable {  // The streams are used only on `queue`.
    private let folder: String
    private let process: Process
    private let commands: FileHandle
    private let answers: FileHandle
    private var databases = 0
    private let places = Places(16)

    /// The queue of blocking calls, which must not run on the threads that Swift's tasks share.
    private static let queue = DispatchQueue(label: "novella.test.postgres")
    private static let shared = Result { try PostgresServer() }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Returns the server of this process.
    ///
    /// - Throws: an error if PostgreSQL is not installed; the test then fails.
    package static func started() async throws -> PostgresServer {
        try await onQueue { try shared.get() }
    }

    /// Returns the libpq parameters for a database of this server.
    package func parameters(database: String) -> String { "host='\(folder)' user=postgres dbname=\(database)" }

    /// Creates a database. It waits while many are in use, because each has several sessions, and the server allows
    /// 200.
    ///
    /// - Parameter template: the database to copy, as named by `createTemplate`; nil for an empty one.
    package func createDatabase(copying template: String? = nil) async throws -> String {
        await places.take()
        do {
            return try await create(copying: template)
        } catch {
            await places.give()
            throw error
        }
    }

    package func dropDatabase(_ name: String) async throws {
        // The next database must wait until the sessions of this one have ended, and not only its test.
        let dropped = await Result.of { try await Self.onQueue { [self] in try run("DROP DATABASE \(name) WITH (FORCE)") } }
        await places.give()
        try dropped.get()
    }

    /// Creates a database to be copied. It exists until the end and takes no place. The caller must close it before the
    /// first copy is made.
    package func createTemplate() async throws -> String { try await create(copying: nil) }

    private func create(copying template: String?) async throws -> String {
        try await Self.onQueue { [self] in
            databases += 1
            let name = "test_\(databases)"
            try run("CREATE DATABASE \(name) TEMPLATE \(template ?? "template0")")
            return name
        }
    }

    /// Creates a database to be copied, with the content of a file of `pg_dump`.
    package func createTemplate(from dump: String) async throws -> String {
        let name = try await createTemplate()
        // The output of the statements is dropped; it would be taken for the end of the whole.
        try await Self.onQueue { [self] in
            try run("\\connect \(name)\n\\o /dev/null\n\\i \(dump)\n\\o\n\\connect postgres\nSELECT 1 WHERE false")
        }
        return name
    }

    // MARK: The server's process

    private init() throws {
        guard let binaries = Self.binaries() else {
            throw Failure(
                description: """
                    These tests need PostgreSQL 15 or later (postgres, initdb, psql), and it is neither in \
                    /usr/lib/postgresql/*/bin nor in PATH. 'make test' installs it; so does 'apt-get install postgresql'.
                    """)
        }
        // The path is short and directly in /tmp: the path of a Unix socket has at most 107 bytes.
        folder = "/tmp/novella-pg-\(ProcessInfo.processInfo.processIdentifier)-\(UInt32.random(in: 0 ... .max))"
        process = Process()
        let input = Pipe()
        let output = Pipe()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", Self.script, "novella-test-postgres", binaries, folder]
        process.standardInput = input
        process.standardOutput = output
        commands = input.fileHandleForWriting
        answers = output.fileHandleForReading
        try process.run()
        try run("SELECT 1 WHERE false")
    }

    /// The script of the server. It passes statements from standard input to psql, which confirms each of them.
    private static let script = #"""
        trap '' INT HUP TERM
        bin=$1 dir=$2
        mkdir -m 700 "$dir" || exit 1
        as=
        if [ "$(id -u)" = 0 ]; then
          chown postgres "$dir" || exit 1
          as="setpriv --reuid=postgres --regid=postgres --clear-groups"
        fi
        cd "$dir" || exit 1
        $as "$bin/initdb" -D "$dir/data" -A trust -U postgres -E UTF8 --no-locale --no-sync </dev/null >"$dir/log" 2>&1 &&
          { $as "$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c fsync=off -c synchronous_commit=off \
              -c full_page_writes=off -c max_connections=200 </dev/null >>"$dir/log" 2>&1 &
            server=$!
            until "$bin/pg_isready" -q -h "$dir" -U postgres; do kill -0 $server 2>/dev/null || break; sleep 0.05; done
            "$bin/psql" -X -q -A -t -h "$dir" -U postgres -d postgres -v ON_ERROR_STOP=1 2>>"$dir/log" ||
              tail -n 20 "$dir/log" >&2
            kill -QUIT $server 2>/dev/null
            wait $server
            true; } ||
          tail -n 20 "$dir/log" >&2
        rm -rf "$dir"
        """#

    private func run(_ statement: String) throws {
        try commands.write(contentsOf: Data("\(statement);\n\\echo done\n".utf8))
        var answer = Data()
        while !answer.contains(UInt8(ascii: "\n")) {
            // This call waits for any data; `read(upToCount:)` would wait for all that it may take.
            let more = answers.availableData
            guard !more.isEmpty else {
                throw Failure(description: "The tests' PostgreSQL ended at '\(statement)'; its log is on standard error.")
            }
            answer += more
        }
    }

    private static func binaries() -> String? {
        let files = FileManager.default
        let versions = (try? files.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        let packaged = versions.sorted { (Int($0) ?? 0) > (Int($1) ?? 0) }.map { "/usr/lib/postgresql/\($0)/bin" }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return (packaged + path.split(separator: ":").map(String.init)).first { folder in
            ["postgres", "initdb", "psql", "pg_isready"].allSatisfy { files.isExecutableFile(atPath: "\(folder)/\($0)") }
        }
    }

    private static func onQueue<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try body() }) }
        }
    }
}

extension Result where Failure == any Error {
    fileprivate static func of(_ body: () async throws -> Success) async -> Self {
        do { return .success(try await body()) } catch { return .failure(error) }
    }
}

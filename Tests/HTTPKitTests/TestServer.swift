import CloudCore
import Foundation
import HTTPTypes
import Logging
import NIOCore
import ServiceLifecycle
import Telemetry
import TestSupport

@testable import HTTPKit

/// A server on a free port, with a service whose answers show the request.
struct TestServer: Sendable {
    struct Options {
        var settings = HTTPServer.Settings(host: "127.0.0.1", port: 0)
        var publicURL: String?
        var origins: [String] = []
        var accessLog: AccessLog?
        var spans: SpanFile?
        var patience = Body.Patience()
        var requestTime = Duration.seconds(90)
        var holds = LoopHolds()
        var certificate: String?
    }

    let url: String
    let port: Int
    let gate: Gate
    let metrics: PrometheusMetrics
    let logged: Box<[String]>
    private let certificate: String?
    private let group: Box<ServiceGroup?>

    /// Ends the server as a process is ended.
    func drain() async { await group.value?.triggerGracefulShutdown() }

    func connect<Value>(_ body: (Wire) async throws -> Value) async throws -> Value {
        try await Wire.connect(port: port, trusting: certificate, body)
    }

    /// Sends one request on its own connection.
    func ask(_ method: String, _ target: String, _ headers: [String] = [], body: String? = nil) async throws -> Wire.Answer {
        try await connect { try await $0.ask(method, target, headers, body: body) }
    }

    /// Runs `body` while the server serves, then opens the gate and drains the server.
    static func run(
        _ configure: (inout Options) -> Void = { _ in }, _ body: @escaping @Sendable (TestServer) async throws -> Void
    ) async throws {
        var options = Options()
        configure(&options)
        let prototype = TestServer(url: "", port: 0, certificate: options.certificate, group: Box(nil))
        let log = Logger(label: "test") { _ in Memory(lines: prototype.logged) }
        var instruments = Instruments()
        instruments.metrics = prototype.metrics
        instruments.accessLog = options.accessLog
        instruments.spans = options.spans
        instruments.holds = options.holds
        let responder = try Responder(
            services: Sample(gate: prototype.gate).services, verifier: nil, world: .test(), publicURL: options.publicURL,
            cors: .init(allowedOrigins: options.origins), instruments: instruments,
            patience: options.patience, requestTime: options.requestTime, log: log)
        let (ready, isReady) = AsyncStream<(String, Int)>.makeStream()
        let server = HTTPServer(settings: options.settings, responder: responder, refusals: SampleEnvelope(), log: log) {
            isReady.yield(($0, $1))
        }
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: server, successTerminationBehavior: .gracefullyShutdownGroup)],
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        prototype.group.value = group
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { isReady.finish() }
                try await group.run()
            }
            tasks.addTask {
                var places = ready.makeAsyncIterator()
                guard let (url, port) = await places.next() else { return }
                let server = TestServer(url, port, prototype)
                let result: Result<Void, any Error>
                do { result = .success(try await body(server)) } catch { result = .failure(error) }
                await server.gate.open()
                await server.drain()
                try result.get()
            }
            try await tasks.waitForAll()
        }
    }

    /// Runs `body` with a connection to a server.
    static func connect(
        _ configure: (inout Options) -> Void = { _ in },
        _ body: @escaping @Sendable (TestServer, Wire) async throws -> Void
    ) async throws {
        try await run(configure) { server in try await server.connect { try await body(server, $0) } }
    }

    private init(_ url: String, _ port: Int, _ other: TestServer) {
        self.url = url
        self.port = port
        certificate = other.certificate
        group = other.group
        gate = other.gate
        metrics = other.metrics
        logged = other.logged
    }

    private init(url: String, port: Int, certificate: String?, group: Box<ServiceGroup?>) {
        self.url = url
        self.port = port
        self.certificate = certificate
        self.group = group
        gate = Gate()
        metrics = PrometheusMetrics()
        logged = Box([])
    }
}

/// A gate that holds requests back until a test opens it.
actor Gate {
    private(set) var waiting = 0
    private var isOpen = false
    private var held: [CheckedContinuation<Void, Never>] = []

    func pass() async {
        waiting += 1
        if !isOpen { await withCheckedContinuation { held.append($0) } }
        waiting -= 1
    }

    func open() {
        isOpen = true
        for one in held { one.resume() }
        held = []
    }
}

/// A log handler that keeps all lines with their metadata.
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
        let values = (event.metadata ?? [:]).map { "\($0)=\($1)" }.sorted().joined(separator: " ")
        lines.update { $0.append("\(event.level) \(event.message) \(values)") }
    }
}

/// An error in the form `{"wrong": {"status": 404, "message": "…", "id": "req-…"}}`.
struct SampleEnvelope: ErrorEnvelope {
    func reply(_ error: CloudError, _ status: HTTPResponse.Status, _ context: ErrorContext) -> Reply {
        .json(status) { json in
            json.object("wrong") { json in
                json.member("status", status.code)
                json.member("message", error.message)
                json.member("id", context.requestID)
            }
        }
    }
}

private struct Sample: Sendable {
    struct Bug: Error { let secret = "the-password-of-the-database" }

    let gate: Gate

    var services: [APIService] {
        [
            APIService(
                name: "sample", prefixes: ["/sample"], envelope: SampleEnvelope(), bodyLimit: 60_000, routes: routes),
            APIService(name: "long", prefixes: ["/long"], envelope: SampleEnvelope(), routes: routes.map(forAnybody)),
            APIService(
                name: "guarded", prefixes: ["/guarded"], envelope: SampleEnvelope(),
                routes: [
                    .post("/things") { call in
                        let count = try await call.body.json().count
                        return .json { $0.member("count", count) }
                    }
                ]),
            APIService(
                name: "versioned", prefixes: ["/versioned"], envelope: SampleEnvelope(),
                microversions: MicroversionRange(
                    serviceType: "compute", Microversion(2, 1)...Microversion(2, 9), olderHeader: .init("X-OpenStack-Nova-API-Version")),
                routes: [
                    .get("/things") { call in .json { $0.member("version", call.microversion?.description) } },
                    .get("/missing") { _ in throw CloudError.notFound("thing", "x") },
                ]),
        ]
    }

    /// Returns a route that also reads long bodies of callers without a role.
    private func forAnybody(_ route: Route) -> Route {
        Route(route.method, route.path) { call in
            var call = call
            call.body.mayBeLong = nil
            return try await route.handler(call)
        }
    }

    private var routes: [Route] {
        [
            .get("/things", show), .get("/things/{id}", show), .post("/things") { .json(bytes: Array(JSON.object(try await $0.body.json()).text.utf8)) },
            .post("/maybe") { .json(bytes: Array(JSON.object(try await $0.body.jsonIfAny()).text.utf8)) },
            .post("/bytes") { call in
                let count = try await call.body.bytes().readableBytes
                return .json { $0.member("count", count) }
            },
            .post("/pieces") { call in
                var (count, pieces) = (0, 0)
                for try await piece in call.body.chunks {
                    count += piece.readableBytes
                    pieces += 1
                }
                return .json { json in
                    json.member("count", count)
                    json.member("pieces", pieces)
                    json.member("length", call.body.length)
                }
            },
            .post("/unread") { _ in .text(.ok, "unread") },
            .get("/held") { _ in
                await gate.pass()
                return .text(.ok, "held")
            },
            .get("/endless") { _ in
                while true {
                    try Budget.current?.check()
                    try await Task.sleep(for: .milliseconds(1))
                }
            },
            .post("/members") { call in
                let count = try await call.body.json().count
                return .json { $0.member("count", count) }
            },
            .get("/numbers") { call in
                let numbers = 0..<(Int(call.query["count"] ?? "") ?? 0)
                return try await .page(of: numbers.count) {
                    .json { json in json.array("numbers", of: numbers) { $0.integer(Int64($1)) } }
                }
            },
            .get("/broken") { _ in throw Bug() },
            .get("/large") { call in .text(.ok, String(repeating: "x", count: Int(call.query["size"] ?? "") ?? 0)) },
            .get("/stream") { call in
                Reply(
                    .ok,
                    content: .stream(length: call.query["length"].flatMap { Int($0) }) { writer in
                        for part in ["one ", "two ", "three"] { try await writer.write(ByteBuffer(string: part)) }
                    })
            },
        ]
    }

    @Sendable private func show(_ call: Call) async throws -> Reply {
        .json { json in
            json.member("base", call.base)
            json.member("path", call.path)
            json.member("id", call[parameter: "id"])
            json.member("request", call.requestID)
            json.member("query", call.query.items.map { "\($0.name)=\($0.value)" }.joined(separator: "|"))
        }
    }
}

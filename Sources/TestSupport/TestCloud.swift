package import Blobs
package import CloudCore
package import ControlPlane
import Crypto
package import Durable
import Foundation
package import HTTPKit
package import HTTPTypes
import Images
import Logging
import NIOCore
package import SQL
import Testing

/// The whole cloud in the process of the test: its own database, a clock that the test moves, and no socket.
///
///     try await TestCloud.run { cloud in
///         let token = try await cloud.token()
///         let reply = await cloud.send(.get, "/v3/users", token: token)
///         #expect(reply.status == .ok)
///         #expect(reply.json["users"]?.array?.count == 2)
///     }
package struct TestCloud: Sendable {
    package let cloud: Cloud
    package let clock: ManualClock
    package let world: World
    package var database: Database { cloud.database }
    /// The store of the backups of volumes.
    package var chunks: FolderChunkStore { stores.chunks }
    private let configuration: Configuration
    private let stores: Stores
    /// The stores of bytes, which outlive a control plane.
    private struct Stores: Sendable {
        var images: ImageStores
        var chunks: FolderChunkStore
    }

    /// The address that requests come from.
    private var address = "192.0.2.1"

    package static let url = "http://cloud.test:5000"
    package static let adminPassword = "admin-password-of-tests"
    package static let demoPassword = "demo-password-of-tests"

    /// Runs `body` with a new cloud that has its first accounts, and removes the cloud afterwards.
    ///
    /// - Parameters:
    ///   - seed: the seed of all randomness.
    ///   - hosts: the hosts of machines; nil for simulated ones if the configuration asks for them.
    ///   - configure: changes the configuration before the cloud is made.
    package static func run<Value: Sendable>(
        on kind: DatabaseKind = .usual, seed: UInt64 = 1, hosts: HostsPlan? = nil, _ configure: (inout Configuration) -> Void = { _ in },
        _ body: (TestCloud) async throws -> Value
    ) async throws -> Value {
        var configuration = plain
        configure(&configuration)
        // The creation of the accounts costs as much as many tests together, so it is done once, and its database is
        // copied.
        let template = configuration == plain ? try await Template.shared.location(kind) : nil
        return try await TestDatabase.withDatabase(kind, copying: template) { test in
            try await withStores(configuration.images) { stores in
                let cloud = try TestCloud(configuration, test.database, stores, hosts: hosts, seed: seed)
                if template == nil { try await cloud.make() } else { try await cloud.cloud.prepare() }
                let value = try await body(cloud)
                await cloud.checkUsage()
                return value
            }
        }
    }

    /// Compares the usage that the database keeps with a fresh count, unless the test has closed the database.
    private func checkUsage() async {
        let differences = try? await database.read { tx in try Cloud.ledgers.flatMap { try $0.differences(in: tx) } }
        if let differences, !differences.isEmpty { Issue.record("usage is not what was counted: \(differences)") }
    }

    /// Runs `body` with several control processes on one PostgreSQL server. They share the database, the clock, the
    /// stores and the master key, and nothing else.
    ///
    /// - Parameter isMade: whether the accounts exist; otherwise the database is empty.
    package static func runProcesses<Value: Sendable>(
        _ count: Int = 2, isMade: Bool = true, _ body: ([TestCloud]) async throws -> Value
    ) async throws -> Value {
        let template = isMade ? try await Template.shared.location(.postgreSQL) : nil
        return try await TestDatabase.withDatabase(.postgreSQL, copying: template) { test in
            try await withStores(plain.images) { stores in
                let clock = ManualClock()
                let clouds = try (1...count).map { number in
                    try TestCloud(plain, number == 1 ? test.database : test.reopen(), stores, clock: clock, seed: UInt64(number))
                }
                if isMade { for cloud in clouds { try await cloud.cloud.prepare() } }
                return try await body(clouds)
            }
        }
    }

    private static var plain: Configuration {
        var configuration = Configuration()
        configuration.server.publicURL = url
        return configuration
    }

    /// Runs `body` with stores of image data in a folder that is removed afterwards.
    private static func withStores<Value>(_ images: Configuration.Images, _ body: (Stores) async throws -> Value) async throws -> Value {
        try await withTemporaryDirectory { try await withStores(images, below: $0, body) }
    }

    private static func withStores<Value>(
        _ images: Configuration.Images, below folder: String, _ body: (Stores) async throws -> Value
    ) async throws -> Value {
        var opened: [(name: String, store: FileBlobStore)] = []
        // Two threads are enough, because most clouds of tests never store a byte.
        for name in images.stores + (images.cacheSize > 0 ? ["cache"] : []) {
            opened.append((name, try await FileBlobStore(folder: "\(folder)/\(name)", world: .test(), threads: 2)))
        }
        let entries = opened.prefix(images.stores.count).map { ImageStores.Entry($0.name, $0.store) }
        var stores = ImageStores(entries[0], Array(entries.dropFirst()))
        if images.cacheSize > 0, let last = opened.last { stores.cache = .init(last.store, most: Int64(images.cacheSize) << 30) }
        let chunks = try await FolderChunkStore(folder: "\(folder)/volume-backups", world: .test(), threads: 2)
        let result: Result<Value, any Error>
        let all = Stores(images: stores, chunks: chunks)
        do { result = .success(try await body(all)) } catch { result = .failure(error) }
        for one in opened { await one.store.close() }
        await chunks.close()
        return try result.get()
    }

    /// Runs `body` with a cloud on a state directory that another binary has left behind.
    ///
    /// - Parameters:
    ///   - database: the database of the directory.
    ///   - now: the time at which the cloud opens it.
    package static func open<Value: Sendable>(
        _ directory: StateDirectory, _ database: Database, now: Timestamp, _ configure: (inout Configuration) -> Void,
        _ body: (TestCloud) async throws -> Value
    ) async throws -> Value {
        var configuration = plain
        configure(&configuration)
        let key = try directory.masterKey(file: nil, random: World.real.random)
        return try await withStores(configuration.images, below: directory.path + "/images") { stores in
            let cloud = try TestCloud(configuration, database, stores, masterKey: key, clock: ManualClock(now), seed: 1)
            guard try await !cloud.make() else { throw UnexpectedResponse(description: "the directory had no accounts") }
            return try await body(cloud)
        }
    }

    private init(
        _ configuration: Configuration, _ database: Database, _ stores: Stores, hosts: HostsPlan? = nil,
        masterKey: SymmetricKey = SymmetricKey(data: [UInt8](repeating: 7, count: 32)), clock: ManualClock = ManualClock(), seed: UInt64,
        faults: FaultPlan = .none
    ) throws {
        self.clock = clock
        self.configuration = configuration
        self.stores = stores
        world = .test(clock: clock, seed: seed)
        let simulated = configuration.simulate.enabled
            ? .simulated(configuration.simulate.hosts, isInstant: true, pools: configuration.simulate.pools)
            : HostsPlan.none
        cloud = try Cloud(
            configuration: configuration, database: database, world: world,
            masterKey: masterKey, imageStores: stores.images, chunks: stores.chunks, hosts: hosts ?? simulated,
            sleeper: clock,
            cheapHashes: true, faults: faults, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Returns another control plane on everything that this one has stored, as after a restart. This one must not be
    /// used any more.
    ///
    /// - Parameter hosts: the hosts; nil for the same hosts, with their agents.
    package func restarted(hosts: HostsPlan? = nil, seed: UInt64 = 2, faults: FaultPlan = .none) async throws -> TestCloud {
        let next = try TestCloud(
            configuration, database, stores, hosts: hosts ?? .again(cloud.fleet), clock: clock, seed: seed, faults: faults)
        try await next.cloud.prepare()
        return next
    }

    /// Does the work of a start on a database that may be empty.
    ///
    /// - Returns: whether the accounts were made now.
    @discardableResult
    package func make(adminPassword: String = Self.adminPassword) async throws -> Bool {
        _ = try await database.migrate(Cloud.schemas)
        try await cloud.prepare()
        return try await cloud.bootstrap(adminPassword: adminPassword, demoPassword: Self.demoPassword, publicURL: Self.url)
    }

    /// Makes the database of the template. Its seed differs from that of all tests, so that a test does not draw the
    /// ids of the accounts again.
    fileprivate static func makeTemplate(_ database: Database) async throws {
        // On SQLite, closing the last connection brings everything into the one file. PostgreSQL does not copy a
        // database that is in use.
        _ = try await database.closing { database in
            try await withStores(plain.images) { try await TestCloud(plain, database, $0, seed: 0x5eed_0f_acc0_0e75).make() }
        }
    }

    // MARK: Requests

    package struct Response: Sendable {
        package let status: HTTPResponse.Status
        package let headers: HTTPFields
        package let bytes: [UInt8]

        /// The body as JSON; null if it is empty or no JSON.
        package var json: JSON { (try? JSON.parse(bytes)) ?? .null }
        package var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    /// Returns the same cloud, for a client at another address.
    package func from(_ address: String) -> TestCloud {
        var cloud = self
        cloud.address = address
        return cloud
    }

    /// Sends a request with JSON.
    ///
    /// - Parameter path: the path from the root of the cloud's URL, with the query.
    package func send(
        _ method: HTTPRequest.Method, _ path: String, token: String? = nil, json: JSON? = nil, headers: HTTPFields = [:]
    ) async -> Response {
        await send(method, path, token: token, bytes: json.map { Array($0.text.utf8) }, type: "application/json", headers: headers)
    }

    /// Sends a request with bytes.
    ///
    /// - Parameter type: the type of the bytes, unless the headers have one.
    package func send(
        _ method: HTTPRequest.Method, _ path: String, token: String? = nil, bytes given: [UInt8]?, type: String, headers: HTTPFields = [:]
    ) async -> Response {
        let reply = await reply(method, path, token: token, bytes: given, type: type, headers: headers)
        return Response(status: reply.status, headers: reply.headers, bytes: await Self.bytes(of: reply))
    }

    /// Sends a request, and returns its answer before any byte of a stream is taken, as to a client that does not read.
    package func reply(
        _ method: HTTPRequest.Method, _ path: String, token: String? = nil, bytes given: [UInt8]? = nil,
        type: String = "", headers: HTTPFields = [:]
    ) async -> Reply {
        let bytes = given ?? []
        var fields = headers
        if let token { fields[.authToken] = token }
        if given != nil {
            fields[.contentType] = fields[.contentType] ?? type
            fields[.contentLength] = "\(bytes.count)"
        }
        let head = HTTPRequest(method: method, scheme: "http", authority: "cloud.test:5000", path: path, headerFields: fields)
        return await cloud.responder.respond(to: head, .init(bytes: bytes, remoteAddress: address))
    }

    /// Carries out workflows until nothing is due now.
    package func settle() async throws {
        while try await cloud.runner.runDue() {}
    }

    /// Sends a request that is answered only after a workflow has ended, and carries out workflows meanwhile. They run
    /// only while the request awaits the end of one, so the course depends only on the seed.
    ///
    /// - Throws: the error of a runner, such as a simulated crash. The request is then dropped, as its client would see
    ///   it.
    package func whileWorking<Value: Sendable>(_ request: @escaping @Sendable () async -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            let isAnswered = Box(false)
            group.addTask {
                defer { isAnswered.value = true }
                return await request()
            }
            while !isAnswered.value {
                // A pause, and no yield: hundreds of tests run at once, and a busy loop would take time from the
                // others.
                guard cloud.workflows.bell.isAwaited else {
                    try await Task.sleep(for: .milliseconds(1))
                    continue
                }
                if try await !cloud.runner.runDue(), let next = try await cloud.runner.claims.nextDue() { clock.set(next) }
            }
            guard let value = try await group.next() else { throw CancellationError() }
            return value
        }
    }

    /// Carries out workflows until all have ended, and moves the clock to the times at which they become due.
    package func settleAll() async throws {
        for _ in 0..<100 {
            try await settle()
            guard let next = try await cloud.runner.claims.nextDue() else { return }
            clock.set(next)
        }
        throw UnexpectedResponse(description: "workflows do not come to an end")
    }

    /// Returns a token of a member of the project `demo`.
    package func memberToken() async throws -> String {
        try await token(user: "demo", password: Self.demoPassword, project: "demo")
    }

    /// Returns a token of a user of the default domain, for a project of that domain.
    package func token(user: String = "admin", password: String = adminPassword, project: String? = "admin") async throws -> String {
        var auth: JSONObject = [
            "identity": [
                "methods": ["password"],
                "password": ["user": ["name": .string(user), "domain": ["id": "default"], "password": .string(password)]],
            ]
        ]
        if let project { auth["scope"] = ["project": ["name": .string(project), "domain": ["id": "default"]]] }
        let response = await send(.post, "/v3/auth/tokens", json: ["auth": .object(auth)])
        guard response.status == .created, let token = response.headers[.subjectToken] else {
            throw UnexpectedResponse(description: "no token: \(response.status.code) \(response.text)")
        }
        return token
    }

    /// The error of an unexpected answer, after which the test cannot go on.
    package struct UnexpectedResponse: Error, CustomStringConvertible {
        package let description: String
    }

    private static func bytes(of reply: Reply) async -> [UInt8] {
        switch reply.content {
        case .none: return []
        case .bytes(let bytes): return bytes
        case .stream(_, let write):
            let collector = Collector()
            try? await write(collector)
            return await collector.bytes
        }
    }
}

private actor Collector: ReplyWriter {
    private(set) var bytes: [UInt8] = []

    func write(_ buffer: ByteBuffer) { bytes += buffer.readableBytesView }
}

/// The databases of new clouds, made once of each kind for the process.
private actor Template {
    static let shared = Template()

    private var made: [DatabaseKind: Task<String, any Error>] = [:]

    /// Returns the place that `TestDatabase` copies.
    func location(_ kind: DatabaseKind) async throws -> String {
        if let made = made[kind] { return try await made.value }
        let task = Task { try await Self.make(kind) }  // tidy: allow task, tests that begin together share it
        made[kind] = task
        return try await task.value
    }

    private static func make(_ kind: DatabaseKind) async throws -> String {
        switch kind {
        case .sqlite:
            let path = FileManager.default.temporaryDirectory.path + "/novella-template-\(getpid()).db"
            for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) }
            try await TestCloud.makeTemplate(try .sqlite(path: path, readers: 1, durable: false))
            return path
        case .postgreSQL:
            let server = try await PostgresServer.started()
            let name = try await server.createTemplate()
            try await TestCloud.makeTemplate(try .postgreSQL(server.parameters(database: name), connections: 1))
            return name
        }
    }
}

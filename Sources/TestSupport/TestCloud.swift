import Blobs
package import CloudCore
package import ControlPlane
import Crypto
package import Durable
import Foundation
import HTTPKit
package import HTTPTypes
import Images
import Logging
import NIOCore
package import SQL

/// The whole cloud in the test's own process: a database of its own, a clock that the test moves, no socket.
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
    private let configuration: Configuration
    private let stores: ImageStores

    package static let url = "http://cloud.test:5000"
    package static let adminPassword = "admin-password-of-tests"
    package static let demoPassword = "demo-password-of-tests"

    /// Runs `body` with a new cloud that has its first accounts, and removes it afterwards.
    ///
    /// - Parameters:
    ///   - configure: changes the configuration before the cloud is made.
    ///   - seed: of everything that is drawn by chance.
    ///   - hosts: what machines run on; nil: simulated ones, where the configuration asks for them.
    package static func run<Value: Sendable>(
        on kind: DatabaseKind = .usual, seed: UInt64 = 1, hosts: HostsPlan? = nil, _ configure: (inout Configuration) -> Void = { _ in },
        _ body: (TestCloud) async throws -> Value
    ) async throws -> Value {
        var configuration = plain
        configure(&configuration)
        // Making the accounts costs as much as many tests together: it is done once, and its database copied.
        let template = configuration == plain ? try await Template.shared.location(kind) : nil
        return try await TestDatabase.withDatabase(kind, copying: template) { test in
            try await withStores(configuration.images) { stores in
                let cloud = try TestCloud(configuration, test.database, stores, hosts: hosts, seed: seed)
                if template == nil { try await cloud.make() } else { try await cloud.cloud.prepare() }
                return try await body(cloud)
            }
        }
    }

    /// Runs `body` with several control processes on one PostgreSQL: they share the database, the clock and the master key,
    /// and nothing else.
    ///
    /// - Parameter isMade: whether the accounts are there; otherwise the database is empty.
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
    private static func withStores<Value>(_ images: Configuration.Images, _ body: (ImageStores) async throws -> Value) async throws -> Value {
        try await withTemporaryDirectory { try await withStores(images, below: $0, body) }
    }

    private static func withStores<Value>(
        _ images: Configuration.Images, below folder: String, _ body: (ImageStores) async throws -> Value
    ) async throws -> Value {
        var opened: [(name: String, store: FileBlobStore)] = []
        // Two threads: most clouds of tests never store a byte.
        for name in images.stores + (images.cacheSize > 0 ? ["cache"] : []) {
            opened.append((name, try await FileBlobStore(folder: "\(folder)/\(name)", world: .test(), threads: 2)))
        }
        let entries = opened.prefix(images.stores.count).map { ImageStores.Entry($0.name, $0.store) }
        var stores = ImageStores(entries[0], Array(entries.dropFirst()))
        if images.cacheSize > 0, let last = opened.last { stores.cache = .init(last.store, most: Int64(images.cacheSize) << 30) }
        let result: Result<Value, any Error>
        do { result = .success(try await body(stores)) } catch { result = .failure(error) }
        for one in opened { await one.store.close() }
        return try result.get()
    }

    /// Runs `body` with a cloud on a state directory that another binary has left behind.
    ///
    /// - Parameters:
    ///   - database: what the directory had as its database.
    ///   - now: when it is opened.
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
        _ configuration: Configuration, _ database: Database, _ stores: ImageStores, hosts: HostsPlan? = nil,
        masterKey: SymmetricKey = SymmetricKey(data: [UInt8](repeating: 7, count: 32)), clock: ManualClock = ManualClock(), seed: UInt64,
        faults: FaultPlan = .none
    ) throws {
        self.clock = clock
        self.configuration = configuration
        self.stores = stores
        world = .test(clock: clock, seed: seed)
        let simulated = configuration.simulate.enabled ? .simulated(configuration.simulate.hosts, isInstant: true) : HostsPlan.none
        cloud = try Cloud(
            configuration: configuration, database: database, world: world,
            masterKey: masterKey, imageStores: stores, hosts: hosts ?? simulated, sleeper: clock,
            cheapHashes: true, faults: faults, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Another control plane on all that this one has kept, as after a restart. This one must not be used any more.
    ///
    /// - Parameter hosts: nil: the same, with their agents.
    package func restarted(hosts: HostsPlan? = nil, seed: UInt64 = 2, faults: FaultPlan = .none) async throws -> TestCloud {
        let next = try TestCloud(
            configuration, database, stores, hosts: hosts ?? .again(cloud.fleet), clock: clock, seed: seed, faults: faults)
        try await next.cloud.prepare()
        return next
    }

    /// What a start does on a database that may be empty.
    ///
    /// - Returns: whether the accounts were made now.
    @discardableResult
    package func make(adminPassword: String = Self.adminPassword) async throws -> Bool {
        _ = try await database.migrate(Cloud.schemas)
        try await cloud.prepare()
        return try await cloud.bootstrap(adminPassword: adminPassword, demoPassword: Self.demoPassword, publicURL: Self.url)
    }

    /// Another seed than any test's, so that a test does not draw the ids again that the accounts have.
    fileprivate static func makeTemplate(_ database: Database) async throws {
        do {
            _ = try await withStores(plain.images) { try await TestCloud(plain, database, $0, seed: 0x5eed_0f_acc0_0e75).make() }
        } catch {
            await database.close()
            throw error
        }
        // SQLite: the last connection's end brings everything into the one file. PostgreSQL copies no database that is in use.
        await database.close()
    }

    // MARK: Requests

    package struct Response: Sendable {
        package let status: HTTPResponse.Status
        package let headers: HTTPFields
        package let bytes: [UInt8]

        /// Null where the body is empty or no JSON.
        package var json: JSON { (try? JSON.parse(bytes)) ?? .null }
        package var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    /// - Parameter path: from the root of the cloud's URL on, with the query.
    package func send(
        _ method: HTTPRequest.Method, _ path: String, token: String? = nil, json: JSON? = nil, headers: HTTPFields = [:]
    ) async -> Response {
        await send(method, path, token: token, bytes: json.map { Array($0.text.utf8) }, type: "application/json", headers: headers)
    }

    /// - Parameter type: of the bytes, unless the headers have one.
    package func send(
        _ method: HTTPRequest.Method, _ path: String, token: String? = nil, bytes given: [UInt8]?, type: String, headers: HTTPFields = [:]
    ) async -> Response {
        let bytes = given ?? []
        var fields = headers
        if let token { fields[.authToken] = token }
        if given != nil {
            fields[.contentType] = fields[.contentType] ?? type
            fields[.contentLength] = "\(bytes.count)"
        }
        let head = HTTPRequest(method: method, scheme: "http", authority: "cloud.test:5000", path: path, headerFields: fields)
        let reply = await cloud.responder.respond(to: head, .init(bytes: bytes, remoteAddress: "192.0.2.1"))
        return Response(status: reply.status, headers: reply.headers, bytes: await Self.bytes(of: reply))
    }

    /// Carries out workflows until nothing is due now.
    package func settle() async throws {
        while try await cloud.runner.runDue() {}
    }

    /// Sends what is answered only when a workflow has ended, and carries workflows out meanwhile. They are carried out only
    /// while the end of one is awaited, so what happens follows from the seed alone.
    ///
    /// - Throws: what a runner throws, as a simulated crash. The request is then dropped, as its client would see it.
    package func whileWorking<Value: Sendable>(_ request: @escaping @Sendable () async -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            let isAnswered = Box(false)
            group.addTask {
                defer { isAnswered.value = true }
                return await request()
            }
            while !isAnswered.value {
                // A pause and no yield: hundreds of tests run at once, and one that turns in a circle takes the time of others.
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

    /// Carries out workflows until each has ended, moving the clock to when something is due.
    package func settleAll() async throws {
        for _ in 0..<100 {
            try await settle()
            guard let next = try await cloud.runner.claims.nextDue() else { return }
            clock.set(next)
        }
        throw UnexpectedResponse(description: "workflows do not come to an end")
    }

    /// A token of a user of the default domain for a project of it.
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

    /// What a test did not count on and cannot go on after.
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

/// The database of a cloud that has just been made, once of each kind for the process.
private actor Template {
    static let shared = Template()

    private var made: [DatabaseKind: Task<String, any Error>] = [:]

    /// What `TestDatabase` copies.
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

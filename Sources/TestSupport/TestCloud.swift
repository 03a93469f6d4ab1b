package import CloudCore
package import ControlPlane
import Crypto
import Foundation
import HTTPKit
package import HTTPTypes
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

    package static let url = "http://cloud.test:5000"
    package static let adminPassword = "admin-password-of-tests"
    package static let demoPassword = "demo-password-of-tests"

    /// Runs `body` with a new cloud that has its first accounts, and removes it afterwards.
    ///
    /// - Parameters:
    ///   - configure: changes the configuration before the cloud is made.
    ///   - seed: of everything that is drawn by chance.
    package static func run<Value: Sendable>(
        seed: UInt64 = 1, _ configure: (inout Configuration) -> Void = { _ in }, _ body: (TestCloud) async throws -> Value
    ) async throws -> Value {
        var configuration = Configuration()
        configuration.server.publicURL = url
        let plain = configuration
        configure(&configuration)
        let isPlain = configuration == plain
        return try await withTemporaryDirectory { directory in
            let path = directory + "/novella.db"
            // Making the accounts costs as much as many tests together: it is done once, and its database copied.
            if isPlain { try FileManager.default.copyItem(atPath: try await Template.shared.path(plain), toPath: path) }
            let database = try Database.sqlite(path: path, readers: 2, durable: false)
            do {
                let test = try TestCloud(configuration, database, seed: seed)
                if isPlain { try await test.cloud.prepare() } else { try await test.make() }
                let value = try await body(test)
                await database.close()
                return value
            } catch {
                await database.close()
                throw error
            }
        }
    }

    fileprivate init(_ configuration: Configuration, _ database: Database, seed: UInt64) throws {
        clock = ManualClock()
        world = .test(clock: clock, seed: seed)
        cloud = try Cloud(
            configuration: configuration, database: database, world: world,
            masterKey: SymmetricKey(data: [UInt8](repeating: 7, count: 32)), cheapHashes: true,
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    fileprivate func make() async throws {
        _ = try await database.migrate(Cloud.schemas)
        try await cloud.prepare()
        _ = try await cloud.bootstrap(adminPassword: Self.adminPassword, demoPassword: Self.demoPassword, publicURL: Self.url)
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
        let bytes = json.map { Array($0.text.utf8) } ?? []
        var fields = headers
        if let token { fields[.authToken] = token }
        if json != nil {
            fields[.contentType] = fields[.contentType] ?? "application/json"
            fields[.contentLength] = "\(bytes.count)"
        }
        let head = HTTPRequest(method: method, scheme: "http", authority: "cloud.test:5000", path: path, headerFields: fields)
        let reply = await cloud.responder.respond(to: head, .init(bytes: bytes, remoteAddress: "192.0.2.1"))
        return Response(status: reply.status, headers: reply.headers, bytes: await Self.bytes(of: reply))
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

/// The database of a cloud that has just been made, once for the process.
private actor Template {
    static let shared = Template()

    private var made: Task<String, any Error>?

    func path(_ configuration: Configuration) async throws -> String {
        if let made { return try await made.value }
        let task = Task { try await Self.make(configuration) }  // tidy: allow task, tests that begin together share it
        made = task
        return try await task.value
    }

    /// Another seed than any test's, so that a test does not draw the ids again that the accounts have.
    private static func make(_ configuration: Configuration) async throws -> String {
        let path = FileManager.default.temporaryDirectory.path + "/novella-template-\(getpid()).db"
        for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) }
        let database = try Database.sqlite(path: path, readers: 1, durable: false)
        try await TestCloud(configuration, database, seed: 0x5eed_0f_acc0_0e75).make()
        // The last connection's end brings everything into the one file.
        await database.close()
        return path
    }
}

package import CloudCore
import ControlPlane
import HTTPKit
package import HTTPTypes
package import Testing

/// A caller of one API, for tests about what the API does rather than about HTTP.
package protocol APIClient: Sendable {
    /// The simulated hosts of the cloud that `run` and its like make.
    static var hosts: Int { get }
    var cloud: TestCloud { get }
    var token: String { get }

    init(cloud: TestCloud, token: String)
}

extension APIClient {
    package static var hosts: Int { 0 }

    /// Makes a client of the administrator.
    package init(_ cloud: TestCloud) async throws { self.init(cloud: cloud, token: try await cloud.token()) }

    /// Returns a client of a member of the project `demo`.
    package static func member(_ cloud: TestCloud) async throws -> Self {
        Self(cloud: cloud, token: try await cloud.memberToken())
    }

    /// Runs `body` with a new cloud, a client of the administrator, and one of a member of the project `demo`.
    package static func run(
        on kind: DatabaseKind = .usual, _ body: (TestCloud, _ admin: Self, _ member: Self) async throws -> Void
    ) async throws {
        try await withCloud(kind) { cloud in try await body(cloud, try await Self(cloud), try await member(cloud)) }
    }

    /// Runs `body` with a new cloud and a client of the administrator.
    package static func runAsAdmin(
        on kind: DatabaseKind = .usual, _ body: (TestCloud, Self) async throws -> Void
    ) async throws {
        try await withCloud(kind) { cloud in try await body(cloud, try await Self(cloud)) }
    }

    /// Runs `body` with a new cloud and a client of a member of the project `demo`.
    package static func runAsMember(
        on kind: DatabaseKind = .usual, _ body: (TestCloud, Self) async throws -> Void
    ) async throws {
        try await withCloud(kind) { cloud in try await body(cloud, try await member(cloud)) }
    }

    private static func withCloud(_ kind: DatabaseKind, _ body: (TestCloud) async throws -> Void) async throws {
        try await TestCloud.run(
            on: kind, { if hosts > 0 { ($0.simulate.enabled, $0.simulate.hosts) = (true, hosts) } }, body)
    }
}

/// A caller of an API with microversions.
package protocol VersionedClient: APIClient {
    /// The path of the API.
    static var path: String { get }
    /// The header's value up to the minor version, such as `compute 2.`.
    static var version: String { get }
    /// The minor version that is asked for if a request names none.
    var minor: Int { get }
}

extension VersionedClient {
    package func send(
        _ method: HTTPRequest.Method, _ path: String, _ json: JSON? = nil, minor: Int? = nil
    ) async -> TestCloud.Response {
        await cloud.send(
            method, Self.path + path, token: token, json: json,
            headers: [.apiVersion: "\(Self.version)\(minor ?? self.minor)"])
    }

    /// Sends a request that must succeed, and returns its body.
    @discardableResult
    package func good(
        _ method: HTTPRequest.Method, _ path: String, _ json: JSON? = nil, minor: Int? = nil,
        location: SourceLocation = #_sourceLocation
    ) async -> JSON {
        let reply = await send(method, path, json, minor: minor)
        #expect(reply.status.code < 300, "\(method) \(path): \(reply.status) \(reply.text)", sourceLocation: location)
        return reply.json
    }

    /// Sends a request that must be refused with the given status, and returns the message.
    @discardableResult
    package func refused(
        _ status: HTTPResponse.Status, _ method: HTTPRequest.Method, _ path: String, _ json: JSON? = nil,
        minor: Int? = nil, location: SourceLocation = #_sourceLocation
    ) async -> String {
        let reply = await send(method, path, json, minor: minor)
        #expect(reply.status == status, "\(method) \(path): \(reply.status) \(reply.text)", sourceLocation: location)
        return reply.json.object?.members.first?.value["message"]?.string ?? ""
    }
}

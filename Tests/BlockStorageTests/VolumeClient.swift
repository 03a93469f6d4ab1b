import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

/// A caller of Block Storage, for tests about what it does rather than about HTTP.
struct VolumeClient {
    let cloud: TestCloud
    let token: String
    var minor = 71

    /// Makes a client of an administrator.
    init(_ cloud: TestCloud) async throws {
        self.cloud = cloud
        token = try await cloud.token()
    }

    private init(_ cloud: TestCloud, token: String) {
        self.cloud = cloud
        self.token = token
    }

    /// Returns a client of a member of the project `demo`.
    static func member(_ cloud: TestCloud) async throws -> VolumeClient {
        VolumeClient(
            cloud, token: try await cloud.token(user: "demo", password: TestCloud.demoPassword, project: "demo"))
    }

    /// Runs `body` with a cloud that has simulated hosts with pools.
    static func run(
        on kind: DatabaseKind = .usual, hosts: Int = 1, _ body: (TestCloud) async throws -> Void
    ) async throws {
        try await TestCloud.run(on: kind, { ($0.simulate.enabled, $0.simulate.hosts) = (true, hosts) }, body)
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, _ json: JSON? = nil, minor: Int? = nil
    ) async -> TestCloud.Response {
        await cloud.send(
            method, "/volume/v3" + path, token: token, json: json,
            headers: [.apiVersion: "volume 3.\(minor ?? self.minor)"])
    }

    /// Sends a request that must succeed, and returns its body.
    @discardableResult
    func good(
        _ method: HTTPRequest.Method, _ path: String, _ json: JSON? = nil, minor: Int? = nil,
        location: SourceLocation = #_sourceLocation
    ) async -> JSON {
        let reply = await send(method, path, json, minor: minor)
        #expect(reply.status.code < 300, "\(method) \(path): \(reply.status) \(reply.text)", sourceLocation: location)
        return reply.json
    }

    /// Sends a request that must be refused with the given status, and returns the message.
    @discardableResult
    func refused(
        _ status: HTTPResponse.Status, _ method: HTTPRequest.Method, _ path: String, _ json: JSON? = nil,
        minor: Int? = nil, location: SourceLocation = #_sourceLocation
    ) async -> String {
        let reply = await send(method, path, json, minor: minor)
        #expect(reply.status == status, "\(method) \(path): \(reply.status) \(reply.text)", sourceLocation: location)
        return reply.json.object?.members.first?.value["message"]?.string ?? ""
    }

    // MARK: Volumes

    /// Makes a volume and carries out its workflow; returns its id.
    func volume(_ more: JSONObject = [:], location: SourceLocation = #_sourceLocation) async throws -> String {
        var wish: JSONObject = ["name": "v", "size": 1]
        for (name, value) in more.members { wish[name] = value }
        let made = await good(.post, "/volumes", ["volume": .object(wish)], location: location)
        try await cloud.settle()
        return try #require(made["volume"]?["id"]?.string, sourceLocation: location)
    }

    func show(_ id: String) async -> JSON { await good(.get, "/volumes/\(id)")["volume"] ?? .null }

    func status(_ id: String) async -> String { await show(id)["status"]?.string ?? "" }

    /// Does an action on a volume.
    @discardableResult
    func act(
        _ id: String, _ word: String, _ value: JSON = .null, minor: Int? = nil,
        location: SourceLocation = #_sourceLocation
    ) async -> JSON {
        await good(.post, "/volumes/\(id)/action", [word: value], minor: minor, location: location)
    }

    /// Makes a snapshot and carries out its workflow; returns its id.
    func snapshot(of volume: String, location: SourceLocation = #_sourceLocation) async throws -> String {
        let body: JSON = ["snapshot": ["volume_id": .string(volume), "name": "s"]]
        let made = await good(.post, "/snapshots", body, location: location)
        try await cloud.settle()
        return try #require(made["snapshot"]?["id"]?.string, sourceLocation: location)
    }

    /// Makes a volume type; returns its id.
    func type(_ name: String, _ specs: JSONObject = [:]) async throws -> String {
        let body: JSON = ["volume_type": ["name": .string(name), "extra_specs": .object(specs)]]
        return try #require(await good(.post, "/types", body)["volume_type"]?["id"]?.string)
    }

    func names(_ path: String, _ list: String = "volumes") async -> [String] {
        await good(.get, path)[list]?.array?.compactMap { $0["name"]?.string } ?? []
    }
}

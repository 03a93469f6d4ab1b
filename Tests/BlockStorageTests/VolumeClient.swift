import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

/// A caller of Block Storage. Its cloud has a simulated host with a pool.
struct VolumeClient: VersionedClient {
    static let hosts = 1
    static let path = "/volume/v3"
    static let version = "volume 3."
    let cloud: TestCloud
    let token: String
    var minor = 71

    init(cloud: TestCloud, token: String) { (self.cloud, self.token) = (cloud, token) }

    /// Runs `body` with a cloud that has simulated hosts with pools.
    static func run(
        on kind: DatabaseKind = .usual, hosts: Int = 1, _ body: (TestCloud) async throws -> Void
    ) async throws {
        try await TestCloud.run(on: kind, { ($0.simulate.enabled, $0.simulate.hosts) = (true, hosts) }, body)
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

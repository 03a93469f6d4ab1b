import CloudCore
import HTTPTypes
import TestSupport
import Testing

/// The parts of groups that several tests make.
struct GroupClient {
    let admin: VolumeClient
    let demo: VolumeClient
    let cloud: TestCloud

    init(_ cloud: TestCloud) async throws {
        self.cloud = cloud
        admin = try await VolumeClient(cloud)
        demo = try await VolumeClient.member(cloud)
    }

    static func run(
        on kind: DatabaseKind = .usual, _ body: (TestCloud, GroupClient) async throws -> Void
    ) async throws {
        try await VolumeClient.run(on: kind) { cloud in try await body(cloud, try await GroupClient(cloud)) }
    }

    /// Makes a group type; returns its id.
    func type(_ name: String = "g", _ specs: JSONObject = [:]) async throws -> String {
        let body: JSON = ["group_type": ["name": .string(name), "group_specs": .object(specs)]]
        return try #require(await admin.good(.post, "/group_types", body)["group_type"]?["id"]?.string)
    }

    /// Makes a group of volumes of the usual type, with its group type; returns its id.
    func group(_ name: String = "team", type: String = "g") async throws -> String {
        if await admin.names("/group_types", "group_types").contains(type) == false { _ = try await self.type(type) }
        let body: JSON = [
            "group": ["name": .string(name), "group_type": .string(type), "volume_types": ["__DEFAULT__"]]
        ]
        return try #require(await demo.good(.post, "/groups", body)["group"]?["id"]?.string)
    }

    /// Makes a volume in a group; returns its id.
    func volume(in group: String, _ more: JSONObject = [:]) async throws -> String {
        var wish: JSONObject = ["group_id": .string(group), "volume_type": "__DEFAULT__"]
        for (name, value) in more.members { wish[name] = value }
        return try await demo.volume(wish)
    }

    func show(_ id: String) async -> JSON { await demo.good(.get, "/groups/\(id)?list_volume=true")["group"] ?? .null }

    func snapshot(of group: String) async throws -> String {
        let body: JSON = ["group_snapshot": ["group_id": .string(group), "name": "gs"]]
        return try #require(await demo.good(.post, "/group_snapshots", body)["group_snapshot"]?["id"]?.string)
    }

    func snapshotStatus(_ id: String) async -> JSON? {
        await demo.good(.get, "/group_snapshots/\(id)")["group_snapshot"]?["status"]
    }
}

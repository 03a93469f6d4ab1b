import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import SQL
import TestSupport
import Testing

/// A caller of both services.
struct VolumeStory {
    let compute: ComputeClient
    let image: String

    func storage(
        _ method: HTTPRequest.Method, _ path: String, _ json: JSON? = nil
    ) async -> TestCloud.Response {
        await compute.cloud.send(
            method, "/volume/v3" + path, token: compute.token, json: json,
            headers: [.apiVersion: "volume 3.71"])
    }

    func settle() async throws { try await compute.cloud.settleAll() }

    /// Makes a volume of 1 GiB and returns its id.
    func volume(_ more: JSONObject = [:]) async throws -> String {
        var wish: JSONObject = ["name": "v", "size": 1]
        for (name, value) in more.members { wish[name] = value }
        let made = await storage(.post, "/volumes", ["volume": .object(wish)])
        try await settle()
        return try #require(made.json["volume"]?["id"]?.string, "\(made.text)")
    }

    func show(_ volume: String) async -> JSON { await storage(.get, "/volumes/\(volume)").json["volume"] ?? .null }

    func status(_ volume: String) async -> String { await show(volume)["status"]?.string ?? "gone" }

    func server(_ more: JSONObject = [:]) async throws -> String {
        let id = try await ServerTests.boot(compute, image, more)
        try await settle()
        return id
    }

    func attach(_ volume: String, to server: String, _ more: JSONObject = [:]) async -> TestCloud.Response {
        var wish: JSONObject = ["volumeId": .string(volume)]
        for (name, value) in more.members { wish[name] = value }
        return await compute.send(
            .post, "/servers/\(server)/os-volume_attachments", ["volumeAttachment": .object(wish)], minor: 100)
    }

    /// Returns the actions on a server that tell of the growth of a volume.
    func growths(of server: String) async -> [JSON] {
        let all = await compute.good(.get, "/servers/\(server)/os-instance-actions")["instanceActions"]?.array ?? []
        return all.filter { $0["action"] == "extend_volume" }
    }

    /// Returns the id of the caller's project.
    func project() async throws -> String {
        let shown = try await show(volume())
        return try #require(shown["os-vol-tenant-attr:tenant_id"]?.string)
    }

    func disks(_ server: String) -> [String] {
        let machine = compute.cloud.cloud.fleet.simulatedMachines.first { $0.id == server }
        return machine?.disks.map { String($0.prefix { $0 != " " }) } ?? []
    }

    /// Runs the body in a cloud with simulated hosts, two flavors and an image.
    static func run(hosts: Int = 2, _ body: (VolumeStory) async throws -> Void) async throws {
        try await ServerTests.run(hosts: hosts) { client, image in
            try await body(VolumeStory(compute: client, image: image))
        }
    }

    /// Makes a server whose root disk is a volume of 1 GiB with the image's bytes.
    func volumeBacked(_ more: JSONObject = [:], devices: [JSON] = []) async throws -> String {
        let root: JSON = [
            "source_type": "image", "destination_type": "volume", "uuid": .string(image), "volume_size": 1,
            "boot_index": 0, "delete_on_termination": true,
        ]
        var wish: JSONObject = [
            "name": "one", "flavorRef": "small", "networks": "none",
            "block_device_mapping_v2": .array([root] + devices),
        ]
        for (name, value) in more.members { wish[name] = value }
        let made = await compute.good(.post, "/servers", ["server": .object(wish)])
        try await settle()
        return try #require(made["server"]?["id"]?.string)
    }

    func shown(_ server: String) async -> JSON {
        await compute.good(.get, "/servers/\(server)")["server"] ?? .null
    }

    func serverStatus(_ server: String) async -> String { await shown(server)["status"]?.string ?? "" }

    /// Does an action on a server and carries out its workflows.
    func act(
        _ server: String, _ action: JSON, minor: Int? = nil, location: SourceLocation = #_sourceLocation
    ) async throws {
        await compute.good(.post, "/servers/\(server)/action", action, minor: minor, location: location)
        try await settle()
    }

    /// Returns the ids of a server's volumes by their devices.
    func volumes(_ server: String) async -> [String: String] {
        let listed = await compute.good(.get, "/servers/\(server)/os-volume_attachments")["volumeAttachments"]
        let pairs = (listed?.array ?? []).map { ($0["device"]?.string ?? "", $0["volumeId"]?.string ?? "") }
        return Dictionary(pairs) { first, _ in first }
    }

    /// Returns the hosts that have a machine of the server, each with its power state.
    func machines(_ server: String) -> [String] {
        compute.cloud.cloud.fleet.simulatedMachines.filter { $0.id == server }.map { "\($0.host) \($0.power)" }
    }

    /// Returns what all consumers together hold of a resource of the hosts.
    func held(_ resource: String) async throws -> Int64 {
        try await compute.cloud.database.read { tx in
            try tx.value(
                "SELECT CAST(coalesce(sum(used), 0) AS BIGINT) FROM placement_allocation WHERE resource_class = ?",
                resource) ?? 0
        }
    }
}

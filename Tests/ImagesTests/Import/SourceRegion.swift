import CloudCore
import ControlPlane
import Crypto
import HTTPTypes
import TestSupport
import Testing

@testable import Images

/// The image service of another region: one image, on a port of this host.
struct SourceRegion: Sendable {
    static let name = "RegionTwo"
    static let imageID = "36d4b546-64a2-4bb9-bdd0-ba676aa48f2c"
    static let path = "/v2/images/\(imageID)"

    var bytes = ImportStage.content
    /// Members of the image that replace those of `describe`; null removes a member.
    var members: JSONObject = [:]
    /// The answer that replaces the image's description, and the one that replaces its data.
    var description: ScriptedServer.Answer?
    var data: ScriptedServer.Answer?

    static func describe(_ bytes: [UInt8]) -> JSONObject {
        [
            "id": .string(imageID), "status": "active", "disk_format": "raw", "container_format": "bare", "size": .integer(Int64(bytes.count)),
            "os_hash_algo": "sha512", "os_hash_value": .string(Hex.text(SHA512.hash(data: bytes))), "os_hidden": true, "owner": "somebody",
            "hw_cpu_cores": "5", "trait:STORAGE_DISK_SSD": "required", "os_distro": "rhel", "os_type": "linux", "speed": "88mph",
            "os_glance_failed_import": "file", "hwx": "no prefix of its own", "min_disk": 7, "visibility": "public",
        ]
    }

    func answer(_ target: String) -> ScriptedServer.Answer {
        switch target {
        case Self.path: description ?? .body(Array(JSON.object(described).text.utf8))
        case Self.path + "/file": data ?? .body(bytes)
        default: .status("404 Not Found")
        }
    }

    private var described: JSONObject {
        var all = Self.describe(bytes)
        for (name, value) in members.members { all[name] = value == .null ? nil : value }
        return all
    }

    /// Runs `body` with a cloud whose catalog has this region.
    func run(
        on kind: DatabaseKind = .usual, _ configure: (inout Configuration) -> Void = { _ in },
        _ body: (ImagesStage, ScriptedServer) async throws -> Void
    ) async throws {
        let region = self
        try await ScriptedServer.run({ region.answer($0) }) { server in
            try await ImagesStage.run(on: kind, configure) { stage in
                // An operator may write the URL with a slash at the end.
                try await Self.offer("http://127.0.0.1:\(server.port)/", stage)
                try await body(stage, server)
            }
        }
    }

    static func offer(_ url: String, _ stage: ImagesStage) async throws {
        let cloud = stage.cloud
        let made = await cloud.send(.post, "/v3/regions", token: stage.admin, json: ["region": ["id": .string(name)]])
        #expect(made.status == .created)
        let services = await cloud.send(.get, "/v3/services?type=image", token: stage.admin).json["services"]
        let service = try #require(services?.array?.first?["id"])
        for (interface, url) in [("public", url), ("internal", "ftp://127.0.0.1/")] {
            let endpoint: JSON = ["service_id": service, "interface": .string(interface), "region_id": .string(name), "url": .string(url)]
            let made = await cloud.send(.post, "/v3/endpoints", token: stage.admin, json: ["endpoint": endpoint])
            #expect(made.status == .created, "\(made.text)")
        }
    }

    static func request(region: String = name, id: String = imageID, interface: String? = nil) -> JSON {
        var method: JSONObject = ["name": "glance-download", "glance_region": .string(region), "glance_image_id": .string(id)]
        if let interface { method["glance_service_interface"] = .string(interface) }
        return ["method": .object(method)]
    }
}

import CloudCore
import ControlPlane
import HTTPTypes
import SQL
import TestSupport
import Testing

@testable import Images

/// The holes of OpenStack's security advisories about staged and imported data. `SecurityTests` covers uploads, and
/// `FetcherTests` covers URLs.
@Suite("Images: advisories about imports", .timeLimit(.minutes(15)))
struct ImportSecurityTests {
    private static let data = [UInt8](repeating: 7, count: 5000)

    /// Returns a qcow2 with a backing file.
    private static func backed(by path: String) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 1 << 18)
        bytes.replaceSubrange(0..<8, with: [0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 3])
        (bytes[15], bytes[19]) = (200, UInt8(path.utf8.count))
        bytes.replaceSubrange(200..<200 + path.utf8.count, with: Array(path.utf8))
        return bytes
    }

    @Test("ossa_2015_014, ossa_2024_003 Staged data is inspected before its import, and again if the formats change")
    func ossa_2015_014() async throws {
        try await ImagesStage.run { stage in
            let evil = Self.backed(by: "/etc/passwd")
            for format in ["qcow2", "raw", "vmdk"] {
                let id = try await stage.make(["disk_format": .string(format)])
                let answer = await stage.cloud.send(
                    .put, "/image/v2/images/\(id)/stage", token: stage.demo, bytes: evil, type: "application/octet-stream")
                #expect(answer.status == .noContent)
                try await refused(id, stage)
            }
            // The inside of this container is not inspected until the image gets another container format.
            let id = try await stage.make(["disk_format": "qcow2", "container_format": "ova"])
            let answer = await stage.cloud.send(
                .put, "/image/v2/images/\(id)/stage", token: stage.demo, bytes: evil, type: "application/octet-stream")
            #expect(answer.status == .noContent)
            try await stage.cloud.database.write { tx in
                _ = try tx.execute("UPDATE image SET container_format = 'bare' WHERE id = ?", id)
            }
            try await refused(id, stage)
        }
    }

    /// Imports the staged data, and checks that the import fails and keeps none of it.
    private func refused(_ id: String, _ stage: ImagesStage) async throws {
        await stage.send(.post, "/images/\(id)/import", ["method": ["name": "glance-direct"]], as: stage.demo, .accepted)
        try await stage.cloud.settleAll()
        #expect(await stage.image(id)["status"] == "queued")
        #expect(await stage.image(id)["os_glance_failed_import"] == "file")
        #expect(await stage.send(.get, "/images/\(id)/file", as: stage.demo, .noContent).bytes.isEmpty)
    }

    @Test("ossa_2024_002 Unfit staged data is refused even if the image loses its formats during the import")
    func ossa_2024_002_withoutFormats() async throws {
        try await ImagesStage.run { stage in
            let id = try await stage.make(["disk_format": "raw"])
            _ = await stage.cloud.send(
                .put, "/image/v2/images/\(id)/stage", token: stage.demo, bytes: Self.backed(by: "/etc/passwd"), type: "application/octet-stream")
            await stage.send(.post, "/images/\(id)/import", ["method": ["name": "glance-direct"]], as: stage.demo, .accepted)
            try await stage.cloud.database.write { tx in
                _ = try tx.execute("UPDATE image SET disk_format = NULL, container_format = NULL WHERE id = ?", id)
            }
            try await stage.cloud.settleAll()
            #expect(await stage.image(id)["status"] == "queued")
        }
    }

    @Test("ossa_2024_002 An image cannot get another format while its data is imported")
    func ossa_2024_002() async throws {
        try await ImagesStage.run { stage in
            let id = try await stage.make()
            _ = await stage.cloud.send(
                .put, "/image/v2/images/\(id)/stage", token: stage.demo, bytes: Self.data, type: "application/octet-stream")
            await stage.send(.post, "/images/\(id)/import", ["method": ["name": "glance-direct"]], as: stage.demo, .accepted)
            // The API may allow or refuse this change; only the image's outcome counts.
            _ = await stage.cloud.send(
                .patch, "/image/v2/images/\(id)", token: stage.demo,
                json: [["op": "replace", "path": "/disk_format", "value": "qcow2"]],
                headers: [.contentType: "application/openstack-images-v2.1-json-patch"])
            try await stage.cloud.settleAll()
            let image = await stage.image(id)
            #expect(image["status"] == "queued" || image["disk_format"] == "raw", "\(image.text)")
        }
    }

    @Test(
        "ossa_2015_002 A task imports no file of the host", arguments: ["file:///etc/passwd", "filesystem:///etc/passwd", "/etc/passwd", "http://127.0.0.1/"])
    func ossa_2015_002(url: String) async throws {
        try await ImagesStage.run { stage in
            let task: JSON = [
                "type": "import",
                "input": ["import_from": .string(url), "import_from_format": "raw", "image_properties": ["disk_format": "raw"]],
            ]
            await stage.send(.post, "/tasks", task, as: stage.admin, .badRequest)
            await stage.send(.post, "/tasks", task, as: stage.demo, .forbidden)
        }
    }

    @Test("ossa_2016_006 The data of an active image cannot be staged or imported again, nor can the import's properties be set")
    func ossa_2016_006() async throws {
        try await ImagesStage.run { stage in
            let id = try await stage.make()
            await stage.upload(Self.data, to: id)
            let before = await stage.image(id)
            for token in [stage.demo, stage.admin] {
                let staged = await stage.cloud.send(
                    .put, "/image/v2/images/\(id)/stage", token: token, bytes: [1, 2, 3], type: "application/octet-stream")
                #expect(staged.status == .conflict)
                for method in ["glance-direct", "web-download"] {
                    let body: JSON = ["method": ["name": .string(method), "uri": "http://example.org/"]]
                    await stage.send(.post, "/images/\(id)/import", body, as: token, .conflict)
                }
                await stage.patch(id, [["op": "add", "path": "/os_glance_failed_import", "value": "x"]], as: token, .forbidden)
            }
            await stage.send(.post, "/images", ["os_glance_importing_to_stores": "x"], as: stage.demo, .forbidden)
            let after = await stage.image(id)
            #expect(after == before)
        }
    }

    @Test("ossa_2013_027 A caller who may not see an image gets none of its bytes, even if others have just read them")
    func ossa_2013_027() async throws {
        try await ImagesStage.run { stage in
            let id = try await stage.make()
            await stage.upload(Self.data, to: id)
            #expect(await stage.cloud.send(.get, "/image/v2/images/\(id)/file", token: stage.demo).bytes == Self.data)
            for token in [stage.other, nil] {
                let answer = await stage.cloud.send(.get, "/image/v2/images/\(id)/file", token: token)
                #expect(answer.status == (token == nil ? .unauthorized : .notFound) && answer.bytes.count < 1000)
            }
            // Equal bytes in another project's image give no access to this one.
            let own = try await stage.make(as: stage.other)
            await stage.upload(Self.data, to: own, as: stage.other)
            await stage.send(.get, "/images/\(id)", as: stage.other, .notFound)
            await stage.send(.delete, "/images/\(own)", as: stage.other, .noContent)
            #expect(await stage.cloud.send(.get, "/image/v2/images/\(id)/file", token: stage.demo).bytes == Self.data)
        }
    }

    @Test("ossa_2012_017 Nobody can stage for, import into or copy an image of another project, whatever its visibility", arguments: ["private", "shared", "community", "public"])
    func ossa_2012_017(visibility: String) async throws {
        try await ImagesStage.run { stage in
            let id = try await stage.make(["visibility": .string(visibility), "owner": .string(stage.demoProject)], as: stage.admin)
            if visibility == "shared" {
                await stage.send(.post, "/images/\(id)/members", ["member": .string(stage.otherProject)], as: stage.demo, .ok)
            }
            let status: HTTPResponse.Status = visibility == "private" ? .notFound : .forbidden
            let staged = await stage.cloud.send(
                .put, "/image/v2/images/\(id)/stage", token: stage.other, bytes: [1], type: "application/octet-stream")
            #expect(staged.status == status)
            let fetch: JSON = ["method": ["name": "web-download", "uri": "http://example.org/"]]
            await stage.send(.post, "/images/\(id)/import", fetch, as: stage.other, status)
            await stage.upload(Self.data, to: id)
            let copy: JSON = ["method": ["name": "copy-image"], "all_stores": true]
            await stage.send(.post, "/images/\(id)/import", copy, as: stage.other, status)
            #expect(await stage.send(.get, "/images/\(id)/tasks", as: stage.demo, .ok).json["tasks"] == [])
        }
    }
}

/// Quotas on staged data and on data from elsewhere.
@Suite("Quotas of imports")
struct ImportQuotaTests {
    private static let mebibyte = 1 << 20

    private func register(_ stage: ImagesStage, _ name: String, _ limit: Int64) async throws {
        let services = await stage.cloud.send(.get, "/v3/services?type=image", token: stage.admin).json["services"]
        let service = try #require(services?.array?.first?["id"]?.string)
        let body: JSON = [
            "registered_limits": [["service_id": .string(service), "resource_name": .string(name), "default_limit": .integer(limit)]]
        ]
        #expect(await stage.cloud.send(.post, "/v3/registered_limits", token: stage.admin, json: body).status == .created)
    }

    private func stageData(_ stage: ImagesStage, _ id: String, _ count: Int) async -> HTTPResponse.Status {
        await stage.cloud.send(
            .put, "/image/v2/images/\(id)/stage", token: stage.demo, bytes: [UInt8](repeating: 5, count: count), type: "application/octet-stream"
        ).status
    }

    @Test("ossa_2015_020 Staged data counts exactly, and no longer counts after its import or deletion")
    func ossa_2015_020() async throws {
        try await ImagesStage.run { stage in
            try await register(stage, "image_stage_total", 3)
            let first = try await stage.make()
            let second = try await stage.make()
            #expect(await stageData(stage, first, 2 * Self.mebibyte) == .noContent)
            #expect(await stageData(stage, second, 2 * Self.mebibyte) == .contentTooLarge)
            #expect(await stage.image(second)["status"] == "queued")
            #expect(await stageData(stage, second, Self.mebibyte) == .noContent)
            await stage.send(.delete, "/images/\(first)", as: stage.demo, .noContent)
            let third = try await stage.make()
            #expect(await stageData(stage, third, 2 * Self.mebibyte) == .noContent)
            await stage.send(.post, "/images/\(third)/import", ["method": ["name": "glance-direct"]], as: stage.demo, .accepted)
            try await stage.cloud.settleAll()
            #expect(await stage.image(third)["status"] == "active")
            let usage = await stage.send(.get, "/info/usage", as: stage.demo, .ok).json["usage"]
            #expect(usage?["image_stage_total"]?["usage"] == 1 && usage?["image_size_total"]?["usage"] == 2)
        }
    }

    @Test("ossa_2015_013 A download ends at the quota, and an import never exceeds it", arguments: ["image_size_total", "image_stage_total"])
    func ossa_2015_013(resource: String) async throws {
        let body = [UInt8](repeating: 5, count: 3 * Self.mebibyte)
        try await ScriptedServer.run({ _ in .body(body) }) { server in
            try await ImagesStage.run({ configuration in
                configuration.webDownload.privateHosts = ["127.0.0.1"]
                configuration.webDownload.allowedPorts = ["\(server.port)"]
            }) { stage in
                try await register(stage, resource, 2)
                let id = try await stage.make()
                let request: JSON = ["method": ["name": "web-download", "uri": .string("http://127.0.0.1:\(server.port)/")]]
                await stage.send(.post, "/images/\(id)/import", request, as: stage.demo, .accepted)
                try await stage.cloud.settleAll()
                #expect(await stage.image(id)["status"] == "queued")
                let tasks = await stage.send(.get, "/images/\(id)/tasks", as: stage.demo, .ok).json["tasks"]?.array
                #expect(tasks?.first?["status"] == "failure")
            }
        }
    }
}

import CloudCore
import ControlPlane
import HTTPTypes
import ImageFormats
import NIOCore
import SQL
import TestSupport
import Testing

@testable import Images

/// Holes of OpenStack's security advisories that concern images and their data, through the whole cloud. Those of the formats alone
/// are in ImageFormatsTests, those of URLs in Import.
@Suite("Advisories about the service of images")
struct ServiceAdvisoryTests {
    private static let data = [UInt8](repeating: 7, count: 5000)

    /// A qcow2 whose data is in another file.
    private static func backed(by path: String) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 1 << 18)
        bytes.replaceSubrange(0..<8, with: [0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 3])
        (bytes[15], bytes[19]) = (200, UInt8(path.utf8.count))
        bytes.replaceSubrange(200..<200 + path.utf8.count, with: Array(path.utf8))
        return bytes
    }

    @Test("ossa_2015_014, ossa_2024_003 What is staged was looked at before, and again when the image says something else of it")
    func ossa_2015_014() async throws {
        try await ImagesStage.run { stage in
            let evil = Self.backed(by: "/etc/passwd")
            for format in ["qcow2", "raw", "vmdk"] {
                let id = try await stage.make(["disk_format": .string(format)])
                let answer = await stage.cloud.send(
                    .put, "/image/v2/images/\(id)/stage", token: stage.demo, bytes: evil, type: "application/octet-stream")
                #expect(answer.status == .unsupportedMediaType)
                await stage.upload(evil, to: id, .unsupportedMediaType)
                #expect(await stage.image(id)["status"] == "queued")
            }
            // A container whose inside nobody looks at, until it is said to be something else.
            let id = try await stage.make(["disk_format": "qcow2", "container_format": "ova"])
            let answer = await stage.cloud.send(
                .put, "/image/v2/images/\(id)/stage", token: stage.demo, bytes: evil, type: "application/octet-stream")
            #expect(answer.status == .noContent)
            try await stage.cloud.database.write { tx in
                _ = try tx.execute("UPDATE image SET container_format = 'bare' WHERE id = ?", id)
            }
            await stage.send(.post, "/images/\(id)/import", ["method": ["name": "glance-direct"]], as: stage.demo, .accepted)
            try await stage.cloud.settleAll()
            #expect(await stage.image(id)["status"] == "queued")
            #expect(await stage.image(id)["os_glance_failed_import"] == "file")
        }
    }

    @Test("ossa_2024_002 An image cannot be made another format while its data is imported")
    func ossa_2024_002() async throws {
        try await ImagesStage.run { stage in
            let id = try await stage.make()
            _ = await stage.cloud.send(
                .put, "/image/v2/images/\(id)/stage", token: stage.demo, bytes: Self.data, type: "application/octet-stream")
            await stage.send(.post, "/images/\(id)/import", ["method": ["name": "glance-direct"]], as: stage.demo, .accepted)
            // The API may or may not let it happen; what counts is what becomes of the image.
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
        "ossa_2014_041, ossa_2015_002 A location that is a file of the host is refused, whoever tells it",
        arguments: ["file:///etc/passwd", "filesystem:///etc/passwd", "/etc/passwd", "blob://file/../../etc/passwd", "http://127.0.0.1/"])
    func ossa_2015_002(url: String) async throws {
        try await ImagesStage.run { stage in
            for token in [stage.admin, stage.demo] {
                let id = try await stage.make(as: token)
                let location: JSON = ["url": .string(url), "metadata": [:]]
                for change: JSON in [
                    ["op": "add", "path": "/locations/-", "value": location], ["op": "replace", "path": "/locations", "value": .array([location])],
                ] {
                    let answer = await stage.cloud.send(
                        .patch, "/image/v2/images/\(id)", token: token, json: .array([change]),
                        headers: [.contentType: "application/openstack-images-v2.1-json-patch"])
                    #expect((400..<500).contains(answer.status.code), "\(answer.text)")
                    #expect(!answer.text.contains("root:"))
                }
                let added = await stage.cloud.send(.post, "/image/v2/images/\(id)/locations", token: token, json: ["url": .string(url)])
                #expect((400..<500).contains(added.status.code), "\(added.text)")
                #expect(await stage.image(id, as: token)["status"] == "queued")
            }
            let task: JSON = [
                "type": "import",
                "input": ["import_from": .string(url), "import_from_format": "raw", "image_properties": ["disk_format": "raw"]],
            ]
            await stage.send(.post, "/tasks", task, as: stage.admin, .badRequest)
            await stage.send(.post, "/tasks", task, as: stage.demo, .forbidden)
        }
    }

    @Test("ossa_2015_019, ossa_2016_006 The status is nobody's to set, and the data of an active image never changes")
    func ossa_2016_006() async throws {
        try await ImagesStage.run { stage in
            let id = try await stage.make()
            await stage.upload(Self.data, to: id)
            let before = await stage.image(id)
            for token in [stage.demo, stage.admin] {
                await stage.upload([1, 2, 3], to: id, as: token, .conflict)
                let staged = await stage.cloud.send(
                    .put, "/image/v2/images/\(id)/stage", token: token, bytes: [1, 2, 3], type: "application/octet-stream")
                #expect(staged.status == .conflict)
                for method in ["glance-direct", "web-download"] {
                    let body: JSON = ["method": ["name": .string(method), "uri": "http://example.org/"]]
                    await stage.send(.post, "/images/\(id)/import", body, as: token, .conflict)
                }
                for (path, value) in [("status", "queued"), ("checksum", "0"), ("size", "3"), ("os_hash_value", "0"), ("virtual_size", "1")] {
                    let change: JSON = [["op": "replace", "path": .string("/" + path), "value": .string(value)]]
                    let answer = await stage.cloud.send(
                        .patch, "/image/v2/images/\(id)", token: token, json: change,
                        headers: [.contentType: "application/openstack-images-v2.1-json-patch"])
                    #expect((400..<500).contains(answer.status.code), "\(path): \(answer.text)")
                }
                // The last place of the data cannot be taken away, which would make the image one to be filled anew.
                let emptied = await stage.cloud.send(
                    .patch, "/image/v2/images/\(id)", token: token, json: [["op": "remove", "path": "/locations/0"]],
                    headers: [.contentType: "application/openstack-images-v2.1-json-patch"])
                #expect((400..<500).contains(emptied.status.code), "\(emptied.text)")
                await stage.send(.delete, "/stores/file/\(id)", as: token, .forbidden)
            }
            await stage.send(.post, "/images", ["status": "active"], as: stage.demo, .forbidden)
            await stage.send(.post, "/images", ["os_glance_failed_import": "x"], as: stage.demo, .forbidden)
            let after = await stage.image(id)
            #expect(after == before)
        }
    }

    @Test("ossa_2013_027 Who may not see an image gets none of its bytes, also when others have just read them")
    func ossa_2013_027() async throws {
        try await ImagesStage.run { stage in
            let id = try await stage.make()
            await stage.upload(Self.data, to: id)
            #expect(await stage.cloud.send(.get, "/image/v2/images/\(id)/file", token: stage.demo).bytes == Self.data)
            for token in [stage.other, nil] {
                let answer = await stage.cloud.send(.get, "/image/v2/images/\(id)/file", token: token)
                #expect(answer.status == (token == nil ? .unauthorized : .notFound) && answer.bytes.count < 1000)
            }
            // The same bytes in another's image are another's.
            let own = try await stage.make(as: stage.other)
            await stage.upload(Self.data, to: own, as: stage.other)
            await stage.send(.get, "/images/\(id)", as: stage.other, .notFound)
            await stage.send(.delete, "/images/\(own)", as: stage.other, .noContent)
            #expect(await stage.cloud.send(.get, "/image/v2/images/\(id)/file", token: stage.demo).bytes == Self.data)
        }
    }

    @Test("ossa_2012_017 Nobody changes or deletes the image of another project, whoever may see it", arguments: ["private", "shared", "community", "public"])
    func ossa_2012_017(visibility: String) async throws {
        try await ImagesStage.run { stage in
            let id = try await stage.make()
            await stage.upload(Self.data, to: id)
            await stage.patch(id, [["op": "replace", "path": "/visibility", "value": .string(visibility)]], as: stage.admin)
            if visibility == "shared" {
                await stage.send(.post, "/images/\(id)/members", ["member": .string(stage.otherProject)], as: stage.demo, .ok)
            }
            let before = await stage.image(id)
            let attempts: [(HTTPRequest.Method, String, JSON?)] = [
                (.delete, "", nil), (.post, "/actions/deactivate", nil), (.post, "/actions/reactivate", nil), (.put, "/tags/x", nil),
                (.delete, "/tags/x", nil), (.post, "/members", ["member": .string(stage.adminProject)]),
                (.delete, "/members/\(stage.adminProject)", nil), (.post, "/import", ["method": ["name": "copy-image"], "all_stores": true]),
                (.post, "/locations", ["url": "blob://file/x"]),
            ]
            for (method, path, body) in attempts {
                let answer = await stage.cloud.send(method, "/image/v2/images/\(id)\(path)", token: stage.other, json: body)
                #expect([.forbidden, .notFound].contains(answer.status), "\(method) \(path): \(answer.status) \(answer.text)")
            }
            for path in ["file", "stage"] {
                let answer = await stage.cloud.send(
                    .put, "/image/v2/images/\(id)/\(path)", token: stage.other, bytes: [1], type: "application/octet-stream")
                #expect([.forbidden, .notFound].contains(answer.status), "\(path): \(answer.text)")
            }
            let changed = await stage.cloud.send(
                .patch, "/image/v2/images/\(id)", token: stage.other, json: [["op": "replace", "path": "/name", "value": "mine"]],
                headers: [.contentType: "application/openstack-images-v2.1-json-patch"])
            #expect([.forbidden, .notFound].contains(changed.status), "\(changed.text)")
            await stage.send(.delete, "/stores/file/\(id)", as: stage.other, visibility == "private" ? .notFound : .forbidden)
            let after = await stage.image(id)
            #expect(after == before)
        }
    }

    @Test("ossa_2013_029 A disk that says it is larger than anything is refused before its bytes are kept")
    func ossa_2013_029() async throws {
        try await ImagesStage.run { stage in
            let id = try await stage.make(["disk_format": "qcow2"])
            var bytes = Self.backed(by: "")
            bytes.replaceSubrange(15..<20, with: [0, 0, 0, 0, 0])
            // A size of 2^63 bytes, and no table that could describe it.
            bytes[24] = 0x80
            await stage.upload(bytes, to: id, .unsupportedMediaType)
        }
    }
}

/// What quotas say of data that waits, and of data that comes from elsewhere.
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

    @Test("ossa_2015_020 What is staged counts exactly, and for nothing once it is imported or deleted")
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

    @Test("ossa_2015_013 A download ends where the quota does, and an import never exceeds it", arguments: ["image_size_total", "image_stage_total"])
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

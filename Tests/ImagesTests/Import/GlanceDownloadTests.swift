import CloudCore
import ControlPlane
import Durable
import Foundation
import HTTPTypes
import Identity
import SQL
import TestSupport
import Testing

@testable import Images

/// Images that are fetched from another region of the same catalog.
@Suite("glance-download", .timeLimit(.minutes(15)))
struct GlanceDownloadTests {
    /// Makes an image whose fields differ from those of its source.
    private func target(_ stage: ImagesStage) async throws -> String {
        try await stage.make(["disk_format": "iso", "container_format": "ovf", "hw_cpu_cores": "1", "os_distro": "windows", "mine": "stays"])
    }

    private func task(_ stage: ImagesStage, _ id: String) async throws -> JSON {
        try #require(await stage.send(.get, "/images/\(id)/tasks", as: stage.demo, .ok).json["tasks"]?.array?.first)
    }

    /// Checks that the image is unchanged and that nothing of the import is left.
    private func expectUntouched(_ stage: ImagesStage, _ id: String, _ note: String) async throws {
        let shown = await stage.image(id)
        #expect(shown["status"] == "queued" && shown["disk_format"] == "iso" && shown["container_format"] == "ovf", "\(note)")
        #expect(shown["hw_cpu_cores"] == "1" && shown["os_distro"] == "windows" && shown["mine"] == "stays", "\(note)")
        #expect(shown["os_type"] == nil && shown["trait:STORAGE_DISK_SSD"] == nil && shown["size"] == .null, "\(note)")
        #expect(shown["os_glance_failed_import"] == "file" && shown["os_glance_importing_to_stores"] == "", "\(note)")
        let rows = try await stage.cloud.database.read { tx in
            try ["image_upload", "image_stage", "image_import", "image_location"].map { try tx.value("SELECT count(*) FROM \($0)") ?? -1 }
        }
        #expect(rows == [0, 0, 0, 0], "\(note)")
    }

    @Test("Data, formats and properties with allowed prefixes come from the other region", arguments: DatabaseKind.allCases)
    func succeeds(on kind: DatabaseKind) async throws {
        try await SourceRegion().run(on: kind) { stage, server in
            let id = try await target(stage)
            await stage.send(.post, "/images/\(id)/import", SourceRegion.request(region: "regiontwo"), as: stage.demo, .accepted)
            #expect(await stage.image(id)["status"] == "importing")
            #expect(try await task(stage, id)["input"]?["import_req"] == SourceRegion.request(region: "regiontwo", interface: "public"))
            try await stage.cloud.settleAll()
            #expect(try await task(stage, id)["status"] == "success")

            let shown = await stage.image(id)
            #expect(shown["status"] == "active" && shown["disk_format"] == "raw" && shown["container_format"] == "bare")
            #expect(shown["size"] == 100_000 && shown["virtual_size"] == 100_000 && shown["stores"] == "file")
            #expect(shown["hw_cpu_cores"] == "5" && shown["trait:STORAGE_DISK_SSD"] == "required" && shown["os_type"] == "linux")
            #expect(shown["os_distro"] == "rhel" && shown["mine"] == "stays")
            #expect(shown["speed"] == nil && shown["hwx"] == nil && shown["os_glance_failed_import"] == "")
            #expect(shown["os_hidden"] == false && shown["visibility"] == "shared" && shown["min_disk"] == 0)
            #expect(shown["owner"] == .string(stage.demoProject))
            #expect(await stage.cloud.send(.get, "/image/v2/images/\(id)/file", token: stage.demo).bytes == ImportStage.content)

            #expect(server.requests.map { $0.prefix { $0 != "\r\n" } } == ["", "/file"].map { "GET \(SourceRegion.path)\($0) HTTP/1.1" })
            #expect(server.requests.allSatisfy { $0.lowercased().contains("x-auth-token: \(stage.demo.lowercased())\r\n") })
        }
    }

    @Test("An invalid request is refused if the image could be imported, and an image of others is a 404")
    func refusals() async throws {
        try await SourceRegion().run { stage, server in
            let id = try await stage.make()
            let path = "/images/\(id)/import"
            for text in ["foo", "", "36d4b546-64a2-4bb9-bdd0-ba676aa48f2c/../x", "../../../v3/users?", "36d4b546%2d64a2-4bb9-bdd0-ba676aa48f2c"] {
                let answer = await stage.send(.post, path, SourceRegion.request(id: text), as: stage.demo, .badRequest)
                #expect(answer.json["message"]?.string?.contains("image id does not look like a UUID") == true, "\(answer.text)")
            }
            for name in ["glance_region", "glance_image_id"] {
                var method = SourceRegion.request()["method"]?.object ?? [:]
                method[name] = nil
                let answer = await stage.send(.post, path, ["method": .object(method)], as: stage.demo, .badRequest)
                #expect(answer.json["message"]?.string?.contains("'\(name)' needs to be set") == true, "\(answer.text)")
                method[name] = 7
                await stage.send(.post, path, ["method": .object(method)], as: stage.demo, .badRequest)
            }
            #expect(await stage.image(id)["status"] == "queued")

            await stage.send(.post, path, SourceRegion.request(id: "foo"), as: stage.other, .notFound)
            await stage.upload([1, 2, 3], to: id)
            await stage.send(.post, path, SourceRegion.request(id: "foo"), as: stage.demo, .conflict)
            let staged = try await stage.make()
            let answer = await stage.cloud.send(
                .put, "/image/v2/images/\(staged)/stage", token: stage.demo, bytes: [1], type: "application/octet-stream")
            #expect(answer.status == .noContent)
            await stage.send(.post, "/images/\(staged)/import", SourceRegion.request(), as: stage.demo, .conflict)
            let plain = try await stage.make(["disk_format": .null])
            await stage.send(.post, "/images/\(plain)/import", SourceRegion.request(), as: stage.demo, .conflict)
            #expect(server.requests.isEmpty)
        }
    }

    @Test(
        "The task fails without a request if the catalog lacks the region or the endpoint cannot be used",
        arguments: [("not a region", "public"), (SourceRegion.name, "not an interface"), (SourceRegion.name, "admin"), (SourceRegion.name, "internal")])
    func noPlace(region: String, interface: String) async throws {
        try await SourceRegion().run { stage, server in
            let id = try await target(stage)
            let request = SourceRegion.request(region: region, interface: interface)
            await stage.send(.post, "/images/\(id)/import", request, as: stage.demo, .accepted)
            try await stage.cloud.settleAll()
            #expect(try await task(stage, id)["status"] == "failure")
            try await expectUntouched(stage, id, interface)
            #expect(server.requests.isEmpty)
        }
    }

    private struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let region: SourceRegion
        let requests: Int
        let words: String

        init(_ name: String, asked requests: Int, _ words: String, _ region: SourceRegion) {
            (testDescription, self.region, self.requests, self.words) = (name, region, requests, words)
        }
    }

    private static let evil: [UInt8] = {
        var bytes = [UInt8](repeating: 0, count: 1 << 18)
        bytes.replaceSubrange(0..<8, with: [0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 3])
        (bytes[15], bytes[19]) = (200, 11)
        bytes.replaceSubrange(200..<211, with: Array("/etc/passwd".utf8))
        return bytes
    }()

    private static let cut = ScriptedServer.Answer.raw("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nthe beginning")
    private static let twoMebibytes = String(repeating: "x", count: 2 << 20)

    private static let cases: [Case] = [
        Case("missing", asked: 1, "its status is 404", SourceRegion(description: .status("404 Not Found"))),
        Case("forbidden", asked: 1, "its status is 403", SourceRegion(description: .status("403 Forbidden"))),
        Case("not active", asked: 1, "has the status queued", SourceRegion(members: ["status": "queued"])),
        Case("deactivated meanwhile", asked: 2, "its status is 403", SourceRegion(data: .status("403 Forbidden"))),
        Case("empty", asked: 2, "its status is 204", SourceRegion(data: .status("204 No Content"))),
        Case("no JSON", asked: 1, "it is no JSON", SourceRegion(description: .body(Array("<html>".utf8)))),
        Case("deep JSON", asked: 1, "it is no JSON", SourceRegion(description: .body([UInt8](repeating: UInt8(ascii: "["), count: 100_000)))),
        Case("no image", asked: 1, "it is no image", SourceRegion(description: .body(Array("[]".utf8)))),
        Case("endless", asked: 1, "more than", SourceRegion(description: .raw("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{"))),
        Case("no size", asked: 1, "size cannot be determined", SourceRegion(members: ["size": .null])),
        Case("a size below nothing", asked: 1, "size cannot be determined", SourceRegion(members: ["size": -1])),
        Case("too large", asked: 1, "more than", SourceRegion(members: ["size": .integer(1 << 41)])),
        Case("no format", asked: 1, "no formats", SourceRegion(members: ["disk_format": .null])),
        Case("an unknown format", asked: 1, "disk_format", SourceRegion(members: ["disk_format": "exe"])),
        Case("a property that is too long", asked: 1, "hw_x", SourceRegion(members: ["hw_x": .string(twoMebibytes)])),
        Case("a property that is no text", asked: 1, "hw_x", SourceRegion(members: ["hw_x": ["a": "b"]])),
        Case(
            "too many properties", asked: 1, "128 are allowed",
            SourceRegion(members: JSONObject((0..<128).map { ("hw_\($0)", "x") }))),
        Case("elsewhere", asked: 1, "leads elsewhere", SourceRegion(description: .redirect(to: SourceRegion.path + "/other"))),
        Case("data elsewhere", asked: 2, "leads elsewhere", SourceRegion(data: .redirect(to: SourceRegion.path, "307 Temporary Redirect"))),
        Case("not what it says", asked: 2, "declared as qcow2", SourceRegion(bytes: ImportStage.content, members: ["disk_format": "qcow2"])),
        Case("an unsafe image", asked: 2, "backing file", SourceRegion(bytes: evil, members: ["disk_format": "qcow2"])),
        Case("an unsafe image that says it is none", asked: 2, "declared as raw", SourceRegion(bytes: evil)),
        Case("of another size", asked: 2, "bytes", SourceRegion(members: ["size": 99_999])),
        Case("of another digest", asked: 2, "SHA-512", SourceRegion(members: ["os_hash_value": "00"])),
        Case("busy", asked: 3, "status 503", SourceRegion(description: .status("503 Busy"))),
        Case("cut off", asked: 6, "broke off", SourceRegion(data: cut)),
        Case("description cut off", asked: 3, "broke off", SourceRegion(description: cut)),
    ]

    @Test("A source that cannot be used leaves the image unchanged, and the task says why", arguments: cases)
    private func failures(_ one: Case) async throws {
        try await one.region.run { stage, server in
            let id = try await target(stage)
            await stage.send(.post, "/images/\(id)/import", SourceRegion.request(), as: stage.demo, .accepted)
            try await stage.cloud.settleAll()
            let task = try await task(stage, id)
            let message = try #require(task["message"]?.string)
            #expect(task["status"] == "failure" && message.contains(one.words) && !message.contains("URI"), "\(message)")
            #expect(server.requests.count == one.requests)
            try await expectUntouched(stage, id, one.testDescription)
            // The image can be filled in another way afterwards.
            await stage.upload([1, 2, 3], to: id)
        }
    }

    @Test("The token is never stored in plain text, neither while the import waits nor afterwards")
    func tokenIsNotStored() async throws {
        try await SourceRegion().run(on: .sqlite) { stage, _ in
            let id = try await target(stage)
            await stage.send(.post, "/images/\(id)/import", SourceRegion.request(), as: stage.demo, .accepted)
            func expectHidden() async throws {
                let path: String = try await stage.cloud.database.read { tx in
                    try tx.rows("PRAGMA database_list").map { try $0["file"] as String }.first ?? ""
                }
                var bytes = Data()
                for suffix in ["", "-wal"] { bytes += FileManager.default.contents(atPath: path + suffix) ?? Data() }
                #expect(bytes.range(of: Data("sealedToken".utf8)) != nil, "this is where the rows are")
                #expect(bytes.range(of: Data(stage.demo.utf8)) == nil)
                // Nor a part of it, as in the fragment of an overwritten line.
                #expect(bytes.range(of: Data(stage.demo.dropFirst(20).prefix(40).utf8)) == nil)
            }
            try await expectHidden()
            try await stage.cloud.settleAll()
            #expect(await stage.image(id)["status"] == "active")
            try await expectHidden()
        }
    }

    @Test("An import continues after its process was killed, with the token of its caller", arguments: [FaultPlan.Moment.afterStart, .afterBody])
    func restart(moment: FaultPlan.Moment) async throws {
        try await SourceRegion().run { stage, server in
            let id = try await target(stage)
            await stage.send(.post, "/images/\(id)/import", SourceRegion.request(), as: stage.demo, .accepted)
            let dying = try await stage.cloud.restarted(
                faults: FaultPlan { $0 == .init("fetch", .forward, moment) ? .crash : nil })
            try? await dying.settleAll()
            #expect(await dying.send(.get, "/image/v2/images/\(id)", token: stage.demo).json["status"] == "importing")
            let next = try await dying.restarted()
            try await next.settleAll()
            let shown = await next.send(.get, "/image/v2/images/\(id)", token: stage.demo).json
            #expect(shown["status"] == "active" && shown["os_type"] == "linux", "\(shown.text)")
            #expect(server.requests.allSatisfy { $0.lowercased().contains("x-auth-token: \(stage.demo.lowercased())\r\n") })
        }
    }

    @Test("If the key of a token is gone, the import fails without asking the source")
    func keyIsGone() async throws {
        try await SourceRegion().run { stage, server in
            let id = try await target(stage)
            await stage.send(.post, "/images/\(id)/import", SourceRegion.request(), as: stage.demo, .accepted)
            try await stage.cloud.cloud.identity.rotateKeys()
            try await stage.cloud.database.write { tx in
                _ = try tx.execute(
                    """
                    DELETE FROM identity_key WHERE purpose = 'token' AND used_from < (SELECT max(used_from) FROM identity_key WHERE purpose = 'token')
                    """)
            }
            let next = try await stage.cloud.restarted()
            try await next.settleAll()
            let token = try await next.memberToken()
            let shown = await next.send(.get, "/image/v2/images/\(id)", token: token).json
            #expect(shown["status"] == "queued" && shown["disk_format"] == "iso")
            #expect(server.requests.isEmpty)
        }
    }

    @Test("A byte quota ends the import before any data is fetched")
    func quota() async throws {
        try await SourceRegion(bytes: [UInt8](repeating: 5, count: 3 << 20)).run { stage, server in
            let services = await stage.cloud.send(.get, "/v3/services?type=image", token: stage.admin).json["services"]
            let service = try #require(services?.array?.first?["id"])
            let limit: JSON = ["registered_limits": [["service_id": service, "resource_name": "image_size_total", "default_limit": 2]]]
            #expect(await stage.cloud.send(.post, "/v3/registered_limits", token: stage.admin, json: limit).status == .created)
            let id = try await target(stage)
            await stage.send(.post, "/images/\(id)/import", SourceRegion.request(), as: stage.demo, .accepted)
            try await stage.cloud.settleAll()
            #expect(try await task(stage, id)["status"] == "failure")
            #expect(server.requests.count == 1)
            try await expectUntouched(stage, id, "quota")
        }
    }
}

import CloudCore
import ControlPlane
import HTTPTypes
import SQL
import TestSupport
import Testing

@testable import Images

/// Imports in a whole cloud.
@Suite("Imports")
struct ImportTests {
    private static let content = ImportStage.content

    /// Runs the body in a cloud with two stores that may fetch from one port of this host.
    private func withCloud(
        port: Int = 80, private hosts: [String] = ["127.0.0.1"], _ body: (TestCloud, String) async throws -> Void
    ) async throws {
        try await TestCloud.run { configuration in
            configuration.images.stores = ["file", "other"]
            configuration.webDownload.privateHosts = hosts
            configuration.webDownload.allowedPorts = ["80", "\(port)"]
        } _: { cloud in
            try await body(cloud, try await cloud.token())
        }
    }

    private func image(_ cloud: TestCloud, _ token: String, format: String? = "raw") async throws -> String {
        var body: JSONObject = ["name": "one", "container_format": "bare"]
        if let format { body["disk_format"] = .string(format) }
        let made = await cloud.send(.post, "/image/v2/images", token: token, json: .object(body))
        #expect(made.status == .created)
        return try #require(made.json["id"]?.string)
    }

    private func show(_ cloud: TestCloud, _ token: String, _ id: String) async -> JSON {
        await cloud.send(.get, "/image/v2/images/\(id)", token: token).json
    }

    private func start(_ cloud: TestCloud, _ token: String, _ id: String, _ body: JSON) async -> TestCloud.Response {
        await cloud.send(.post, "/image/v2/images/\(id)/import", token: token, json: body, headers: [.accept: "application/json"])
    }

    // MARK: glance-direct

    @Test("Staged data cannot be read before its import, and can be read by permitted callers after it")
    func direct() async throws {
        try await withCloud { cloud, token in
            let id = try await image(cloud, token)
            let path = "/image/v2/images/\(id)"
            #expect(await cloud.send(.put, path + "/stage", token: token, data: Self.content).status == .noContent)
            #expect(await show(cloud, token, id)["status"] == "uploading")
            #expect(await cloud.send(.get, path + "/file", token: token).bytes.isEmpty)
            #expect(await cloud.send(.put, path + "/stage", token: token, data: Self.content).status == .conflict)
            #expect(await cloud.send(.put, path + "/file", token: token, data: Self.content).status == .conflict)

            #expect(await start(cloud, token, id, ["method": ["name": "glance-direct"], "all_stores": true]).status == .accepted)
            #expect(await show(cloud, token, id)["status"] == "importing")
            #expect(await start(cloud, token, id, ["method": ["name": "glance-direct"]]).status == .conflict)
            #expect(await cloud.send(.get, path + "/file", token: token).bytes.isEmpty)

            try await cloud.settle()
            let shown = await show(cloud, token, id)
            #expect(shown["status"] == "active" && shown["stores"] == "file,other" && shown["size"] == 100_000)
            #expect(shown["os_glance_importing_to_stores"] == "" && shown["os_glance_failed_import"] == "")
            #expect(await cloud.send(.get, path + "/file", token: token).bytes == Self.content)
            #expect(await start(cloud, token, id, ["method": ["name": "glance-direct"]]).status == .conflict)
        }
    }

    @Test("Data that contradicts the image's formats is refused at the import and can never be read")
    func mismatch() async throws {
        try await withCloud { cloud, token in
            let early = try await image(cloud, token, format: "qcow2")
            #expect(await cloud.send(.put, "/image/v2/images/\(early)/stage", token: token, data: Self.content).status == .noContent)
            #expect(await show(cloud, token, early)["status"] == "uploading")
            #expect(await start(cloud, token, early, ["method": ["name": "glance-direct"]]).status == .accepted)
            try await cloud.settle()
            let refused = await show(cloud, token, early)
            #expect(refused["status"] == "queued" && refused["os_glance_failed_import"] == "file")
            #expect(await cloud.send(.get, "/image/v2/images/\(early)/file", token: token).bytes.isEmpty)
            #expect(try await rows(cloud) == [0, 0, 0, 0])

            let late = try await image(cloud, token, format: nil)
            #expect(await cloud.send(.put, "/image/v2/images/\(late)/stage", token: token, data: Self.content).status == .noContent)
            #expect(await start(cloud, token, late, ["method": ["name": "glance-direct"]]).status == .conflict)
        }
    }

    @Test("A deleted image takes its staged data with it")
    func deleteStaged() async throws {
        try await withCloud { cloud, token in
            let id = try await image(cloud, token)
            #expect(await cloud.send(.put, "/image/v2/images/\(id)/stage", token: token, data: Self.content).status == .noContent)
            #expect(await cloud.send(.delete, "/image/v2/images/\(id)", token: token).status == .noContent)
            #expect(try await rows(cloud) == [0, 0, 0, 0])
        }
    }

    @Test("A stage must have the announced size")
    func size() async throws {
        try await withCloud { cloud, token in
            let id = try await image(cloud, token)
            let headers: HTTPFields = [.imageSize: "7"]
            let answer = await cloud.send(.put, "/image/v2/images/\(id)/stage", token: token, data: Self.content, headers: headers)
            #expect(answer.status == .badRequest)
            #expect(await show(cloud, token, id)["status"] == "queued")
        }
    }

    /// Returns the numbers of leases, staged data, import reservations and locations.
    private func rows(_ cloud: TestCloud) async throws -> [Int] {
        try await cloud.database.read { tx in
            try ["image_upload", "image_stage", "image_import", "image_location"].map { try tx.value("SELECT count(*) FROM \($0)") ?? -1 }
        }
    }

    // MARK: web-download

    @Test("The data of a URL is imported")
    func web() async throws {
        try await ScriptedServer.run({ target in target == "/disk" ? .body(Self.content) : .redirect(to: "/disk") }) { server in
            try await withCloud(port: server.port) { cloud, token in
                let id = try await image(cloud, token)
                let request: JSON = ["method": ["name": "web-download", "uri": .string("http://127.0.0.1:\(server.port)/x")]]
                #expect(await start(cloud, token, id, request).status == .accepted)
                #expect(await show(cloud, token, id)["status"] == "importing")
                try await cloud.settle()
                let shown = await show(cloud, token, id)
                #expect(shown["status"] == "active" && shown["stores"] == "file" && shown["virtual_size"] == 100_000)
                #expect(await cloud.send(.get, "/image/v2/images/\(id)/file", token: token).bytes == Self.content)
                #expect(try await rows(cloud) == [0, 0, 0, 1])
            }
        }
    }

    @Test(
        "ossa_2026_004 A URL that must not be fetched is refused before the import begins",
        arguments: [
            "http://169.254.169.254/latest/meta-data/", "http://localhost/", "http://10.0.0.1/", "file:///etc/passwd", "http://[::1]/",
            "http://127.0.0.1/", "http://127.0.0.2/", "http://127.0.0.1:22/", "http://u:p@127.0.0.1/", "http://does-not.exist.invalid/", "",
        ])
    func ossa_2026_004(uri: String) async throws {
        try await withCloud(private: []) { cloud, token in
            let id = try await image(cloud, token)
            let answer = await start(cloud, token, id, ["method": ["name": "web-download", "uri": .string(uri)]])
            #expect(answer.status == .badRequest)
            #expect(answer.json["message"]?.string?.contains("does not pass filtering") == true)
            #expect(await show(cloud, token, id)["status"] == "queued")
        }
    }

    @Test("A failed download is retried; then the image is queued and names the failed stores")
    func fails() async throws {
        let requests = Box(0)
        try await ScriptedServer.run({ _ in
            requests.update { $0 += 1 }
            return .status("503 Busy")
        }) { server in
            try await withCloud(port: server.port) { cloud, token in
                let id = try await image(cloud, token)
                let request: JSON = [
                    "method": ["name": "web-download", "uri": .string("http://127.0.0.1:\(server.port)/x")], "stores": ["other", "file"],
                ]
                #expect(await start(cloud, token, id, request).status == .accepted)
                try await cloud.settleAll()
                #expect(requests.value == 3)
                let shown = await show(cloud, token, id)
                #expect(shown["status"] == "queued" && shown["os_glance_failed_import"] == "other,file")
                #expect(shown["os_glance_importing_to_stores"] == "")
                #expect(try await rows(cloud) == [0, 0, 0, 0])
                // The image can be filled in another way afterwards.
                #expect(await cloud.send(.put, "/image/v2/images/\(id)/file", token: token, data: Self.content).status == .noContent)
            }
        }
    }

    @Test("ossa_2015_014 A downloaded image that refers to another file is refused, and nothing of it is kept")
    func ossa_2015_014() async throws {
        var bytes = [UInt8](repeating: 0, count: 1 << 18)
        bytes.replaceSubrange(0..<8, with: [0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 3])
        bytes[15] = 200  // the offset of the backing file's name
        bytes[19] = 11
        bytes.replaceSubrange(200..<211, with: Array("/etc/passwd".utf8))
        let evil = bytes
        try await ScriptedServer.run({ _ in .body(evil) }) { server in
            try await withCloud(port: server.port) { cloud, token in
                for format in ["qcow2", "raw"] {
                    let id = try await image(cloud, token, format: format)
                    let request: JSON = ["method": ["name": "web-download", "uri": .string("http://127.0.0.1:\(server.port)/x")]]
                    #expect(await start(cloud, token, id, request).status == .accepted)
                    try await cloud.settleAll()
                    #expect(await show(cloud, token, id)["status"] == "queued")
                    #expect(try await rows(cloud) == [0, 0, 0, 0])
                }
                #expect(server.requests.count == 2, "a refusal is not tried again")
            }
        }
    }

    @Test("ossa_2015_003 Deleting an image before its import begins or during its download leaves nothing", arguments: [false, true])
    func ossa_2015_003(isUnderWay: Bool) async throws {
        try await ScriptedServer.run({ _ in
            .init(bytes: Array("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n".utf8), trickles: true)
        }) { server in
            try await withCloud(port: server.port) { cloud, token in
                let id = try await image(cloud, token)
                let request: JSON = ["method": ["name": "web-download", "uri": .string("http://127.0.0.1:\(server.port)/x")]]
                #expect(await start(cloud, token, id, request).status == .accepted)
                if isUnderWay {
                    let isSettled = Box(false)
                    async let settled: Void = {
                        try await cloud.settleAll()
                        isSettled.value = true
                    }()
                    try await eventually("the download began") { !server.requests.isEmpty }
                    #expect(await cloud.send(.delete, "/image/v2/images/\(id)", token: token).status == .noContent)
                    // A step that reports progress checks for a cancel once a second.
                    try await eventually("the import ended") {
                        cloud.clock.advance(by: .seconds(1))
                        return isSettled.value
                    }
                    try await settled
                } else {
                    #expect(await cloud.send(.delete, "/image/v2/images/\(id)", token: token).status == .noContent)
                    try await cloud.settleAll()
                    #expect(server.requests.isEmpty)
                }
                #expect(await cloud.send(.get, "/image/v2/images/\(id)", token: token).status == .notFound)
                #expect(try await rows(cloud) == [0, 0, 0, 0])
            }
        }
    }

    // MARK: copy-image

    @Test("An image is copied to the stores that do not have it")
    func copy() async throws {
        try await withCloud { cloud, token in
            let id = try await image(cloud, token)
            let path = "/image/v2/images/\(id)"
            #expect(await start(cloud, token, id, ["method": ["name": "copy-image"], "all_stores": true]).status == .conflict)
            #expect(await cloud.send(.put, path + "/file", token: token, data: Self.content).status == .noContent)
            #expect(await start(cloud, token, id, ["method": ["name": "copy-image"], "stores": ["file"]]).status == .badRequest)
            #expect(await start(cloud, token, id, ["method": ["name": "copy-image"], "stores": ["nowhere"]]).status == .conflict)
            #expect(await start(cloud, token, id, ["method": ["name": "copy-image"], "all_stores": true]).status == .accepted)
            #expect(await show(cloud, token, id)["status"] == "active")
            #expect(await cloud.send(.get, path + "/file", token: token).bytes == Self.content)
            try await cloud.settle()
            let shown = await show(cloud, token, id)
            #expect(shown["stores"] == "file,other" && shown["os_glance_importing_to_stores"] == "" && shown["os_glance_failed_import"] == "")
            // There is nothing left to copy.
            #expect(await start(cloud, token, id, ["method": ["name": "copy-image"], "all_stores": true]).status == .accepted)
            try await cloud.settle()
            #expect(try await rows(cloud) == [0, 0, 0, 2])
        }
    }

    // MARK: Requests

    @Test(
        "An invalid import request is refused",
        arguments: [
            ("{}", 400), (#"{"method": {}}"#, 400), (#"{"method": "glance-direct"}"#, 400), (#"{"method": {"name": "glance-download"}}"#, 400),
            (#"{"method": {"name": 1}}"#, 400), (#"{"method": {"name": "web-download"}}"#, 400),
            (#"{"method": {"name": "web-download", "uri": 7}}"#, 400), (#"{"method": {"name": "glance-direct"}}"#, 409),
            (#"{"method": {"name": "copy-image"}}"#, 409),
            (#"{"method": {"name": "web-download", "uri": "http://127.0.0.1/"}, "stores": ["nowhere"]}"#, 409),
            (#"{"method": {"name": "web-download", "uri": "http://127.0.0.1/"}, "stores": []}"#, 400),
            (#"{"method": {"name": "web-download", "uri": "http://127.0.0.1/"}, "stores": "file"}"#, 400),
            (#"{"method": {"name": "web-download", "uri": "http://127.0.0.1/"}, "stores": ["file"], "all_stores": true}"#, 400),
            (#"{"method": {"name": "web-download", "uri": "http://127.0.0.1/"}, "all_stores": "yes"}"#, 400),
            (#"{"method": {"name": "web-download", "uri": "http://127.0.0.1/"}, "all_stores_must_succeed": 1}"#, 400),
        ])
    func refusals(text: String, status: Int) async throws {
        try await withCloud { cloud, token in
            let id = try await image(cloud, token)
            let answer = await start(cloud, token, id, try JSON.parse(Array(text.utf8)))
            #expect(answer.status.code == status, "\(answer.text)")
        }
    }

    @Test("An image of another project cannot be staged or imported, and appears not to exist")
    func others() async throws {
        try await withCloud { cloud, token in
            let id = try await image(cloud, token)
            let demo = try await cloud.memberToken()
            #expect(await cloud.send(.put, "/image/v2/images/\(id)/stage", token: demo, data: Self.content).status == .notFound)
            #expect(await start(cloud, demo, id, ["method": ["name": "web-download", "uri": "http://127.0.0.1/"]]).status == .notFound)
            #expect(await cloud.send(.put, "/image/v2/images/\(id)/stage", data: Self.content).status == .unauthorized)
            #expect(await cloud.send(.put, "/image/v2/images/\(id)/stage", token: token, json: [:]).status == .unsupportedMediaType)
        }
    }

    @Test("The available import methods are listed")
    func methods() async throws {
        try await withCloud { cloud, token in
            let offered = await cloud.send(.get, "/image/v2/info/import", token: token).json["import-methods"]?["value"]
            #expect(offered == ["glance-direct", "web-download", "copy-image", "glance-download"])
            let made = await cloud.send(.post, "/image/v2/images", token: token, json: [:])
            #expect(made.headers[.importMethods] == "glance-direct,web-download,copy-image,glance-download")
        }
    }

    @Test("The metrics show the states of workflows")
    func metrics() async throws {
        try await withCloud { cloud, token in
            let id = try await image(cloud, token)
            #expect(await start(cloud, token, id, ["method": ["name": "web-download", "uri": "http://127.0.0.1/"]]).status == .accepted)
            cloud.clock.advance(by: .seconds(7))
            let text = await cloud.send(.get, "/metrics").text
            #expect(text.contains("novella_workflows{status=\"ready\"} 1\n"))
            #expect(text.contains("novella_workflows_stuck 0\n"))
            #expect(text.contains("novella_workflow_oldest_seconds 7.0\n"))
        }
    }
}

extension TestCloud {
    /// Sends a request with data.
    fileprivate func send(
        _ method: HTTPRequest.Method, _ path: String, token: String? = nil, data: [UInt8], headers: HTTPFields = [:]
    ) async -> Response {
        await send(method, path, token: token, bytes: data, type: "application/octet-stream", headers: headers)
    }
}

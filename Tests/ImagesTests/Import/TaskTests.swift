import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

@testable import Images

@Suite("Tasks")
struct TaskTests {
    private func withServer(_ body: (ImagesStage, String) async throws -> Void) async throws {
        try await ScriptedServer.run({ target in target == "/disk" ? .body(ImportStage.content) : .status("404 Not Found") }) { server in
            try await ImagesStage.run({ configuration in
                configuration.webDownload.privateHosts = ["127.0.0.1"]
                configuration.webDownload.allowedPorts = ["\(server.port)"]
            }) { stage in try await body(stage, "http://127.0.0.1:\(server.port)") }
        }
    }

    private func task(_ uri: String) -> JSON {
        [
            "type": "import",
            "input": ["import_from": .string(uri), "import_from_format": "raw", "image_properties": ["name": "tasked", "disk_format": "raw"]],
        ]
    }

    @Test("An import has a task that is pending, then a success or a failure with a reason, and expires")
    func life() async throws {
        try await withServer { stage, url in
            let id = try await stage.make()
            let request: JSON = ["method": ["name": "web-download", "uri": .string(url + "/disk")], "all_stores_must_succeed": true]
            let started = await stage.send(.post, "/images/\(id)/import", request, as: stage.demo, .accepted)
            let path = "/images/\(id)/tasks"
            var task = try #require(await stage.send(.get, path, as: stage.demo, .ok).json["tasks"]?.array?.first)
            #expect(task["status"] == "pending" && task["type"] == "api_image_import" && task["expires_at"] == .null && task["result"] == .null)
            #expect(task["request_id"]?.string == started.headers[.requestID] && task["owner"]?.string == stage.demoProject)
            #expect(task["input"] == ["image_id": .string(id), "import_req": request, "backend": ["file"]])
            try await stage.cloud.settleAll()
            task = try #require(await stage.send(.get, path, as: stage.demo, .ok).json["tasks"]?.array?.first)
            #expect(task["status"] == "success" && task["result"] == ["image_id": .string(id)] && task["message"] == "")
            let taskID = try #require(task["id"]?.string)

            let shown = await stage.send(.get, "/tasks/\(taskID)", as: stage.admin, .ok).json
            #expect(shown["self"]?.string == "/v2/tasks/\(taskID)" && shown["image_id"]?.string == id && shown["schema"] == "/v2/schemas/task")
            await stage.send(.get, "/tasks/\(taskID)", as: stage.demo, .forbidden)
            await stage.send(.get, "/tasks", as: stage.demo, .forbidden)
            await stage.send(.delete, "/tasks/\(taskID)", as: stage.admin, .methodNotAllowed)

            stage.cloud.clock.advance(by: .seconds(48 * 3600 + 1))
            let admin = try await stage.cloud.token()
            await stage.send(.get, "/tasks/\(taskID)", as: admin, .notFound)
            #expect(await stage.send(.get, path, as: admin, .ok).json["tasks"] == [])
        }
    }

    @Test("A failed task shows its reason to its owner, without details for operators")
    func failure() async throws {
        try await withServer { stage, url in
            let id = try await stage.make()
            let request: JSON = ["method": ["name": "web-download", "uri": .string(url + "/nothing")]]
            await stage.send(.post, "/images/\(id)/import", request, as: stage.demo, .accepted)
            try await stage.cloud.settleAll()
            let task = try #require(await stage.send(.get, "/images/\(id)/tasks", as: stage.demo, .ok).json["tasks"]?.array?.first)
            #expect(task["status"] == "failure")
            #expect(task["message"] == "The answer of the source's server cannot be used: its status is 404.")
            #expect(await stage.image(id)["status"] == "queued")
            // Other projects do not see the task.
            await stage.patch(id, [["op": "replace", "path": "/visibility", "value": "community"]])
            #expect(await stage.send(.get, "/images/\(id)/tasks", as: stage.other, .ok).json["tasks"] == [])
            await stage.send(.get, "/images/00000000-0000-0000-0000-000000000000/tasks", as: stage.demo, .notFound)
        }
    }

    @Test("A task of an administrator makes an image and fills it", arguments: DatabaseKind.allCases)
    func legacy(on kind: DatabaseKind) async throws {
        try await withServer { stage, url in
            let made = await stage.send(.post, "/tasks", task(url + "/disk"), as: stage.admin, .created)
            let id = try #require(made.json["id"]?.string)
            #expect(made.json["status"] == "pending" && made.json["type"] == "import" && made.json["input"] == task(url + "/disk")["input"])
            try await stage.cloud.settleAll()
            let done = await stage.send(.get, "/tasks/\(id)", as: stage.admin, .ok).json
            let image = try #require(done["result"]?["image_id"]?.string)
            #expect(await stage.image(image, as: stage.admin)["status"] == "active")
            #expect(await stage.image(image, as: stage.admin)["name"] == "tasked")
        }
    }

    @Test(
        "An invalid task is refused",
        arguments: [
            "{}", #"{"type": "import"}"#, #"{"type": "export", "input": {}}"#, #"{"type": "api_image_import", "input": {}}"#,
            #"{"type": "import", "input": {}}"#, #"{"type": "import", "input": null}"#, #"{"type": "import", "input": 7}"#,
            #"{"type": "import", "input": {"import_from": "http://10.0.0.1/", "import_from_format": "raw", "image_properties": {}}}"#,
            #"{"type": "import", "input": {"import_from": 1, "import_from_format": "raw", "image_properties": {}}}"#,
        ])
    func refusals(text: String) async throws {
        try await ImagesStage.run { stage in
            await stage.send(.post, "/tasks", try JSON.parse(Array(text.utf8)), as: stage.admin, .badRequest)
            #expect(await stage.names(as: stage.admin).isEmpty)
        }
    }

    @Test("Tasks are listed in pages, sorted and filtered")
    func lists() async throws {
        try await withServer { stage, url in
            var ids: [String] = []
            for number in 0..<3 {
                let path = number == 1 ? "/nothing" : "/disk"
                ids.append(try #require(await stage.send(.post, "/tasks", task(url + path), as: stage.admin, .created).json["id"]?.string))
                try await stage.cloud.settleAll()
                stage.cloud.clock.advance(by: .seconds(10))
            }
            func list(_ query: String) async -> [String] {
                let tasks = await stage.send(.get, "/tasks?" + query, as: stage.admin, .ok).json["tasks"]
                return (tasks?.array ?? []).map { $0["id"]?.string ?? "" }
            }
            #expect(await list("") == ids.reversed())
            #expect(await list("sort_dir=asc") == ids)
            #expect(await list("status=failure") == [ids[1]])
            #expect(await list("limit=2&type=import") == [ids[2], ids[1]])
            #expect(await list("limit=2&marker=\(ids[1])") == [ids[0]])
            #expect(await list("sort_key=id&sort_dir=asc") == ids.sorted())
            let page = await stage.send(.get, "/tasks?limit=1", as: stage.admin, .ok).json
            #expect(page["next"]?.string == "/v2/tasks?limit=1&marker=\(ids[2])" && page["first"] == "/v2/tasks?limit=1")
            #expect(page["tasks"]?.array?.first?["input"] == nil)
            for wrong in ["status=x", "type=x", "limit=x", "limit=-1", "sort_dir=x", "sort_key=x", "marker=x"] {
                await stage.send(.get, "/tasks?" + wrong, as: stage.admin, .badRequest)
            }
            for name in ["task", "tasks"] {
                #expect(await stage.send(.get, "/schemas/\(name)", as: stage.demo, .ok).json["name"]?.string == name)
            }
        }
    }
}

import Access
import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/v2/tasks`, and of the tasks of one image.
struct TaskRoutes: Sendable {
    let tasks: TaskService

    var all: [Route] {
        [
            .post("/v2/tasks") { call in
                let caller = try await call.caller()
                let task = try await tasks.create(try await call.body.json(), by: caller, requestID: call.requestID)
                return .json(.created, headers: [.location: call.base + Self.path(task)]) { Self.write(task, &$0) }
            },
            .get("/v2/tasks", list),
            .get("/v2/tasks/{task_id}") { call in
                let task = try await tasks.get(call.id("task_id"), by: try await call.caller())
                return .json { Self.write(task, &$0) }
            },
            .delete("/v2/tasks/{task_id}") { call in
                try tasks.requireAccess(try await call.caller())
                var error = CloudError(
                    .methodNotAllowed, "Tasks cannot be deleted. They go by themselves when the time of their expires_at has come.")
                error.headers = [("Allow", "GET")]
                throw error
            },
            .get("/v2/images/{image_id}/tasks") { call in
                let found = try await tasks.list(of: call.id("image_id"), by: try await call.caller())
                return try await .page(of: found.count) {
                    .json { json in
                        json.array("tasks", of: found) { json, task in json.object { Self.writeRow(task, &$0) } }
                    }
                }
            },
        ]
    }

    @Sendable private func list(_ call: Call) async throws -> Reply {
        let caller = try await call.caller()
        let all = try await tasks.list(by: caller)
        let page = try TaskList(call.query).page(of: all)
        let rest = call.query.items.filter { $0.name != "marker" }.map { "\(Percent.encode($0.name))=\(Percent.encode($0.value))" }
        return try await .page(of: page.tasks.count) {
            .json { json in
                json.array("tasks", of: page.tasks) { json, task in json.object { Self.writeStub(task, &$0) } }
                json.member("first", Self.link(rest))
                if page.hasMore, let last = page.tasks.last {
                    json.member("next", Self.link(rest + ["marker=\(last.id)"]))
                }
                json.member("schema", "/v2/schemas/tasks")
            }
        }
    }

    private static func path(_ task: ImageTask) -> String { "/v2/tasks/\(task.id)" }
    private static func link(_ query: [String]) -> String { "/v2/tasks" + (query.isEmpty ? "" : "?" + query.joined(separator: "&")) }

    // MARK: Writing

    private static func writeStub(_ task: ImageTask, _ json: inout JSONWriter) {
        json.member("id", task.id)
        json.member("type", task.type)
        json.member("status", task.status.rawValue)
        json.member("owner", task.owner)
        json.member("created_at", task.createdAt.iso8601Seconds)
        json.member("updated_at", task.updatedAt.iso8601Seconds)
        if let expires = task.expiresAt { json.member("expires_at", expires.iso8601Seconds) }
        json.member("self", path(task))
        json.member("schema", "/v2/schemas/task")
    }

    private static func write(_ task: ImageTask, _ json: inout JSONWriter) {
        writeStub(task, &json)
        json.member("input", task.input)
        json.member("result", task.result)
        json.member("message", task.message)
        if let image = task.imageID { json.member("image_id", image) }
        if let request = task.requestID { json.member("request_id", request) }
        if let user = task.userID { json.member("user_id", user) }
    }

    /// Writes a task in the list of an image's tasks, which has another form than the tasks themselves.
    private static func writeRow(_ task: ImageTask, _ json: inout JSONWriter) {
        json.member("id", task.id)
        json.member("type", task.type)
        json.member("status", task.status.rawValue)
        json.member("image_id", task.imageID)
        json.member("request_id", task.requestID)
        json.member("user_id", task.userID)
        json.member("owner", task.owner)
        json.member("expires_at", task.expiresAt?.iso8601MicrosecondsNoZone)
        json.member("created_at", task.createdAt.iso8601MicrosecondsNoZone)
        json.member("updated_at", task.updatedAt.iso8601MicrosecondsNoZone)
        json.member("deleted_at", JSON.null)
        json.member("deleted", false)
        json.member("input", task.input)
        json.member("result", task.result)
        json.member("message", task.message)
    }
}

/// The routes of `/v2/schemas/task` and `/v2/schemas/tasks`.
enum TaskSchemas {
    private static let time: JSON = ["type": "string", "description": "A moment, in UTC"]
    private static let stub: JSONObject = [
        "id": ["type": "string", "description": "An identifier for the task", "pattern": .string(ImageFields.idPattern)],
        "type": ["type": "string", "description": "What is done", "enum": .array(ImageTask.types.map(JSON.string))],
        "status": ["type": "string", "description": "How far it is", "enum": .array(ImageTask.Status.allCases.map { .string($0.rawValue) })],
        "owner": ["type": "string", "description": "The project that asked for it"],
        "expires_at": ["type": ["null", "string"], "description": "Until when the task can be seen"],
        "created_at": time, "updated_at": time,
        "image_id": ["type": "string", "description": "The image that it is done to"],
        "request_id": ["type": "string", "description": "The request that asked for it"],
        "user_id": ["type": "string", "description": "Who asked for it"],
        "self": ["type": "string", "readOnly": true], "schema": ["type": "string", "readOnly": true],
    ]

    static let task: JSON = {
        var properties = stub
        properties["input"] = ["type": ["null", "object"], "description": "What it was asked to do"]
        properties["result"] = ["type": ["null", "object"], "description": "What came of it"]
        properties["message"] = ["type": "string", "description": "Why it failed"]
        return ["name": "task", "properties": .object(properties)]
    }()

    static let tasks: JSON = [
        "name": "tasks",
        "properties": [
            "tasks": ["type": "array", "items": ["name": "task", "properties": .object(stub)]],
            "first": ["type": "string"], "next": ["type": "string"], "schema": ["type": "string"],
        ],
        "links": [
            ["rel": "first", "href": "{first}"], ["rel": "next", "href": "{next}"], ["rel": "describedby", "href": "{schema}"],
        ],
    ]

    static let all: [Route] = [("task", task), ("tasks", tasks)].map { name, schema in
        .get("/v2/schemas/\(name)") { call in
            _ = try await call.caller()
            return .json(bytes: Array(schema.text.utf8))
        }
    }
}

import Access
import CloudCore
import Durable
import HTTPKit
import SQL

/// The older API for long operations: administrators' own imports, and a view of all imports.
struct TaskService: Sendable {
    let context: ImagesContext
    let imports: ImportService

    /// The most tasks that are read.
    private static let most = Limits.list.tasks.most

    func requireAccess(_ caller: Principal) throws { try context.policy.require(.tasksAPIAccess, caller) }

    // MARK: Looking

    func get(_ id: WorkflowID, by caller: Principal) async throws -> ImageTask {
        try requireAccess(caller)
        let oldest = context.world.now - ImageTask.lifetime
        let row = try await context.read { tx in try context.workflows.find(id, in: tx) }
        guard let row, row.kind == ImportImage.kind, row.finishedAt.map({ $0 > oldest }) != false else {
            throw CloudError.notFound("No task found with ID \(id.text.prefix(64))")
        }
        return try ImageTask(row)
    }

    /// Returns all tasks, newest first.
    func list(by caller: Principal) async throws -> [ImageTask] {
        try requireAccess(caller)
        let oldest = context.world.now - ImageTask.lifetime
        return try await context.read { tx in
            try context.workflows.list([ImportImage.kind], finishedAfter: oldest, limit: Self.most, in: tx)
        }.map(ImageTask.init)
    }

    /// Returns the tasks of an image that the caller may see: their project's, or all for an administrator.
    func list(of id: ID<Kind.Image>, by caller: Principal) async throws -> [ImageTask] {
        let oldest = context.world.now - ImageTask.lifetime
        let rows = try await context.read { tx in
            _ = try context.authorised(.getImage, id, by: caller, in: tx)
            return try context.workflows.actions(on: .image(id), limit: Self.most, in: tx)
        }
        let isAdmin = context.access.isAdmin(caller)
        return try rows.filter { row in
            row.kind == ImportImage.kind && row.finishedAt.map { $0 > oldest } != false && (isAdmin || row.projectID == caller.projectID)
        }.map(ImageTask.init)
    }

    // MARK: Making

    private static let body = Shape.object([
        .init("type", .oneOf(ImageTask.types), required: true),
        .init("input", .nullable(.openObject), required: true),
    ])

    /// Creates an image, and imports its data from a URL.
    func create(_ body: JSONObject, by caller: Principal, requestID: String?) async throws -> ImageTask {
        try requireAccess(caller)
        for name in ["type", "input"] where body[name] == nil { throw CloudError.badRequest("Task '\(name)' is required") }
        try Self.body.check(.object(body), at: "task")
        guard body["type"]?.string == ImageTask.importType else { throw CloudError.badRequest("Tasks of this type cannot be made.") }
        let input = body["input"]?.object ?? [:]
        for name in ["import_from", "import_from_format", "image_properties"] where input[name] == nil {
            throw CloudError.badRequest("Input does not contain '\(name)' field")
        }
        guard let uri = input["import_from"]?.string, let format = input["import_from_format"]?.string,
            var properties = input["image_properties"]?.object
        else { throw CloudError.badRequest("Input has a field of the wrong type.") }
        try await imports.fetcher.check(uri, for: caller.projectID?.text)
        if properties["disk_format"] == nil { properties["disk_format"] = .string(format) }
        if properties["container_format"] == nil { properties["container_format"] = "bare" }
        return try await ImageService(context: context).create(properties, by: caller) { image, tx in
            let work = ImportImage.Input(
                imageID: image.id, method: .webDownload, uri: uri, sourceImage: nil, sealedToken: nil,
                stores: [context.stores.standard.name], allMustSucceed: true, request: JSON.object(input).text, isTask: true)
            let id = try imports.start(work, as: caller, requestID: requestID, tx)
            guard let row = try context.workflows.find(id, in: tx) else { throw CloudError.internalError("a workflow that is not there") }
            return try ImageTask(row)
        }
    }
}

/// The filter, the order and the page of tasks: the query of `GET /v2/tasks`.
struct TaskList: Sendable {
    private var limit = ImageList.standardLimit
    private var marker: String?
    private var status: ImageTask.Status?
    private var type: String?
    private var owner: String?
    private var key = "created_at"
    private var isAscending = false

    /// Parses the query.
    ///
    /// - Throws: `badRequest`.
    init(_ query: Query) throws {
        for (name, value) in query.items {
            switch name {
            case "limit":
                guard let number = Int(value) else { throw CloudError.badRequest("limit param must be an integer") }
                guard number >= 0 else { throw CloudError.badRequest("limit param must be positive") }
                limit = min(number, ImageList.mostLimit)
            case "marker": marker = value
            case "sort_dir":
                guard ["asc", "desc"].contains(value) else { throw CloudError.badRequest("Invalid sort direction: \(value.prefix(64))") }
                isAscending = value == "asc"
            case "sort_key":
                guard Self.sorted(value) != nil else { throw CloudError.badRequest("Invalid sort key: \(value.prefix(64))") }
                key = value
            case "status":
                guard let word = ImageTask.Status(rawValue: value) else { throw CloudError.badRequest("Invalid status value: \(value.prefix(64))") }
                status = word
            case "type":
                guard value == ImageTask.importType else { throw CloudError.badRequest("Invalid type value: \(value.prefix(64))") }
                type = value
            case "owner": owner = value
            default: break
            }
        }
    }

    private static func sorted(_ key: String) -> (@Sendable (ImageTask) -> String)? {
        switch key {
        case "id": { $0.id.text }
        case "type": { $0.type }
        case "status": { $0.status.rawValue }
        case "owner": { $0.owner ?? "" }
        case "created_at": { $0.createdAt.iso8601Microseconds }
        case "updated_at": { $0.updatedAt.iso8601Microseconds }
        case "expires_at": { $0.expiresAt?.iso8601Microseconds ?? "" }
        default: nil
        }
    }

    /// Returns a page, and whether there may be more tasks behind it.
    func page(of all: [ImageTask]) throws -> (tasks: [ImageTask], hasMore: Bool) {
        let value = Self.sorted(key) ?? { $0.id.text }
        var tasks = all.filter { task in
            (status == nil || task.status == status) && (type == nil || task.type == type) && (owner == nil || task.owner == owner)
        }.map { (value: value($0), task: $0) }.sorted { ($0.value, $0.task.id.text) < ($1.value, $1.task.id.text) }.map(\.task)
        if !isAscending { tasks.reverse() }
        if let marker {
            guard let at = tasks.firstIndex(where: { $0.id.text == marker }) else { throw CloudError.badRequest("Invalid marker format") }
            tasks.removeFirst(at + 1)
        }
        let page = Array(tasks.prefix(limit))
        return (page, !page.isEmpty && page.count == limit)
    }
}

import CloudCore
import Durable

/// A workflow on an image, as the tasks API shows it. It is read from the workflow's row; nothing else is stored.
struct ImageTask: Sendable {
    enum Status: String, Sendable, CaseIterable { case pending, processing, success, failure }

    /// The time for which a task can be seen after its end.
    static let lifetime = Duration.seconds(48 * 3600)
    static let importType = "import"
    static let types = [importType, "api_image_import", "location_import"]

    let id: WorkflowID
    let type: String
    let status: Status
    let owner: String?
    let userID: String?
    let requestID: String?
    let imageID: String?
    let input: JSON
    let result: JSON
    let message: String
    let createdAt: Timestamp
    let updatedAt: Timestamp
    let expiresAt: Timestamp?

    /// Reads a workflow's row.
    ///
    /// - Throws: an error if the row is not one of an import.
    init(_ row: WorkflowRecord) throws {
        let given = try JSON.parse(Array(row.input.utf8))
        let isTask = given["isTask"]?.bool == true
        id = row.id
        type = isTask ? Self.importType : "api_image_import"
        status = Self.status(row)
        owner = row.projectID?.text
        userID = try row.principal.flatMap { try JSON.parse(Array($0.utf8))["userID"]?.string }
        requestID = row.requestID
        imageID = given["imageID"]?.string
        let request = try JSON.parse(Array((given["request"]?.string ?? "{}").utf8))
        input = isTask
            ? request
            : ["image_id": given["imageID"] ?? .null, "import_req": request, "backend": given["stores"] ?? .array([])]
        result = status == .success ? ["image_id": given["imageID"] ?? .null] : .null
        message = status == .failure ? row.failure?.message ?? "The task was given up." : ""
        (createdAt, updatedAt) = (row.createdAt, row.updatedAt)
        expiresAt = row.finishedAt.map { $0 + Self.lifetime }
    }

    private static func status(_ row: WorkflowRecord) -> Status {
        switch row.status {
        case .queued: .pending
        case .ready: row.sequence == 0 ? .pending : .processing
        case .running, .waiting, .stuck, .blocked: .processing
        case .succeeded: .success
        case .unwound, .abandoned: .failure
        }
    }
}

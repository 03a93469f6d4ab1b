import CloudCore
import Durable
import HTTPKit
import Logging
import SQL

/// The routes `/novella/v1/workflows`: lists of workflows, and `retry` and `abandon` for a stuck one.
struct WorkflowRoutes: Sendable {
    let context: OperatorContext

    var all: [Route] {
        [
            .get("/workflows", list), .get("/workflows/{workflow_id}", show),
            .post("/workflows/{workflow_id}/retry", retry), .post("/workflows/{workflow_id}/abandon", abandon),
        ]
    }

    private static let reason = Shape.object([.init("reason", .string(1...255, .notBlank), required: true)])

    @Sendable private func list(_ call: Call) async throws -> Reply {
        _ = try await context.require(.listWorkflows, call)
        let query = try WorkflowQuery(call.query)
        // One row more than the limit shows whether there is a next page.
        let found = try await context.database.read(.long) { [workflows = context.workflows] tx in
            try workflows.reports(query.filter, after: query.marker, limit: query.limit + 1, in: tx)
        }
        let page = found.prefix(query.limit)
        return .json { json in
            json.array("workflows", of: page) { json, report in json.object { WorkflowView.summary(report, &$0) } }
            json.member("next", found.count > query.limit ? page.last.map { query.next(after: $0.id, call) } : nil)
        }
    }

    @Sendable private func show(_ call: Call) async throws -> Reply {
        _ = try await context.require(.showWorkflow, call)
        return try await shown(call)
    }

    @Sendable private func retry(_ call: Call) async throws -> Reply {
        let caller = try await context.require(.retryWorkflow, call)
        let id: WorkflowID = call.id("workflow_id")
        try await context.database.write { [workflows = context.workflows] tx in
            try workflows.retry(id, by: caller.author, in: tx)
        }
        context.record("a workflow is tried again", by: caller, call, ["workflow_id": "\(id)"])
        return try await shown(call)
    }

    @Sendable private func abandon(_ call: Call) async throws -> Reply {
        let caller = try await context.require(.abandonWorkflow, call)
        let body = try await call.body.json()
        try Self.reason.check(.object(body), at: "body")
        let (id, reason): (WorkflowID, String) = (call.id("workflow_id"), body["reason"]?.string ?? "")
        try await context.database.write { [workflows = context.workflows] tx in
            try workflows.abandon(id, reason: reason, by: caller.author, in: tx)
        }
        context.record("a workflow was abandoned", by: caller, call, ["workflow_id": "\(id)", "reason": "\(reason)"])
        return try await shown(call)
    }

    private func shown(_ call: Call) async throws -> Reply {
        let id: WorkflowID = call.id("workflow_id")
        let report = try await context.database.read(.long) { [workflows = context.workflows] tx in
            try workflows.report(on: id, in: tx)
        }
        return .json { json in json.object("workflow") { WorkflowView.whole(report, &$0) } }
    }
}

/// The query of a list of workflows.
struct WorkflowQuery: Sendable {
    let filter: WorkflowFilter
    let limit: Int
    let marker: WorkflowID?

    private static let names: Set<String> = ["kind", "status", "resource", "project_id", "stuck", "limit", "marker"]
    static let standardLimit = 100
    static let mostLimit = 1000

    /// - Throws: `CloudError.badRequest` for an unknown name or an invalid value.
    init(_ query: Query) throws {
        for (name, _) in query.items where !Self.names.contains(name) {
            throw CloudError.badRequest("'\(name.prefix(64))' is no filter of this list.")
        }
        var filter = WorkflowFilter()
        filter.kind = query["kind"].map { WorkflowKind($0) }
        filter.resource = query["resource"].map { ResourceKey($0) }
        filter.projectID = query["project_id"].map { ID($0) }
        filter.status = try query["status"].map { word in
            guard let status = WorkflowRecord.Status(rawValue: word) else {
                let words = WorkflowRecord.Status.allCases.map(\.rawValue).joined(separator: ", ")
                throw CloudError.badRequest("'\(word.prefix(64))' is no status; there are \(words).")
            }
            return status
        }
        switch query["stuck"]?.lowercased() {
        case nil, "false": filter.isStuck = false
        case "true": filter.isStuck = true
        default: throw CloudError.badRequest("'stuck' must be true or false.")
        }
        self.filter = filter
        limit = try query["limit"].map { text in
            guard let number = Int(text), (1...Self.mostLimit).contains(number) else {
                throw CloudError.badRequest("'limit' must be a number from 1 to \(Self.mostLimit).")
            }
            return number
        } ?? Self.standardLimit
        marker = query["marker"].map { ID($0) }
    }

    /// Returns the URL of the next page.
    func next(after id: WorkflowID, _ call: Call) -> String {
        let kept = call.query.items.filter { $0.name != "marker" }.map { "\($0.name)=\(Percent.encode($0.value))" }
        return call.url + "?" + (kept + ["marker=\(Percent.encode(id.text))"]).joined(separator: "&")
    }
}

import CloudCore
import Durable
import HTTPKit
import HTTPTypes
import Logging
import SQL

/// The routes `/novella/v1/workflows`: lists of workflows, and `retry` and `abandon` for a stuck one.
struct WorkflowRoutes: Sendable {
    let maker: RouteMaker<OperatorCall>
    let context: OperatorContext

    private static let one = "/workflows/{workflow_id}"

    var all: [Route] {
        [
            maker.route(.get, "/workflows", .listWorkflows) { call in try await list(call.call) },
            maker.route(.get, Self.one, .showWorkflow) { call in try await shown(call) },
            maker.route(.post, Self.one + "/retry", .retryWorkflow) { call in try await retry(call) },
            maker.route(.post, Self.one + "/abandon", .abandonWorkflow) { call in try await abandon(call) },
        ]
    }

    private static let reason = Form.object("", [.required("reason", \.self, .string(1...255, .notBlank))])

    private func list(_ call: Call) async throws -> Reply {
        let query = try WorkflowQuery(call.query)
        // One row more than the limit shows whether there is a next page.
        let found = try await context.database.read(.long) { [workflows = context.workflows] tx in
            try workflows.reports(query.filter, after: query.marker, limit: query.limit + 1, in: tx)
        }
        let page = found.prefix(query.limit)
        return try await .page(of: page.count) {
            .json { json in
                json.array("workflows", of: page) { json, report in json.object { WorkflowView.summary(report, &$0) } }
                json.member("next", found.count > query.limit ? page.last.map { query.next(after: $0.id, call) } : nil)
            }
        }
    }

    private func retry(_ call: OperatorCall) async throws -> Reply {
        let (id, author) = (call.workflow, call.principal.author)
        try await context.database.write { [workflows = context.workflows] tx in
            try workflows.retry(id, by: author, in: tx)
        }
        context.record("a workflow is tried again", call, ["workflow_id": "\(id)"])
        return try await shown(call)
    }

    private func abandon(_ call: OperatorCall) async throws -> Reply {
        let reason = try await call.read(Self.reason)
        let (id, author) = (call.workflow, call.principal.author)
        try await context.database.write { [workflows = context.workflows] tx in
            try workflows.abandon(id, reason: reason, by: author, in: tx)
        }
        context.record("a workflow was abandoned", call, ["workflow_id": "\(id)", "reason": "\(reason)"])
        return try await shown(call)
    }

    private func shown(_ call: OperatorCall) async throws -> Reply {
        let id = call.workflow
        let report = try await context.database.read(.long) { [workflows = context.workflows] tx in
            try workflows.report(on: id, in: tx)
        }
        return .json { json in json.object("workflow") { WorkflowView.whole(report, &$0) } }
    }
}

extension OperatorCall {
    fileprivate var workflow: WorkflowID { call.id("workflow_id") }
}

/// The query of a list of workflows.
struct WorkflowQuery: Sendable {
    let filter: WorkflowFilter
    let limit: Int
    let marker: WorkflowID?

    private static let names: Set<String> = ["kind", "status", "resource", "project_id", "stuck", "limit", "marker"]
    static let standardLimit = 100
    static let mostLimit = Limits.list.page.most

    /// Reads the query of a URL.
    ///
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
        limit =
            try query["limit"].map { text in
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

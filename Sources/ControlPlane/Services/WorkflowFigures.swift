import CloudCore
import Durable
import HTTPKit
import SQL

/// How workflows stand, for `/metrics`: read from their rows when somebody asks, so it is never out of date.
struct WorkflowFigures: Sendable {
    let database: Database
    let workflows: Workflows
    let world: World

    private static let patience: Duration = .seconds(2)

    /// Prometheus' text form; empty while the database does not answer, which `/healthz` tells.
    func text() async -> String {
        let (database, workflows) = (database, workflows)
        let late = CloudError(.timeout, "The database is slow.")
        let deadline = Deadline(Self.patience, late)
        guard let census = try? await deadline.run({ try await database.read { tx in try workflows.census(in: tx) } })
        else { return "" }
        let counts = Dictionary(census.map { ($0.status, $0.count) }, uniquingKeysWith: +)
        var out = "# HELP novella_workflows Durable actions that have not ended.\n# TYPE novella_workflows gauge\n"
        for status in WorkflowRecord.Status.allCases where !status.hasEnded {
            out += "novella_workflows{status=\"\(status.rawValue)\"} \(counts[status.rawValue] ?? 0)\n"
        }
        let stuck = census.reduce(0) { $0 + $1.stuck }
        out += "# HELP novella_workflows_stuck Durable actions that wait for the operator, or whose step has failed again and again.\n"
        out += "# TYPE novella_workflows_stuck gauge\n"
        out += "novella_workflows_stuck \(stuck)\n"
        let oldest = census.map(\.oldest).min().map { max((world.now - $0).inSeconds, 0) } ?? 0
        out += "# HELP novella_workflow_oldest_seconds Age of the oldest durable action that has not ended.\n"
        return out + "# TYPE novella_workflow_oldest_seconds gauge\nnovella_workflow_oldest_seconds \(oldest)\n"
    }
}

extension WorkflowRecord.Status {
    fileprivate var hasEnded: Bool { self == .succeeded || self == .unwound || self == .abandoned }
}

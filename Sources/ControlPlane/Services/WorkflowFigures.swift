import CloudCore
import CoreMetrics
import Durable
import SQL
import Telemetry

/// The figures about workflows for `/metrics`. They are read from the rows at each request, so they are never outdated.
struct WorkflowFigures: Sendable {
    let database: Database
    let workflows: Workflows
    let world: World

    private static let patience: Duration = .seconds(2)

    private static let open = WorkflowRecord.Status.allCases.filter { !$0.hasEnded }

    /// Registers the figures, which are set before each text. They are missing while the database does not answer,
    /// which `/healthz` reports.
    func add(to metrics: PrometheusMetrics) {
        metrics.describe("novella_workflows", "Durable actions that have not ended.")
        metrics.describe(
            "novella_workflows_stuck", "Durable actions that wait for the operator, or whose step has failed again and again.")
        metrics.describe("novella_workflow_oldest_seconds", "Age of the oldest durable action that has not ended.")
        metrics.beforeText { await set($0) }
    }

    private func set(_ metrics: PrometheusMetrics) async {
        let counts = Self.open.map { status in
            Meter(label: "novella_workflows", dimensions: [("status", status.rawValue)], factory: metrics)
        }
        let stuck = Meter(label: "novella_workflows_stuck", factory: metrics)
        let oldest = Meter(label: "novella_workflow_oldest_seconds", factory: metrics)
        let (database, workflows) = (database, workflows)
        let deadline = Deadline(Self.patience, CloudError(.timeout, "The database is slow."))
        let read = try? await deadline.run { try await database.read { tx in try workflows.census(in: tx) } }
        guard let census = read else {
            for meter in counts + [stuck, oldest] { meter.destroy() }
            return
        }
        let found = Dictionary(census.map { ($0.status, $0.count) }, uniquingKeysWith: +)
        for (status, meter) in zip(Self.open, counts) { meter.set(found[status.rawValue] ?? 0) }
        stuck.set(census.reduce(0) { $0 + $1.stuck })
        oldest.set(census.map(\.oldest).min().map { max((world.now - $0).inSeconds, 0) } ?? 0)
    }
}

extension WorkflowRecord.Status {
    fileprivate var hasEnded: Bool { self == .succeeded || self == .unwound || self == .abandoned }
}

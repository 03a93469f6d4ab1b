package import CloudCore
package import SQL

/// The state of one unfinished workflow of a resource, as the API of the resource shows it.
package struct Activity: Sendable, Equatable {
    package let workflowID: WorkflowID
    package let kind: WorkflowKind
    package let status: WorkflowRecord.Status
    package let direction: WorkflowRecord.Direction
    package let step: String
    /// Nova's `task_state`. Nil if the workflow is stuck or blocked, or if its steps show nothing.
    package let shows: ShownState?
    /// Progress in per cent, 0...100.
    package let progress: Int
    package let isCancelling: Bool
    /// Whether the workflow is a delete that waits until the workflows that it cancelled have ended.
    package let supersedes: Bool
}

/// The workflows of one resource: the active one, and those that wait their turn.
package struct ResourceLine: Sendable, Equatable {
    package var active: Activity
    /// The workflows that wait, in the order of their turns.
    package var waiting: [Activity] = []

    package var all: [Activity] { [active] + waiting }

    /// The word of a delete that waits, or else the first word that a workflow of the line shows. So an action is shown
    /// from its start, also while it waits behind a workflow that shows nothing.
    package var shows: ShownState? {
        waiting.first(where: \.supersedes)?.shows ?? all.lazy.compactMap(\.shows).first
    }
}

extension Workflows {
    /// Returns the line of each resource. The result has no entry for a resource without an unfinished workflow.
    package func lines(on resources: [ResourceKey], in tx: Transaction) throws -> [ResourceKey: ResourceLine] {
        var lines: [ResourceKey: ResourceLine] = [:]
        for row in try store.listUnfinished(on: resources, in: tx) {
            let activity = activity(row)
            if lines[row.resource]?.waiting.append(activity) == nil { lines[row.resource] = ResourceLine(active: activity) }
        }
        return lines
    }

    /// Returns the lines of a kind's resources by their ids, for those that have an unfinished workflow. Few resources
    /// have one, so those of a long list are found among all that have one, unless these are more.
    package func lines(of kind: String, _ ids: [String], in tx: Transaction) throws -> [String: ResourceLine] {
        var ids = ids
        if ids.count > Self.fewResources, let busy = try busyResources(of: kind, most: ids.count, in: tx) {
            let busy = Set(busy)
            ids = busy.isEmpty ? [] : ids.filter(busy.contains)
        }
        guard !ids.isEmpty else { return [:] }
        let keys = ids.map { ResourceKey("\(kind)/\($0)") }
        let lines = try lines(on: keys, in: tx)
        return Dictionary(zip(ids, keys).compactMap { id, key in lines[key].map { (id, $0) } }) { first, _ in first }
    }

    /// The number of resources that are looked up one by one.
    private static let fewResources = 50

    package func line(on resource: ResourceKey, in tx: Transaction) throws -> ResourceLine? {
        try lines(on: [resource], in: tx)[resource]
    }

    package func activity(on resource: ResourceKey, in tx: Transaction) throws -> Activity? {
        try store.findActive(on: resource, in: tx).map(activity)
    }

    private func activity(_ row: WorkflowRecord) -> Activity {
        Activity(
            workflowID: row.id, kind: row.kind, status: row.status, direction: row.direction, step: row.step,
            shows: row.status.needsAttention ? nil : outlines[row.outlineKey]?.shows(during: row.step),
            progress: row.progress, isCancelling: row.cancelRequested,
            supersedes: row.status == .queued && row.place == 0)
    }

    package func find(_ id: WorkflowID, in tx: Transaction) throws -> WorkflowRecord? { try store.find(id, in: tx) }

    /// Returns all workflows of a resource, newest first: Nova's instance actions.
    package func actions(on resource: ResourceKey, limit: Int = 1000, in tx: Transaction) throws -> [WorkflowRecord] {
        try store.listAll(on: resource, limit: limit, in: tx)
    }

    /// Returns a part of the workflows of a resource, newest first.
    package func actions(on resource: ResourceKey, _ query: HistoryQuery, in tx: Transaction) throws -> [WorkflowRecord]
    {
        try store.list(query, on: resource, in: tx)
    }

    /// Returns the ids of the resources of a kind that have an active workflow; nil if there are more than `most`.
    ///
    /// - Parameter kind: the part of resource keys before the slash, such as `compute.server`.
    package func busyResources(of kind: String, most: Int, in tx: Transaction) throws -> [String]? {
        let keys = try store.busyResources(TextRange.beginning(kind + "/"), limit: most + 1, in: tx)
        return keys.count > most ? nil : keys.map { String($0.dropFirst(kind.count + 1)) }
    }

    /// Returns the history of one workflow, oldest first: the events of an instance action.
    package func events(of id: WorkflowID, in tx: Transaction) throws -> [WorkflowEvent] { try store.events(of: id, in: tx) }

    /// Returns workflows in one status, oldest first, for the operator.
    package func list(_ status: WorkflowRecord.Status, limit: Int = 100, in tx: Transaction) throws -> [WorkflowRecord] {
        try store.list(status, limit: limit, in: tx)
    }

    /// Returns workflows of some kinds, newest first, for APIs that list actions of all resources.
    ///
    /// - Parameter oldest: workflows that finished at this time or before it are left out.
    package func list(
        _ kinds: [WorkflowKind], finishedAfter oldest: Timestamp, limit: Int, in tx: Transaction
    ) throws -> [WorkflowRecord] {
        try store.list(kinds, finishedAfter: oldest, limit: limit, in: tx)
    }
}

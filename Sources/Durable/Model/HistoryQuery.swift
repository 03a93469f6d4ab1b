package import CloudCore

/// A part of the workflows of one resource, newest first; all conditions must hold.
package struct HistoryQuery: Sendable {
    /// A kind of workflow that is left out.
    package var without: WorkflowKind?
    /// The request that started the workflow.
    package var requestID: String?
    /// The first and the last time of the workflow's last change.
    package var changedSince: Timestamp?
    package var changedBefore: Timestamp?
    /// The workflow behind which the part begins.
    package var after: WorkflowRecord?
    package var limit = 1000

    package init(without: WorkflowKind? = nil, changedSince: Timestamp? = nil, changedBefore: Timestamp? = nil) {
        self.without = without
        self.changedSince = changedSince
        self.changedBefore = changedBefore
    }
}

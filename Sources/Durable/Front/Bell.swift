import CloudCore
import Synchronization

/// A bell by which a commit tells the runner of the same process that there is work. A ring may be lost, as when the
/// process ends: the timer also finds everything that a ring announces.
package final class Bell: Sendable {
    /// The nudge for runners: there is something to claim.
    let work = Nudge()
    private let steps = Mutex<[WorkflowID: Nudge]>([:])
    private let ends = Mutex<[WorkflowID: Nudge]>([:])

    package init() {}

    package func ring() { work.nudge() }

    /// Wakes the attempt of a workflow that may run in this process, and the runner: something about the workflow has
    /// changed.
    func ring(for id: WorkflowID) {
        steps.withLock { $0[id] }?.nudge()
        work.nudge()
    }

    /// Whether somebody in this process waits for the end of a workflow. Tests that carry out workflows by hand ask for
    /// it.
    package var isAwaited: Bool { ends.withLock { !$0.isEmpty } }

    /// Wakes the caller that waits for the end of a workflow. A workflow that is stuck or blocked rings as well.
    func ringEnd(of id: WorkflowID) {
        ends.withLock { $0.removeValue(forKey: id) }?.nudge()
    }

    func awaitEnd(of id: WorkflowID, _ nudge: Nudge) { ends.withLock { $0[id] = nudge } }

    func forgetEnd(of id: WorkflowID) { ends.withLock { $0[id] = nil } }

    func attach(_ nudge: Nudge, to id: WorkflowID) { steps.withLock { $0[id] = nudge } }

    func detach(_ nudge: Nudge, from id: WorkflowID) {
        steps.withLock { steps in if steps[id] === nudge { steps[id] = nil } }
    }
}

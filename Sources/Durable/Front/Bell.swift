import CloudCore
import Synchronization

/// How a commit tells the runner of the same process that there is work. It may be lost, as with the process: everything
/// that it announces is also found by the timer.
package final class Bell: Sendable {
    /// There is something to claim.
    let work = Nudge()
    private let steps = Mutex<[WorkflowID: Nudge]>([:])
    private let ends = Mutex<[WorkflowID: Nudge]>([:])

    package init() {}

    package func ring() { work.nudge() }

    /// Something about a workflow that may be running here has changed.
    func ring(for id: WorkflowID) {
        steps.withLock { $0[id] }?.nudge()
        work.nudge()
    }

    /// Whether somebody in this process waits for the end of a workflow: for tests, which carry workflows out by hand.
    package var isAwaited: Bool { ends.withLock { !$0.isEmpty } }

    /// Wakes whoever waits for the end of a workflow, also when it has come to a standstill.
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

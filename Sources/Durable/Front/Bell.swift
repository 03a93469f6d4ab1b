import CloudCore
import Synchronization

/// How a commit tells the runner of the same process that there is work. It may be lost, as with the process: everything
/// that it announces is also found by the timer.
package final class Bell: Sendable {
    /// There is something to claim.
    let work = Nudge()
    private let steps = Mutex<[WorkflowID: Nudge]>([:])

    package init() {}

    package func ring() { work.nudge() }

    /// Something about a workflow that may be running here has changed.
    func ring(for id: WorkflowID) {
        steps.withLock { $0[id] }?.nudge()
        work.nudge()
    }

    func attach(_ nudge: Nudge, to id: WorkflowID) { steps.withLock { $0[id] = nudge } }

    func detach(_ nudge: Nudge, from id: WorkflowID) {
        steps.withLock { steps in if steps[id] === nudge { steps[id] = nil } }
    }
}

import CloudCore
import Durable

/// The decision whether an action on a server is accepted, so that it runs or waits for its turn, or is refused.
///
/// ```
///   what runs or waits         a further action
///   shows no task              waits, as the reference accepts it, too
///   power, copies, interfaces  power, copies and interfaces wait; the same action is refused while it shows its task;
///                              anything else is refused with the task
///   anything else              is refused with the task
/// ```
///
/// The states in which an action is allowed are compared with the state that the server will be in at the action's
/// turn. The workflow checks again when it begins (`ServerWorld.intend`), because the workflows before it may have
/// failed.
struct ServerTurn {
    /// The most actions that wait for their turn on one server.
    static let mostWaiting = Limits.thing.waitingActions.most

    let server: Server
    let line: ResourceLine?

    /// Refuses an action that can neither run now nor wait for its turn.
    ///
    /// - Parameter work: the workflow that the action starts; nil for an action that is done at once and cannot wait.
    func admit(_ work: WorkflowKind?, _ rule: ServerRule) throws {
        let (word, states) = (rule.word, rule.states)
        let isAlone = work.map { ServerWork.manner(of: $0) == .alone } ?? true
        var state = server.state
        var last: Activity?
        for activity in line?.all ?? [] {
            let manner = ServerWork.manner(of: activity.kind)
            let isShown = activity.shows != nil
            guard manner != .alone, !activity.isCancelling, !activity.status.needsAttention,
                !isShown || !(isAlone || activity.kind == work)
            else {
                // If the server's state does not allow the action, the error names the state first, as in the
                // reference.
                if !states.contains(server.state) { throw refusal(word, "vm_state \(server.state.rawValue)") }
                throw refusal(word, blockedBy: activity)
            }
            if case .leaves(let next) = manner, activity.direction == .forward { (state, last) = (next, activity) }
        }
        guard states.contains(state) else {
            if state != server.state, let last { throw refusal(word, blockedBy: last) }
            throw refusal(word, "vm_state \(state.rawValue)")
        }
        if let line, line.waiting.count >= Self.mostWaiting {
            throw CloudError.conflict("Cannot '\(word)' instance \(server.id): \(line.waiting.count) actions wait on it already")
        }
    }

    private func refusal(_ word: String, _ state: String) -> CloudError {
        .conflict("Cannot '\(word)' instance \(server.id) while it is in \(state)")
    }

    private func refusal(_ word: String, blockedBy activity: Activity) -> CloudError {
        if let shown = line?.shows ?? activity.shows { return refusal(word, "task_state \(shown.text)") }
        let name = ServerWork.names(of: activity.kind).action
        if activity.status.needsAttention {
            return .conflict(
                "Cannot '\(word)' instance \(server.id): its \(name) came to a standstill and waits for an administrator")
        }
        return .conflict("Cannot '\(word)' instance \(server.id) while its \(name) is under way")
    }
}

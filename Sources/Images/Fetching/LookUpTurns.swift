import Synchronization

/// The turns of look-ups: each project does one at a time, so a server that does not answer holds up only the project
/// that named it.
final class LookUpTurns: Sendable {
    /// The right to look up a name. It passes to the next caller of the project when its last reference is gone.
    final class Turn: Sendable {
        private let turns: LookUpTurns
        private let project: String

        fileprivate init(_ turns: LookUpTurns, _ project: String) {
            self.turns = turns
            self.project = project
        }

        deinit { turns.giveBack(project) }
    }

    private struct Waiting {
        let number: Int
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var lastNumber = 0
        /// The callers that wait behind the present turn. A project without an entry has no look-up running.
        var projects: [String: [Waiting]] = [:]
    }

    private let state = Mutex(State())

    /// Waits for the project's turn.
    ///
    /// - Throws: `CancellationError` if the task is cancelled.
    func take(_ project: String) async throws -> Turn {
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        let isMine = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                enter(Waiting(number: number, continuation: continuation), project)
            }
        } onCancel: {
            leave(number, project)
        }
        guard isMine else { throw CancellationError() }
        return Turn(self, project)
    }

    private func enter(_ waiting: Waiting, _ project: String) {
        let isMine: Bool? = state.withLock { state in
            // A caller that is cancelled later finds its entry by number.
            if Task.isCancelled { return false }
            if state.projects[project] == nil {
                state.projects[project] = []
                return true
            }
            state.projects[project]?.append(waiting)
            return nil
        }
        if let isMine { waiting.continuation.resume(returning: isMine) }
    }

    private func leave(_ number: Int, _ project: String) {
        let found: Waiting? = state.withLock { state in
            guard let at = state.projects[project]?.firstIndex(where: { $0.number == number }) else { return nil }
            return state.projects[project]?.remove(at: at)
        }
        found?.continuation.resume(returning: false)
    }

    private func giveBack(_ project: String) {
        let next: Waiting? = state.withLock { state in
            guard state.projects[project]?.isEmpty == false else {
                state.projects[project] = nil
                return nil
            }
            return state.projects[project]?.removeFirst()
        }
        next?.continuation.resume(returning: true)
    }
}

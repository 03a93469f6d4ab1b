package import CloudCore
import Synchronization

/// A signal that wakes all tasks that wait. A nudge while no task waits is kept, once, for the next task that waits, so
/// no nudge is lost.
package final class Nudge: Sendable {
    private struct State {
        var isPending = false
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var next = 0
        /// The waits that were cancelled before they began.
        var cancelled: Set<Int> = []
    }

    private let state = Mutex(State())

    package init() {}

    package func nudge() {
        let woken = state.withLock { state in
            let woken = Array(state.waiters.values)
            state.waiters = [:]
            if woken.isEmpty { state.isPending = true }
            return woken
        }
        for waiter in woken { waiter.resume() }
    }

    /// Returns after a nudge, or when the task is cancelled.
    func wait() async {
        let ticket = state.withLock { state in
            state.next += 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.cancelled.remove(ticket) != nil { return true }
                    if state.isPending {
                        state.isPending = false
                        return true
                    }
                    state.waiters[ticket] = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                let waiter = state.waiters.removeValue(forKey: ticket)
                if waiter == nil { state.cancelled.insert(ticket) }
                return waiter
            }
            waiter?.resume()
        }
        // A cancel that came after the nudge left its ticket behind.
        state.withLock { _ = $0.cancelled.remove(ticket) }
    }

    /// Returns after a nudge, at `deadline`, or when the task is cancelled.
    package func wait(until deadline: Timestamp, by sleeper: any Sleeper) async {
        await withTaskGroup { group in
            group.addTask { await self.wait() }
            group.addTask { try? await sleeper.sleep(until: deadline) }
            await group.next()
            group.cancelAll()
        }
    }
}

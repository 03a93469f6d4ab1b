import CloudCore
import Foundation
import Synchronization

/// The longest time for which one piece of work held an event loop. All connections of a loop wait meanwhile.
package final class LoopHolds: Sendable {
    static let name = "novella_event_loop_longest_hold_seconds"

    /// The time in nanoseconds, from any beginning.
    private let clock: @Sendable () -> Int64
    private let longestHold = Atomic<Int64>(0)

    /// - Parameter clock: the clock that measures; tests take one that counts only the time in which the thread ran.
    package init(clock: @escaping @Sendable () -> Int64 = LoopHolds.elapsed) { self.clock = clock }

    /// The longest hold in nanoseconds since the start, or since the last `reset`.
    package var longest: Int64 { longestHold.load(ordering: .relaxed) }

    package func reset() { longestHold.store(0, ordering: .relaxed) }

    /// Runs a piece of work and notes the time that it took.
    func measuring(_ work: () -> Void) {
        let began = clock()
        work()
        longestHold.max(clock() - began, ordering: .relaxed)
    }

    private static let start = ContinuousClock.now

    /// The time for which the thread has run, in nanoseconds. Reading it is a call into the kernel.
    package static let threadTime: @Sendable () -> Int64 = {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    package static let elapsed: @Sendable () -> Int64 = { (ContinuousClock.now - start).wholeNanoseconds }
}

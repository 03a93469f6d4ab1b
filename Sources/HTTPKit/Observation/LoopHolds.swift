import CloudCore
import Foundation
import Synchronization

/// The longest time for which one piece of work held an event loop. All connections of a loop wait meanwhile.
package final class LoopHolds: Sendable {
    static let name = "novella_event_loop_longest_hold_seconds"

    private let longestHold = Atomic<Int64>(0)
    private let countsThreadTime = Atomic(false)

    package init() {}

    /// Counts only the time for which the thread ran, from now on. That costs two calls into the kernel for each piece
    /// of work, and does not depend on what else the machine does.
    package func countThreadTime() { countsThreadTime.store(true, ordering: .relaxed) }

    /// The longest hold in nanoseconds since the start, or since the last `reset`.
    package var longest: Int64 { longestHold.load(ordering: .relaxed) }

    package func reset() { longestHold.store(0, ordering: .relaxed) }

    /// Runs a piece of work and notes the time that it took.
    func measuring(_ work: () -> Void) {
        let clock = countsThreadTime.load(ordering: .relaxed) ? Self.threadTime : Self.elapsed
        let began = clock()
        work()
        let held = clock() - began
        if held > longest { longestHold.max(held, ordering: .relaxed) }
    }

    private static let start = ContinuousClock.now

    /// The time for which the thread has run, in nanoseconds.
    private static let threadTime: @Sendable () -> Int64 = {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    private static let elapsed: @Sendable () -> Int64 = { (ContinuousClock.now - start).wholeNanoseconds }
}

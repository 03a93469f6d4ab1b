package import CloudCore

/// A wait for a time of the world's clock. A test moves its clock by hand, so no test sleeps.
package protocol Sleeper: Sendable {
    /// Returns when the clock has reached `deadline`.
    ///
    /// - Throws: `CancellationError` if the task is cancelled first.
    func sleep(until deadline: Timestamp) async throws
}

/// The sleeper that waits by a real clock.
package struct ClockSleeper: Sleeper {
    private let clock: any WallClock

    package init(clock: any WallClock) { self.clock = clock }

    package func sleep(until deadline: Timestamp) async throws {
        // The wall clock may be set during the sleep, so the rest of the time is computed again, and the sleep goes on.
        while true {
            let rest = deadline - clock.now
            guard rest > .zero else { return }
            try await Task.sleep(for: min(rest, .seconds(60)))
        }
    }
}

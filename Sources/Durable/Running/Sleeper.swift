package import CloudCore

/// Waits for a moment of the world's clock. A test moves its clock by hand, and no test sleeps.
package protocol Sleeper: Sendable {
    /// Returns when the clock has reached `deadline`.
    ///
    /// - Throws: `CancellationError` when the task is cancelled first.
    func sleep(until deadline: Timestamp) async throws
}

/// The real one.
package struct ClockSleeper: Sleeper {
    private let clock: any WallClock

    package init(clock: any WallClock) { self.clock = clock }

    package func sleep(until deadline: Timestamp) async throws {
        // The wall clock may be set while this sleeps; then the rest is waited for too.
        while true {
            let rest = deadline - clock.now
            guard rest > .zero else { return }
            try await Task.sleep(for: min(rest, .seconds(60)))
        }
    }
}

/// The limits of retries for transient errors: the number of attempts, and the waits between them.
///
/// The waits double from `first` up to `longest`. A permanent error is not retried: it unwinds the workflow at once.
package struct Retry: Sendable, Equatable {
    package let attempts: Int
    package let first: Duration
    package let longest: Duration

    package init(attempts: Int, first: Duration = .seconds(1), longest: Duration = .seconds(60)) {
        self.attempts = max(attempts, 1)
        self.first = first
        self.longest = longest
    }

    package static let never = Retry(attempts: 1)
    package static let standard = Retry.transient(5)
    package static func transient(_ attempts: Int) -> Retry { Retry(attempts: attempts) }

    /// The retry of work that has to succeed in the end: an undo, or a step past the point of no return.
    static let patient = Retry(attempts: .max, first: .seconds(1), longest: .seconds(300))

    /// Returns the wait after an attempt. Attempts count from 1.
    func delay(after attempt: Int) -> Duration {
        // 2^20 seconds is beyond any wait; a larger exponent would only overflow.
        min(first * (1 << min(max(attempt - 1, 0), 20)), longest)
    }
}

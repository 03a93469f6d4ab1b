/// How often a step is tried when its errors are transient, and how long is waited in between.
///
/// The waits double from `first` up to `longest`. A permanent error is never tried again: it unwinds the workflow at once.
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

    /// For what has to succeed in the end: an undo, a step past the point of no return.
    static let patient = Retry(attempts: .max, first: .seconds(1), longest: .seconds(300))

    /// The wait after the attempt of that number, which counts from 1.
    func delay(after attempt: Int) -> Duration {
        // 2^20 seconds is beyond any wait; a larger exponent would only overflow.
        min(first * (1 << min(max(attempt - 1, 0), 20)), longest)
    }
}

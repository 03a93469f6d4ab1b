/// A condition that did not come true in time.
package struct DidNotHappen: Error, CustomStringConvertible {
    package let description: String
}

/// Waits until `condition` is true. This is the one place in the tests that sleeps; it ends as soon as it can.
///
/// The deadline is only for what never comes true: hundreds of tests run at once, on machines that are busy besides.
///
/// - Throws: `DidNotHappen` when the deadline has passed, and whatever the condition throws.
package func eventually(
    _ what: String = "the condition", within deadline: Duration = .seconds(400), isolation: isolated (any Actor)? = #isolation,
    _ condition: () async throws -> Bool
) async throws {
    let clock = ContinuousClock()
    let end = clock.now + deadline
    while try await !condition() {
        guard clock.now < end else { throw DidNotHappen(description: "\(what) did not come true within \(deadline)") }
        try await Task.sleep(for: .milliseconds(3))
    }
}

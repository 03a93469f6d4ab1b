/// The error of a condition that did not become true in time.
package struct DidNotHappen: Error, CustomStringConvertible {
    package let description: String
}

/// Waits until `condition` is true. No other code of the tests sleeps; the wait ends as soon as it can.
///
/// The deadline serves only conditions that never become true. It is long, because hundreds of tests run at once, on
/// busy machines.
///
/// - Throws: `DidNotHappen` after the deadline; the errors of the condition.
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

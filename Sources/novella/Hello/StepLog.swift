/// A log of the steps of a command and of the time that each took.
final class StepLog: Sendable {
    private let clock = ContinuousClock()
    private let began: ContinuousClock.Instant

    init() { began = clock.now }

    @discardableResult
    func run<Value: Sendable>(_ name: String, _ body: () async throws -> Value) async throws -> Value {
        let start = clock.now
        let value: Value
        do {
            value = try await body()
        } catch let error as ClientError {
            throw ClientError("\(name): \(error.description)")
        }
        Terminal.say("  \(name.padding(32))\(Self.seconds(clock.now - start))")
        return value
    }

    var elapsed: String { Self.seconds(clock.now - began) }

    /// Calls `body` repeatedly until it returns a value. Throws after `patience`.
    @discardableResult
    func wait<Value>(for patience: Duration, _ what: String, _ body: () async throws -> Value?) async throws -> Value {
        let end = clock.now + patience
        while clock.now < end {
            if let value = try await body() { return value }
            try await clock.sleep(for: .milliseconds(100))
        }
        throw ClientError("waited \(Self.seconds(patience)) for \(what).")
    }

    private static func seconds(_ duration: Duration) -> String {
        let tenths = (duration.components.seconds * 100 + duration.components.attoseconds / 10_000_000_000_000_000)
        return "\(tenths / 100).\(tenths % 100 < 10 ? "0" : "")\(tenths % 100) s"
    }
}

extension String {
    fileprivate func padding(_ width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}

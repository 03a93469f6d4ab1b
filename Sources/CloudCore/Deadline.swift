/// A limit of time for work that may never end.
package struct Deadline: Sendable {
    /// Thrown when the time is over.
    private let error: any Error
    private let wait: @Sendable () async throws -> Void

    /// - Parameter wait: returns when the time is over, by the clock of the caller.
    package init(_ error: any Error, wait: @escaping @Sendable () async throws -> Void) {
        self.error = error
        self.wait = wait
    }

    package init(_ limit: Duration, _ error: any Error) {
        self.init(error) { try await Task.sleep(for: limit) }
    }

    /// Runs `body`, and cancels it when the time is over. `body` has ended in any case when this returns.
    package func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await wait()
                throw error
            }
            guard let first = try await group.next() else { throw CancellationError() }
            group.cancelAll()
            return first
        }
    }
}

/// A limit of time for work that may never end. The work also ends with the budget of the request that waits for it.
package struct Deadline: Sendable {
    /// Thrown when the time is over.
    private let error: any Error
    private let wait: @Sendable () async throws -> Void
    private let budget: Budget?

    /// - Parameter wait: returns when the time is over, by the clock of the caller.
    package init(_ error: any Error, wait: @escaping @Sendable () async throws -> Void) {
        self.init(error, budget: Budget.current, wait: wait)
    }

    private init(_ error: any Error, budget: Budget?, wait: @escaping @Sendable () async throws -> Void) {
        self.error = error
        self.budget = budget
        self.wait = wait
    }

    /// - Parameter endsWithRequest: whether the end of the present request's budget ends the work.
    package init(_ limit: Duration, _ error: any Error, endsWithRequest: Bool = true) {
        self.init(error, budget: endsWithRequest ? Budget.current : nil) { try await Task.sleep(for: limit) }
    }

    /// Runs `body`, and cancels it when the time is over. `body` has ended in any case when this returns.
    package func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await wait()
                throw error
            }
            if let budget {
                group.addTask {
                    try await budget.expire()
                    throw Budget.cutOff
                }
            }
            guard let first = try await group.next() else { throw CancellationError() }
            group.cancelAll()
            return first
        }
    }
}

/// Threads for work that would hold an event loop, and with it all connections of that loop: the parsing of long bodies
/// and the writing of long pages.
///
/// Shares take turns, and one share leaves a thread for the others. The threads have the usual priority: with a lower
/// one, an ordinary list of 100 ports took twice as long on a busy machine.
package enum Elsewhere {
    /// The number of elements from which a page is written on another thread. The writing of fewer takes less time than
    /// the way to another thread and back is worth.
    package static let longFrom = 200
    /// The same for small elements: the writing of one takes about a microsecond.
    package static let longFromOfSmall = 2000

    private static let threads = ClosurePool<Void>(
        name: "elsewhere", workers: Array(repeating: (), count: 3), limits: PoolLimits(threadsOfShare: 2))

    /// Runs `body`: on one of the threads if it may take long, else at once.
    package static func run<Value: Sendable>(
        ifLong isLong: Bool, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        isLong ? try await run(body) : try body()
    }

    /// Runs `body` on one of the threads.
    ///
    /// - Throws: the error of a request that was cut off while it waited, and what `body` throws.
    package static func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        let budget = Budget.current
        do {
            return try await threads.run(for: budget?.share ?? .cloud) {
                try budget?.check()
                return try body()
            }
        } catch is PoolRefusal {
            throw CloudError.busy("Too many long requests wait already. Please try again.")
        }
    }
}

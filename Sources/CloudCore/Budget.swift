import Synchronization

/// The bounds of one request: the time until it must be answered, whether anybody waits for the answer, and whose share
/// of common things it takes.
///
/// The budget of the running request is a task-local value. Code that waits or works for long asks it; all other code
/// need not know of it. It ends once, for the first of these reasons:
///
///     running --the time passes--> late
///        | '---the client leaves--> clientLeft
///        '---the answer is made--> answered
///
/// A budget that was `answered` stops nothing any more: tasks that outlive their request go on.
package final class Budget: Sendable {
    /// The budget of the running request. It is nil for work that no request waits for.
    @TaskLocal package static var current: Budget?

    /// The reason for which a budget has ended.
    package enum End: Int, Sendable {
        case late = 1
        case clientLeft, answered
    }

    private static let running = 0

    private let began = ContinuousClock.now
    /// The time after `began` at which the budget ends, in nanoseconds.
    private let allowance: Atomic<Int64>
    private let state = Atomic(Budget.running)
    private let shared: Mutex<Shared>

    private struct Shared {
        var share: Share
        var watchers: [Int: @Sendable () -> Void] = [:]
        var next = 0
    }

    /// - Parameters:
    ///   - time: the time that the request has, from now; nil if it has no limit.
    ///   - share: the owner of the share that the request takes, until the caller is known.
    package init(_ time: Duration?, share: Share = .cloud) {
        allowance = Atomic(time?.wholeNanoseconds ?? .max)
        shared = Mutex(Shared(share: share))
    }

    // MARK: Shares

    /// The owner of the share that the request takes.
    package var share: Share {
        get { shared.withLock { $0.share } }
        set { shared.withLock { $0.share = newValue } }
    }

    // MARK: The end

    /// The reason for which the budget has ended; nil while it has not.
    package var end: End? {
        if let end = End(rawValue: state.load(ordering: .relaxed)) { return end }
        return isTimeOver && finish(.late) ? .late : End(rawValue: state.load(ordering: .relaxed))
    }

    /// Whether the work for the request is in vain.
    package var isOver: Bool {
        switch end {
        case .late, .clientLeft: true
        case .answered, nil: false
        }
    }

    /// Throws if the work for the request is in vain.
    package func check() throws { if isOver { throw Self.cutOff } }

    /// Ends the budget, unless it has ended already.
    package func end(as reason: End) { _ = finish(reason) }

    /// Leaves the request no more than `time` from now.
    package func shorten(to time: Duration) {
        let wanted = (ContinuousClock.now - began + time).wholeNanoseconds
        if wanted < allowance.load(ordering: .relaxed) { allowance.store(wanted, ordering: .relaxed) }
    }

    /// The time that is left; nil if it has no limit, or if the request was answered.
    package var remaining: Duration? {
        if state.load(ordering: .relaxed) == End.answered.rawValue { return nil }
        let nanoseconds = allowance.load(ordering: .relaxed)
        return nanoseconds == .max ? nil : max(.zero, .nanoseconds(nanoseconds) - (ContinuousClock.now - began))
    }

    /// Runs `action` when the client leaves, or at once if the work is in vain already. An answer runs nothing, and nor
    /// does the passing of the time: code that waits also waits for `remaining`.
    ///
    /// - Returns: a number for `forget`.
    package func whenEnded(_ action: @escaping @Sendable () -> Void) -> Int {
        let (number, isLate) = shared.withLock { shared in
            shared.next += 1
            let end = End(rawValue: state.load(ordering: .acquiring))
            if end == nil { shared.watchers[shared.next] = action }
            return (shared.next, end == .late || end == .clientLeft)
        }
        if isLate { action() }
        return number
    }

    package func forget(_ number: Int) { shared.withLock { _ = $0.watchers.removeValue(forKey: number) } }

    /// Waits for the end of the budget.
    ///
    /// - Throws: the error of a request that was cut off, or `CancellationError`.
    package func expire() async throws {
        let gone = AsyncStream<Void>.makeStream()
        let number = whenEnded { gone.continuation.finish() }
        defer { forget(number) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in gone.stream {} }
            if let remaining { group.addTask { try await Task.sleep(for: remaining) } }
            try await group.next()
            group.cancelAll()
        }
        try Task.checkCancellation()
        // Nothing ends the work of a request that was answered.
        while !isOver { try await Task.sleep(for: .seconds(3600)) }
        throw Self.cutOff
    }

    private var isTimeOver: Bool {
        let nanoseconds = allowance.load(ordering: .relaxed)
        return nanoseconds != .max && (ContinuousClock.now - began).wholeNanoseconds >= nanoseconds
    }

    private func finish(_ reason: End) -> Bool {
        let (isFirst, _) = state.compareExchange(
            expected: Budget.running, desired: reason.rawValue, ordering: .acquiringAndReleasing)
        guard isFirst else { return false }
        let watchers = shared.withLock { shared in
            defer { shared.watchers = [:] }
            return reason == .answered ? [] : shared.watchers.values.map { $0 }
        }
        for watcher in watchers { watcher() }
        return true
    }

    /// The error of a request that was cut off. Nothing of an unfinished transaction remains.
    package static var cutOff: CloudError {
        .busy("The request took too long and was cut off. An unfinished change was taken back.")
    }
}

/// The owner of a share of what all callers use together.
package enum Share: Hashable, Sendable {
    /// The cloud itself: its keepers and watchers.
    case cloud
    /// A project, by its id.
    case project(String)
    /// A user whose token has no project, by the user's id.
    case user(String)
    /// A client that has shown no valid token, by its address.
    case address(String)
}

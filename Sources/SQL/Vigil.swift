import CloudCore

/// The watch over the transaction that runs on a connection. It stops the transaction at the end of its request's
/// budget, at its own limit of time, or, for a short read, at its limit of work.
///
/// A connection has one vigil, and only the thread that uses the connection uses it.
final class Vigil {
    /// An amount of work.
    struct Work {
        /// The number of looks of the vigil, each after as many instructions of the database.
        var looks: Int
        /// The number of rows that are read.
        var rows: Int
    }

    private var budget: Budget?
    private var began = ContinuousClock.now
    private var limit: Duration?
    /// The work that is left until it is too long; nil if it has no limit.
    private var left: Work?
    /// Whether the transaction was stopped because its work was too long for the thread that it runs on.
    private(set) var isTooLong = false

    /// Begins to watch over a transaction.
    ///
    /// - Parameters:
    ///   - budget: the budget of the request; nil for the cloud's own work, which is never stopped.
    ///   - limit: the time that the transaction may take if its request has a limit of time.
    ///   - work: the most work that is not too long.
    func begin(_ budget: Budget?, limit: Duration? = nil, work: Work? = nil) {
        self.budget = budget
        self.limit = budget?.remaining == nil ? nil : limit
        if self.limit != nil { began = .now }
        left = work
        isTooLong = false
    }

    /// Ends the watch.
    func end() { (budget, limit, left) = (nil, nil, nil) }

    /// Looks whether the transaction must stop. The database calls it after each part of its work.
    func mustStop() -> Bool {
        left?.looks -= 1
        if let left, left.looks < 0 { isTooLong = true }
        return isTooLong || isOver
    }

    /// Counts a row that was read.
    ///
    /// - Throws: `SQLError.interrupted` if the transaction has read too many.
    func countRow() throws {
        guard left != nil else { return }
        left?.rows -= 1
        if let left, left.rows < 0 {
            isTooLong = true
            try check()
        }
    }

    /// Throws if the transaction must stop; called before each statement.
    func check() throws {
        if isTooLong || isOver {
            throw SQLError.interrupted("nobody waits for the result any more, or it takes too long")
        }
    }

    private var isOver: Bool {
        guard let budget else { return false }
        if budget.isOver { return true }
        return limit.map { ContinuousClock.now - began > $0 } ?? false
    }
}

package import CloudCore
import Foundation
import NIOPosix

/// Threads for work that takes the processor for milliseconds and that nobody else should wait for: reading long JSON,
/// hashing passwords. They have a lower priority than all other threads, so that on a busy machine a caller who causes
/// such work waits, and others do not.
package struct SlowThreads: Sendable {
    private let pool: NIOThreadPool

    /// The threads that read and check large bodies.
    package static let bodies = SlowThreads(2)

    /// Starts the threads. They never end, so a pool is one for the whole process.
    package init(_ count: Int) {
        pool = NIOThreadPool(numberOfThreads: count)
        pool.start()
    }

    /// Runs work on one of the threads.
    ///
    /// - Throws: the error of the work.
    package func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await pool.runIfActive {
            Self.lowerPriority()
            return try work()
        }
    }

    /// Runs work on one of the threads if it is heavy, and otherwise at once.
    package func run<Value: Sendable>(
        if isHeavy: Bool, _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        isHeavy ? try await run(work) : try work()
    }

    /// Lowers the priority of the calling thread. On Linux, which gives each thread its own, it costs a system call.
    private static func lowerPriority() {
        #if os(Linux)
            _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceness)
        #endif
    }

    /// The niceness (setpriority(2)): such a thread gets about a tenth of the time of an ordinary one.
    private static let niceness: Int32 = 10
}

extension JSONObject {
    /// Whether the object has so many values inside that it is not checked on a connection's own thread.
    package var isHeavy: Bool {
        var left = Self.lightest
        return !JSON.object(self).fits(&left)
    }

    /// The most values of a light object.
    private static let lightest = 500
}

extension JSON {
    /// Takes the number of values inside from `left`. Returns false if there are more.
    fileprivate func fits(_ left: inout Int) -> Bool {
        switch self {
        case .array(let elements):
            left -= elements.count
            if left < 0 { return false }
            for element in elements where !element.fits(&left) { return false }
        case .object(let object):
            left -= object.count
            if left < 0 { return false }
            for member in object.members where !member.value.fits(&left) { return false }
        default: break
        }
        return true
    }
}

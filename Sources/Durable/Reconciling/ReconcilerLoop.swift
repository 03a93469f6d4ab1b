package import CloudCore
package import Logging
import ServiceLifecycle
import Synchronization

/// The status of a reconciler, for `inspect` and metrics.
package struct ReconcilerStatus: Sendable, Equatable {
    package let name: String
    package var passes = 0
    package var isRunning = false
    package var lastBegan: Timestamp?
    /// The time at which a pass last ended without a problem.
    package var lastSuccess: Timestamp?
    /// The number of passes since then that failed or reported problems.
    package var failuresInARow = 0
    package var lastReport: ReconcilerReport?
    /// The error that the last pass threw; nil if it ended by itself.
    package var lastError: String?
}

/// A loop that runs one reconciler: at the start, after a nudge, and by a timer. All of them take the same path.
package struct ReconcilerLoop: Service {
    private let reconciler: any Reconciler
    private let world: World
    private let sleeper: any Sleeper
    private let log: Logger
    private let bell: Nudge
    private let current: StatusBox

    /// Creates the loop of a reconciler.
    ///
    /// - Parameter bell: the nudge that asks for passes besides `nudge()`, for code that asks before the loop exists.
    package init(_ reconciler: any Reconciler, world: World, sleeper: any Sleeper, bell: Nudge = Nudge(), log: Logger) {
        var log = log
        log[metadataKey: LogKey.reconciler] = "\(reconciler.name)"
        self.reconciler = reconciler
        self.world = world
        self.sleeper = sleeper
        self.log = log
        self.bell = bell
        current = StatusBox(ReconcilerStatus(name: reconciler.name))
    }

    package var status: ReconcilerStatus { current.value.withLock { $0 } }

    /// Asks for a pass soon; for `Transaction.afterCommit`. However often it is called, one pass follows the present
    /// one.
    package func nudge() { bell.nudge() }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await pass()
                await bell.wait(until: world.now + reconciler.interval, by: sleeper)
            }
        }
    }

    private func pass() async {
        let began = world.now
        current.value.withLock { status in
            status.isRunning = true
            status.lastBegan = began
        }
        let result = await passInTime()
        // A pass that was cut off by the end of the process has no result.
        if Task.isCancelled { return }
        let ended = world.now
        current.value.withLock { status in
            status.isRunning = false
            status.passes += 1
            status.lastError = nil
            var isGood = false
            switch result {
            case .success(let report):
                status.lastReport = report
                isGood = report.problems.isEmpty
            case .failure(let error): status.lastError = "\(error)"
            }
            status.failuresInARow = isGood ? 0 : status.failuresInARow + 1
            if isGood { status.lastSuccess = ended }
        }
        switch result {
        case .success(let report):
            for problem in report.problems { log.warning("\(problem)") }
            if report.changed > 0 { log.info("changed \(report.changed) of \(report.examined)") }
        case .failure(let error): log.error("a pass failed: \(error)")
        }
    }

    /// Waits for a pass that was cancelled at its deadline, so that two passes never overlap.
    private func passInTime() async -> Result<ReconcilerReport, any Error> {
        let end = world.now + reconciler.deadline
        let late = CloudError(.timeout, "The pass took too long.", detail: "cancelled at its deadline")
        let deadline = Deadline(late) { [sleeper] in try await sleeper.sleep(until: end) }
        do {
            return .success(try await deadline.run { [reconciler] in try await reconciler.reconcile() })
        } catch {
            return .failure(error)
        }
    }
}

private final class StatusBox: Sendable {
    let value: Mutex<ReconcilerStatus>
    init(_ status: ReconcilerStatus) { value = Mutex(status) }
}

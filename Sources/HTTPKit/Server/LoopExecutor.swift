import NIOCore

/// An executor that runs a connection's task on the event loop of that connection.
///
/// Without it, each request would move to a thread of Swift's own pool and back. These two wake-ups cost a single
/// client more than the answer itself. Slow work must not run here: password hashes, transactions and long pages have
/// their own threads.
final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop
    private let holds: LoopHolds

    init(_ loop: any EventLoop, _ holds: LoopHolds) {
        self.loop = loop
        self.holds = holds
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { [self] in holds.measuring { job.runSynchronously(on: asUnownedTaskExecutor()) } }
    }
}

import NIOCore

/// An executor that runs a connection's task on the event loop of that connection.
///
/// Without it, each request would move to a thread of Swift's own pool and back. These two wake-ups cost a single
/// client more than the answer itself. Slow work must not run here: password hashes and transactions have their own
/// threads.
final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

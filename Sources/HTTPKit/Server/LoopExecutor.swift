import NIOCore

/// Runs a connection's task on the event loop that has the connection.
///
/// Otherwise each request crosses to a thread of Swift's own pool and back: two wake-ups, which cost a lone client more than
/// the answer itself. What takes long must not run here: hashes and transactions have threads of their own.
final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

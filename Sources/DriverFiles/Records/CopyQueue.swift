import HostModel
import Synchronization

/// A copy that waits for its turn.
enum CopyJob: Hashable, Sendable {
    case volume(VolumeID)
    case snapshot(SnapshotID)
    case export(String)
}

/// The copies that wait for the background work. Nothing is lost while nobody listens: the background work begins with
/// all records that are not whole.
final class CopyQueue: Sendable {
    private let listener = Mutex<AsyncStream<CopyJob>.Continuation?>(nil)

    func add(_ job: CopyJob) { listener.withLock { _ = $0?.yield(job) } }

    /// Returns the jobs from now on. The listener before it hears no more.
    func listen() -> AsyncStream<CopyJob> {
        let (jobs, continuation) = AsyncStream.makeStream(of: CopyJob.self)
        listener.withLock { listener in
            listener?.finish()
            listener = continuation
        }
        return jobs
    }
}

import Blobs
import CloudCore
import Durable
import Synchronization

/// A reconciler that looks at some pieces of backups each hour, slowly, and so at all of them in time. Operators see
/// what is damaged as its problems, and in the log.
struct BackupScrubber: Reconciler {
    let context: BlockStorageContext
    let name = "volume-backup-scrub"
    let interval = Duration.seconds(3600)
    let deadline = Duration.seconds(3000)
    /// The chunk behind which the next pass begins. It begins anywhere, so that the first chunks are not looked at
    /// after each start and the last ones never.
    private let place: Place

    /// The chunks of a pass: at most 2 GiB of content.
    private static let share = 512
    /// The pause after each chunk, so that a pass reads at most 32 MiB a second.
    private static let pause = Duration.milliseconds(125)

    init(context: BlockStorageContext) {
        self.context = context
        place = Place(ChunkID(Hex.text(context.world.random.bytes(32))))
    }

    private final class Place: Sendable {
        let chunk: Mutex<ChunkID?>
        init(_ chunk: ChunkID?) { self.chunk = Mutex(chunk) }
    }

    func reconcile() async throws -> ReconcilerReport {
        let scrub = BackupScrub(database: context.database, chunks: context.needs.chunks)
        let (world, sleeper) = (context.world, context.sleeper)
        let from = place.chunk.withLock { $0 }
        let report = try await scrub.look(after: from, most: Self.share) {
            try await sleeper.sleep(until: world.now + Self.pause)
        }
        place.chunk.withLock { $0 = report.next }
        return ReconcilerReport(examined: report.examined, problems: report.damages.map(\.text))
    }
}

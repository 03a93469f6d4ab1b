import Foundation
import SQL
import ServiceLifecycle

/// The service that gives free memory back to the system after the process has grown.
///
/// The C library keeps what was freed, for each thread apart. After a time with many large answers that is several
/// times of what is in use, and one tenant could make the process that large for good.
struct MemoryKeeper: Service {
    let database: Database

    /// Sets how the C library keeps memory: as many pools as there are processors, where it would have eight for each,
    /// and none for very large pieces, which go back to the system at once. It is called before the first threads.
    ///
    /// Free memory stays in the pools until `run` gives it back. A page that comes from the system anew costs more
    /// than its text: with a bound of 256 KiB, a list of 374 KB took 2.5 times the processor time.
    static func prepare() {
        guard let set: Set = function("mallopt") else { return }
        _ = set(poolsOption, Int32(clamping: ProcessInfo.processInfo.activeProcessorCount))
        _ = set(keepOption, keep)
        _ = set(largeOption, large)
    }

    // The numbers of the options, and their meaning: mallopt(3).
    private static let keepOption: Int32 = -1
    private static let largeOption: Int32 = -3
    private static let poolsOption: Int32 = -8
    /// The size in bytes of a piece that no pool keeps.
    private static let large: Int32 = 4 << 20
    /// The free memory in bytes at the end of a pool that the pool keeps.
    private static let keep: Int32 = 64 << 20

    private static let interval = Duration.seconds(5)
    /// The growth since the last time, in bytes, that is worth the few milliseconds.
    private static let growth = 4.0 * 1_048_576

    func run() async throws {
        guard let trim: Trim = Self.function("malloc_trim") else { return }
        await cancelWhenGracefulShutdown {
            var least = ProcessFigures.residentBytes
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                let now = ProcessFigures.residentBytes
                least = min(least, now)
                guard now > least + Self.growth else { continue }
                // The pages of the database lie between pieces that are free. A database that is away keeps them
                // until the next time.
                try? await database.releaseMemory()
                _ = trim(0)
                least = ProcessFigures.residentBytes
            }
        }
    }

    private typealias Set = @convention(c) (Int32, Int32) -> Int32
    private typealias Trim = @convention(c) (Int) -> Int32

    /// Returns a function of the C library that Swift's module of it does not show; nil if the library has none.
    private static func function<Function>(_ name: String) -> Function? {
        dlsym(nil, name).map { unsafeBitCast($0, to: Function.self) }
    }
}

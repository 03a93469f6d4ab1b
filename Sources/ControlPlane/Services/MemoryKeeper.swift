import Foundation
import ServiceLifecycle

/// The service that gives free memory back to the system after the process has grown.
///
/// The C library keeps what was freed, for each thread apart. After a time with many large answers that is several
/// times of what is in use, and one tenant could make the process that large for good.
struct MemoryKeeper: Service {
    private static let interval = Duration.seconds(5)
    /// The growth since the last time, in bytes, that is worth the few milliseconds.
    private static let growth = 8.0 * 1_048_576

    func run() async throws {
        guard let trim = Self.trim else { return }
        await cancelWhenGracefulShutdown {
            var least = ProcessFigures.residentBytes
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                let now = ProcessFigures.residentBytes
                least = min(least, now)
                guard now > least + Self.growth else { continue }
                _ = trim(0)
                least = ProcessFigures.residentBytes
            }
        }
    }

    private typealias Trim = @convention(c) (Int) -> Int32

    /// The function malloc_trim(3); nil if the C library has none. Swift's module of the C library does not show it.
    private static var trim: Trim? { dlsym(nil, "malloc_trim").map { unsafeBitCast($0, to: Trim.self) } }
}

import CloudCore
import Drivers
package import HostModel
package import SQL
import Synchronization

/// The era of this cloud: it puts the changes of a restored cloud above all that its hosts have seen.
///
/// Hosts refuse changes that are older than the newest that they took, and store that number on their disks. A database
/// that was restored from a backup counts from numbers that the hosts have passed, so they would refuse it until it has
/// counted up again. Therefore an era begins with each restore, and its beginning is added to each number that goes to
/// a host. Rows and workflows do not know of it.
package final class FenceEra: Sendable {
    /// The distance between eras that begin a second apart. It exceeds the number of changes that any cloud makes in a
    /// second.
    private static let perSecond: Int64 = 1 << 20

    private let start = Mutex<Int64>(0)

    package init() {}

    /// Reads the time of the last restore of the database.
    package func load(_ database: Database) async throws {
        let restored = try await database.read { tx in try RestoreStore().last(in: tx) }
        begin(at: restored)
    }

    func begin(at restored: Timestamp?) { start.withLock { $0 = (restored?.seconds ?? 0) * Self.perSecond } }

    /// Returns a number of a row as hosts are told it.
    package func raise(_ number: Int64) -> Int64 {
        let (sum, isTooLarge) = number.addingReportingOverflow(start.withLock { $0 })
        return isTooLarge ? .max : sum
    }

    package func raise(_ fence: Fence) -> Fence { Fence(epoch: raise(fence.epoch), generation: raise(fence.generation)) }

    /// Returns a number from a host as rows count. A number from an earlier era becomes lower than all numbers of the
    /// rows.
    package func lower(_ number: Int64) -> Int64 { number - start.withLock { $0 } }
}

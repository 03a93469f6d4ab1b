import CloudCore
import Drivers
package import HostModel
package import SQL
import Synchronization

/// Puts what a restored cloud wants above all that its hosts have seen.
///
/// Hosts refuse changes that are older than what they took, and keep the numbers of what they took on their disks. A
/// database that was restored from a backup counts from numbers that hosts have passed: without more they would refuse
/// it until it has counted up again. So an era begins with each restore, and its beginning is added to each number that
/// goes to a host. Rows and workflows know nothing of it.
package final class FenceEra: Sendable {
    /// Numbers between two eras whose beginnings are a second apart: more changes than any cloud makes in a second.
    private static let perSecond: Int64 = 1 << 20

    private let start = Mutex<Int64>(0)

    package init() {}

    /// Reads when the database was restored last.
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

    /// Returns a number of a host as rows count. One of an earlier era is below all of theirs.
    package func lower(_ number: Int64) -> Int64 { number - start.withLock { $0 } }
}

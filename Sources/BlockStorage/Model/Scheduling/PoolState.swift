import HostModel

/// A pool as the choice of a pool sees it: what its host reported, what operators decided, and what rows have in it.
struct PoolState: Sendable {
    var report: PoolReport
    var host: StorageHost?
    /// The sizes of all volumes in the pool, in GiB, as the rows have them.
    var allocatedGiB: Int

    var name: PoolName { report.name }
    private var pool: VolumePool { report.pool }

    var isThin: Bool { pool.abilities.contains(.thin) }
    var hasMultiattach: Bool { pool.abilities.contains(.multiattach) }

    var totalGiB: Int { Int(pool.totalBytes >> 30) }
    var freeGiB: Int { Int(max(pool.freeBytes, 0) >> 30) }
    /// The promised size in GiB: what rows have or what the host counts, whichever is more.
    var provisionedGiB: Int { max(allocatedGiB, Int(pool.provisionedBytes >> 30)) }

    /// The size in GiB that volumes may have together: more than the pool has, if it is thin.
    var mostProvisionedGiB: Int {
        // The pool's own rule counts bytes: a pool of half a GiB may promise many.
        isThin ? Int(Double(pool.totalBytes) * pool.bounds.overSubscription) >> 30 : totalGiB
    }

    /// The part of the promised size that is free, 0...1.
    var freeShare: Double {
        guard mostProvisionedGiB > 0 else { return 0 }
        return Double(mostProvisionedGiB - provisionedGiB) / Double(mostProvisionedGiB)
    }
}

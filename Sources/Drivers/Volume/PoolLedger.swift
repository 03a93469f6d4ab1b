package import CloudCore
package import HostModel
import Synchronization

/// The promises of a pool: the sizes of its volumes and snapshots, whatever space they take. The sum is kept and never
/// added up anew, so that a volume costs the same in a large pool.
package final class PoolLedger: Sendable {
    private struct State {
        var sizes: [String: Int64] = [:]
        var sum: Int64 = 0

        mutating func set(_ id: String, _ bytes: Int64?) {
            sum += (bytes ?? 0) - (sizes[id] ?? 0)
            sizes[id] = bytes
        }
    }

    private let state = Mutex(State())

    package init() {}

    package var sum: Int64 { state.withLock { $0.sum } }

    /// Notes a size that was promised before.
    package func note(_ id: String, _ bytes: Int64) { state.withLock { $0.set(id, bytes) } }

    package func forget(_ id: String) { state.withLock { $0.set(id, nil) } }

    /// Promises a size, if the pool's bounds allow it. A repeated promise of the same size is always kept.
    ///
    /// - Parameters:
    ///   - pool: the pool as it is now.
    ///   - isThin: whether the space is only taken when it is written to.
    /// - Throws: `unavailable` with `VolumePool.fullCode`.
    package func claim(_ id: String, _ bytes: Int64, in pool: VolumePool, isThin: Bool) throws(CloudError) {
        let refusal: String? = state.withLock { state in
            let more = bytes - (state.sizes[id] ?? 0)
            guard more > 0 else { return nil }
            let most = Double(pool.totalBytes) * pool.bounds.overSubscription
            if pool.isAboveHardLimit { return "\(pool.usedPercent) % of \(pool.name) are used" }
            if Double(state.sum) + Double(more) > most { return "\(pool.name) has promised \(state.sum) bytes" }
            if !isThin && more > pool.freeBytes { return "\(pool.name) has \(pool.freeBytes) free bytes" }
            state.set(id, bytes)
            return nil
        }
        guard let refusal else { return }
        throw CloudError(
            .unavailable, "The pool has no room for the volume.", detail: "\(refusal), and \(bytes) were asked for",
            code: VolumePool.fullCode)
    }
}

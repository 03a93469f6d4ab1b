import CloudCore
import HostModel

/// The choice of a pool: filters, then weighers. It keeps the reason for each pool that does not serve.
struct PoolChoice: Sendable {
    /// The pools that serve, the best first.
    let good: [PoolState]
    /// The reasons of the others, in the order in which they were looked at.
    let refusals: [(pool: PoolName, reason: String)]

    init(_ pools: some Sequence<PoolState>, for wish: PoolWish) {
        var good: [PoolState] = []
        var refusals: [(pool: PoolName, reason: String)] = []
        for pool in pools {
            let reason = PoolFilters.all.lazy.compactMap { $0(pool, wish) }.first
            if let reason { refusals.append((pool.name, reason)) } else { good.append(pool) }
        }
        self.good = good.sorted { Self.precedes($0, $1) }
        self.refusals = refusals
    }

    /// The most room comes first. A pool above its soft limit comes behind all others.
    private static func precedes(_ one: PoolState, _ other: PoolState) -> Bool {
        let (full, otherFull) = (one.report.pool.isAboveSoftLimit, other.report.pool.isAboveSoftLimit)
        if full != otherFull { return otherFull }
        if one.freeShare != other.freeShare { return one.freeShare > other.freeShare }
        return (one.allocatedGiB, one.name.text) < (other.allocatedGiB, other.name.text)
    }

    /// The most reasons that an error names.
    private static let shown = 10

    /// Returns the error if no pool serves. Users do not see the names of hosts, so these are for the operator.
    static func failure(_ refusals: [(pool: PoolName, reason: String)]) -> CloudError {
        let reasons = refusals.prefix(shown).map { "\($0.pool.text): \($0.reason)" }.joined(separator: "; ")
        let words = Set(refusals.map(\.reason)).sorted().prefix(3).joined(separator: "; ")
        let known = refusals.isEmpty ? "There is no pool." : "No pool serves: \(words)."
        return CloudError(.conflict, "No valid backend was found. \(known)", detail: reasons, code: code)
    }

    /// The code of the error.
    static let code = "no_pool"
}

import CloudCore
import SQL

/// Looks for the pool of a volume. The reports of hosts are in memory, and put the pools into an order. The transaction
/// reads the rows of a few pools at a time, the best first, until one serves: so a choice does not cost more with more
/// pools in the database.
struct PoolPicker: Sendable {
    let hosts: any BlockStorageHosts
    private let quotas = QuotaStore()
    private let decisions = StorageHostStore()

    /// The number of pools whose rows are compared at a time.
    private static let few = 5

    /// Returns the best pool for a volume.
    ///
    /// - Throws: `conflict` with `PoolChoice.code` that says why no pool serves.
    func pick(_ wish: PoolWish, in tx: Transaction) throws -> PoolName {
        let rough = PoolChoice(hosts.pools().map { PoolState(report: $0, host: nil, allocatedGiB: 0) }, for: wish)
        var (rest, refusals) = (rough.good[...], rough.refusals)
        while !rest.isEmpty {
            let states = try rest.prefix(Self.few).map { try state(of: $0.report, in: tx) }
            let choice = PoolChoice(states, for: wish)
            if let best = choice.good.first { return best.name }
            refusals += choice.refusals
            rest = rest.dropFirst(Self.few)
        }
        throw PoolChoice.failure(refusals)
    }

    /// Returns whether a pool serves, as the rows of this transaction see it; otherwise throws the reason.
    func require(_ name: PoolName, for wish: PoolWish, in tx: Transaction) throws {
        let report = hosts.pools().first { $0.name == name }
        guard let report else { throw PoolChoice.failure([(name, "its host does not report it")]) }
        let choice = PoolChoice([try state(of: report, in: tx)], for: wish)
        if choice.good.isEmpty { throw PoolChoice.failure(choice.refusals) }
    }

    /// Returns all pools as the rows of this transaction see them, for operators.
    func states(in tx: Transaction) throws -> [PoolState] {
        let (decided, allocated) = (try decisions.list(in: tx), try quotas.allocated(in: tx))
        return hosts.pools().map { report in
            PoolState(report: report, host: decided[report.host], allocatedGiB: allocated[report.name.text] ?? 0)
        }
    }

    private func state(of report: PoolReport, in tx: Transaction) throws -> PoolState {
        PoolState(
            report: report, host: try decisions.find(report.host, in: tx),
            allocatedGiB: try quotas.allocated(in: report.name.text, tx: tx))
    }
}

package import CloudCore
import Logging
import SQL

/// The claims of a runner: how it gets its work.
package struct Claims: Sendable {
    let database: Database
    let catalog: WorkflowCatalog
    let owner: String
    let world: World
    let settings: RunnerSettings
    let log: Logger
    private let leases = LeaseStore()
    private let store = WorkflowStore()

    /// Claims up to `most` due workflows. It reads first and writes only if it finds something, because most looks find
    /// nothing.
    ///
    /// - Parameters:
    ///   - load: the workflows that the runner already carries out.
    ///   - begin: records more of a claimed workflow in the same transaction.
    func take(
        _ most: Int, beside load: RunnerLoad = RunnerLoad(),
        _ begin: @escaping @Sendable (WorkflowRecord, Transaction) throws -> Turn
    ) async throws -> [Turn] {
        let now = world.now
        let share = settings.projectShare
        let exclusions = load.exclusions(catalog, projectShare: share)
        // Workflows that this binary does not know are passed over. The margin keeps them from hiding the ones that it
        // knows, and lets the work of several projects be seen.
        let candidates = try await database.read { tx in try leases.due(now, limit: most + 100, besides: exclusions, in: tx) }
        let mine = candidates.filter { isMine($0, now) }
        let chosen = load.choice(of: most, among: mine, catalog, projectShare: share).map(\.id)
        guard !chosen.isEmpty else { return [] }
        let claimed = try await database.write { tx in
            try chosen.compactMap { id in
                try leases.claim(id, by: owner, until: now + settings.lease, now: now, in: tx).map { try begin($0, tx) }
            }
        }
        for row in claimed.map(\.row) where row.interrupted > 1 {
            log.warning(
                "a workflow is taken up again whose owner did not report back",
                metadata: [LogKey.workflowID: "\(row.id)", LogKey.workflow: "\(row.kind)", LogKey.step: "\(row.step)"])
        }
        return claimed
    }

    /// Returns whether this process may claim a candidate. During an upgrade another process may know a workflow that
    /// this one does not know, so the other one is given time to claim it.
    private func isMine(_ candidate: LeaseStore.Candidate, _ now: Timestamp) -> Bool {
        catalog.knows(candidate.key, fingerprint: candidate.fingerprint)
            || candidate.dueSince + settings.patienceWithUnknown <= now
    }

    /// Returns the time of the next look if nothing rings before; nil if nothing becomes due later than now. Due
    /// workflows that were left to others are found by the poll.
    package func nextDue(beside load: RunnerLoad = RunnerLoad()) async throws -> Timestamp? {
        let now = world.now
        let exclusions = load.exclusions(catalog, projectShare: settings.projectShare)
        guard let next = try await database.read({ tx in try leases.nextDue(besides: exclusions, in: tx) }) else { return nil }
        return next > now ? next : nil
    }

    /// Makes the workflows of a dead predecessor claimable without waiting for its leases.
    func takeOver() async throws {
        let now = world.now
        let count = try await database.write { tx in try leases.releaseAll(now: now, in: tx) }
        if count > 0 { log.warning("\(count) workflows are taken up again after a crash") }
    }

    /// Frees workflows that another binary blocked and that this one can carry on.
    func unblock() async throws {
        let known = try await database.read { tx in
            try store.list(.blocked, limit: 1000, in: tx).filter { catalog.knows($0.outlineKey, fingerprint: $0.fingerprint) }
        }
        // A row that was blocked because it cannot be read stays blocked until the operator retries it.
        for blocked in known where blocked.reason?.hasPrefix(Planner.unreadable) != true {
            let now = world.now
            try await database.write { tx in
                guard let row = try store.find(blocked.id, in: tx), row.status == .blocked else { return }
                var free = Transition(row, now: now)
                free.row.status = .ready
                free.row.reason = nil
                free.row.runAfter = now
                free.event(.note, data: "This binary knows it: no longer blocked.")
                _ = try store.record(free, over: row, in: tx)
            }
        }
    }
}

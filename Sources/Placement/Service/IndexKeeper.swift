import CloudCore
import SQL
import Synchronization

/// The keeper of the index of the latest commit.
///
/// The index stays valid as long as nothing of Placement was committed. That check is a comparison of two numbers on
/// SQLite, and one small query on PostgreSQL. Otherwise the keeper reads the providers that the later commits named, in
/// one snapshot. It reads the revision before the rows, so an index is never older than its revision.
final class IndexKeeper: Sendable {
    private struct Kept {
        let revision: Revision
        let state: IndexStore.State
    }

    private let database: Database
    private let store = IndexStore()
    private let kept = Mutex<Kept?>(nil)
    private let turns = SerialKeys<Topic>()

    init(database: Database) { self.database = database }

    func index() async throws -> ProviderIndex {
        if let index = current(try await database.revision(of: .placement)) { return index }
        // A caller that comes during a read waits for it, and most often finds what it needs afterwards.
        return try await turns.run(.placement) { try await newest() }
    }

    private func current(_ revision: Revision) -> ProviderIndex? {
        kept.withLock { $0.flatMap { $0.revision == revision ? $0.state.index : nil } }
    }

    private func newest() async throws -> ProviderIndex {
        let revision = try await database.revision(of: .placement)
        if let index = current(revision) { return index }
        let old = kept.withLock { $0?.state }
        let state = try await database.read(.long) { [store] tx in
            guard let old else { return try store.load(in: tx) }
            return try store.follow(old, in: tx)
        }
        kept.withLock { $0 = Kept(revision: revision, state: state) }
        return state.index
    }
}

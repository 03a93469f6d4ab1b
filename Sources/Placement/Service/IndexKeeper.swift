import CloudCore
import SQL
import Synchronization

/// Has the index of the latest commit.
///
/// As long as the database says that nothing of Placement was committed since, the index that is there holds: a
/// comparison of two numbers on SQLite, one small query on PostgreSQL. Otherwise it reads the providers that the
/// commits since then have named, in one snapshot. The revision is read before the rows, so an index is never older
/// than it says.
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
        // A caller that comes while another one reads waits for it, and most often finds what it needs.
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

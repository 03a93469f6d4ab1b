import CloudCore
import Synchronization

/// The reader of the rows for a copy in memory: all of them, or those that were changed.
package protocol CopyStore: Sendable {
    /// The rows in a form that can be asked without a query. It is a value, so a caller keeps the state that it got.
    associatedtype Copy: Sendable

    /// The topic whose commits name what they change.
    var topic: Topic { get }
    func load(in tx: Transaction) throws -> Copy
    /// Returns the next state of a copy, after everything with these keys was read again.
    func follow(_ copy: Copy, _ keys: Set<String>, in tx: Transaction) throws -> Copy
    /// Returns whether the values of a copy that do not come from rows are up to date.
    func isCurrent(_ copy: Copy) -> Bool
}

extension CopyStore {
    package func isCurrent(_ copy: Copy) -> Bool { true }
}

/// The copy of a topic's rows as of the latest commit.
///
/// The copy stays valid as long as nothing of the topic was committed. That check is a comparison of two numbers on
/// SQLite, and one small query on PostgreSQL. Otherwise the things that the later commits named are read, in one
/// snapshot. The revision is read before the rows, so a copy is never older than its revision.
package final class TopicCopy<Store: CopyStore>: Sendable {
    private struct Kept: Sendable {
        let revision: Revision
        let state: State
    }

    /// A copy, and the position of the commits that it includes.
    private struct State: Sendable {
        let copy: Store.Copy
        let position: ChangePosition
    }

    private let database: Database
    private let store: Store
    private let kept = Mutex<Kept?>(nil)
    private let turns = SerialKeys<Topic>()

    package init(_ store: Store, of database: Database) {
        self.store = store
        self.database = database
    }

    /// Returns the copy as of the latest commit.
    package func latest() async throws -> Store.Copy {
        if let copy = current(try await database.revision(of: store.topic)) { return copy }
        // A caller that comes during a read waits for it, and most often finds what it needs afterwards.
        return try await turns.run(store.topic) { try await newest() }
    }

    /// Returns the copy as the transaction sees the rows. It is not kept, because the transaction may be rolled back.
    package func latest(in tx: Transaction) throws -> Store.Copy { try next(kept.withLock { $0?.state }, in: tx).copy }

    private func current(_ revision: Revision) -> Store.Copy? {
        kept.withLock { $0.flatMap { $0.revision == revision && store.isCurrent($0.state.copy) ? $0.state.copy : nil } }
    }

    private func newest() async throws -> Store.Copy {
        let revision = try await database.revision(of: store.topic)
        if let copy = current(revision) { return copy }
        let old = kept.withLock { $0?.state }
        // Callers of all projects wait for this read. In the turns of one project it would wait behind that project's
        // other reads, and its request may be cut off.
        let state = try await Budget.$current.withValue(nil) {
            try await database.read(.long) { tx in try self.next(old, in: tx) }
        }
        kept.withLock { $0 = Kept(revision: revision, state: state) }
        return state.copy
    }

    private func next(_ old: State?, in tx: Transaction) throws -> State {
        let changes = try tx.changes(of: store.topic, since: old?.position)
        guard let old, let keys = changes.keys else {
            return State(copy: try store.load(in: tx), position: changes.position)
        }
        return State(copy: try store.follow(old.copy, keys, in: tx), position: changes.position)
    }
}

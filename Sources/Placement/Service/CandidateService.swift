import CloudCore
import Resources
import SQL
import Synchronization

/// Answers what has to look at all providers, from the index in memory.
struct CandidateService: Sendable {
    let context: ServiceContext
    private let keeper: IndexKeeper

    init(context: ServiceContext, keeper: IndexKeeper) {
        self.context = context
        self.keeper = keeper
    }

    /// What was found, and the index whose places it speaks of.
    func candidates(_ request: CandidateRequest) async throws -> (found: Candidates, index: ProviderIndex) {
        let index = try await keeper.index()
        do {
            return (try CandidateSearch(request, in: index).run(), index)
        } catch let refusal as Refusal {
            if case .unknownClass = refusal {
                throw CloudError.badRequest("Invalid resource class in resources parameter: \(refusal.message)")
            }
            throw CloudError.badRequest(refusal.message)
        }
    }

    func providers(_ query: ProviderQuery) async throws -> [Provider] {
        let index = try await keeper.index()
        do {
            return try index.places(query).map { index.entries[$0].provider }
        } catch let refusal as Refusal {
            let parameter =
                if case .unknownClass = refusal { "Invalid resource class in resources parameter" } else {
                    "Invalid trait(s) in \"required\" parameter"
                }
            throw CloudError.badRequest("\(parameter): \(refusal.message)")
        }
    }
}

/// Has the index of the latest commit.
///
/// As long as the database says that nothing of Placement was committed since, the index that is there holds: a comparison of two
/// numbers on SQLite, one small query on PostgreSQL. The revision is read before the rows, so an index is never older than it says.
final class IndexKeeper: Sendable {
    private let database: Database
    private let topic: Topic
    private let store = IndexStore()
    private let kept = Mutex<(revision: Revision, index: ProviderIndex)?>(nil)

    init(database: Database, topic: Topic) {
        self.database = database
        self.topic = topic
    }

    func index() async throws -> ProviderIndex {
        let revision = try await database.revision(of: topic)
        if let kept = kept.withLock({ $0 }), kept.revision == revision { return kept.index }
        let index = try await database.read { [store] tx in try store.load(in: tx) }
        kept.withLock { $0 = (revision, index) }
        return index
    }
}

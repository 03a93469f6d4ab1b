import CloudCore
import Resources

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
            let search = try CandidateSearch(request, in: index)
            return (await offLoop(if: search.mayTakeLong) { search.run() }, index)
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
            return try index.providers(query)
        } catch let refusal as Refusal {
            let parameter =
                if case .unknownClass = refusal { "Invalid resource class in resources parameter" } else {
                    "Invalid trait(s) in \"required\" parameter"
                }
            throw CloudError.badRequest("\(parameter): \(refusal.message)")
        }
    }
}

/// Runs what may take long on the threads that all tasks share: a handler's own is that of its connection's event loop, and others
/// wait there.
func offLoop<Value: Sendable>(if isLong: Bool, _ body: @escaping @Sendable () throws -> Value) async rethrows -> Value {
    guard isLong else { return try body() }
    return try await withTaskExecutorPreference(globalConcurrentExecutor) { try body() }
}

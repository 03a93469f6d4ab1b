import CloudCore
import Resources

/// The service of questions about all providers. It answers from the index in memory.
struct CandidateService: Sendable {
    let context: ServiceContext
    private let keeper: IndexKeeper

    init(context: ServiceContext, keeper: IndexKeeper) {
        self.context = context
        self.keeper = keeper
    }

    /// Returns the candidates, and the index that their places refer to.
    func candidates(_ request: CandidateRequest) async throws -> (found: Candidates, index: ProviderIndex) {
        let index = try await keeper.index()
        do {
            let search = try CandidateSearch(request, in: index)
            return (try await Elsewhere.run(ifLong: search.mayTakeLong) { search.run() }, index)
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

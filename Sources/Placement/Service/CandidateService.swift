import CloudCore
import Resources
import SQL

/// The service of questions about all providers. It answers from the index in memory.
struct CandidateService: Sendable {
    let context: ServiceContext
    private let copy: TopicCopy<IndexStore>

    init(context: ServiceContext, copy: TopicCopy<IndexStore>) {
        self.context = context
        self.copy = copy
    }

    /// Returns the candidates, and the index that their places refer to.
    func candidates(_ request: CandidateRequest) async throws -> (found: Candidates, index: ProviderIndex) {
        let index = try await copy.latest()
        do {
            let search = try CandidateSearch(request, in: index)
            return (try await Elsewhere.run(ifLong: search.mayTakeLong) { search.run() }, index)
        } catch let refusal as Refusal {
            throw refusal.ofCandidates
        }
    }

    func providers(_ query: ProviderQuery) async throws -> [Provider] {
        let index = try await copy.latest()
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

extension Refusal {
    /// The refusal as the answer to a question for candidates.
    var ofCandidates: CloudError {
        if case .unknownClass = self { return .badRequest("Invalid resource class in resources parameter: \(message)") }
        return .badRequest(message)
    }
}

package import CloudCore
import Resources
package import SQL

/// What whoever places something asks of Placement. Those that change something take the caller's open transaction, so that the
/// thing and what it uses are made together or not at all.
extension PlacementAssembly {
    // MARK: Consumers

    /// Makes each consumer have what its claim says, instead of what it had: all of it, or a refusal and nothing.
    ///
    /// - Returns: the consumers' new generations, in the order of the claims; nil for those that gave back everything.
    /// - Throws: `ClaimRefusal`, before anything was written: the transaction can go on with another choice.
    @discardableResult
    package func claim(_ claims: [Claim], in tx: Transaction) throws -> [Int?] {
        try Claims().replace(claims, at: context.world.now, in: tx)
    }

    @discardableResult
    package func claim(_ claim: Claim, in tx: Transaction) throws -> Int? { try self.claim([claim], in: tx)[0] }

    /// Why a provider would not give these amounts to somebody new, a line each; empty when it would.
    ///
    /// - Parameters:
    ///   - required: names of traits that it must have.
    ///   - forbidden: names of traits that it must not have.
    package func refusals(
        _ amounts: [(resourceClass: String, amount: Int64)], required: [String], forbidden: [String], at id: ID<Kind.Provider>, in tx: Transaction
    ) throws -> [String] {
        let claim = Claim(
            consumerID: ID(""), projectID: "", userID: "", type: nil, expects: .anything, parts: [.init(providerID: id, resources: amounts)])
        let traits = Set(try ProviderStore().traits(of: id, in: tx))
        return try Claims().lacks([claim], in: tx).map(\.description)
            + required.filter { !traits.contains($0) }.map { "it lacks the trait \($0)" }
            + forbidden.filter(traits.contains).map { "it has the trait \($0)" }
    }

    /// Gives back all that a consumer has.
    ///
    /// - Returns: whether it had something.
    /// - Throws: `ClaimRefusal.consumerChanged`.
    @discardableResult
    package func release(
        _ consumer: ID<Kind.Consumer>, expects: Claim.Expectation = .anything, in tx: Transaction
    ) throws -> Bool {
        try Claims().release(consumer, expects: expects, in: tx)
    }

    /// Gives all that one consumer has to another that has nothing yet: a server's to its migration, and back. It needs no room.
    ///
    /// - Parameter type: of the new one; nil for the type of the old one.
    /// - Throws: `ClaimRefusal.consumerChanged` when the first has nothing or the other has something.
    package func move(from old: ID<Kind.Consumer>, to new: ID<Kind.Consumer>, type: String?, in tx: Transaction) throws {
        try Claims().move(from: old, to: new, type: type, in: tx)
    }

    /// Nil for a consumer that has nothing.
    package func allocations(of id: ID<Kind.Consumer>, in tx: Transaction) throws -> ConsumerAllocations? {
        let entries = try AllocationStore().entries(of: id, in: tx)
        guard let consumer = entries.first?.consumer else { return nil }
        let byProvider = Dictionary(grouping: entries.map(\.allocation)) { $0.providerID }.sorted { $0.key < $1.key }
        return ConsumerAllocations(
            generation: consumer.generation, projectID: consumer.projectID, userID: consumer.userID, type: consumer.type,
            parts: byProvider.map { id, some in
                Claim.Part(providerID: id, resources: some.map { (resourceClass: $0.resourceClass, amount: $0.used) })
            })
    }

    // MARK: Providers

    /// Makes a tree of providers be what its host reports, and writes only what is new in it. What is gone and still used stays, and
    /// gives nothing more.
    ///
    /// - Throws: `CloudError` for a report that cannot be true (`.badRequest`) and for a name or a provider that belongs to another
    ///   tree (`.conflict`). A part of it may be written then: let the error end the transaction.
    @discardableResult
    package func ensure(_ report: [ProviderReport], in tx: Transaction) throws -> ReportOutcome {
        do {
            return try ProviderReports().ensure(report, at: context.world.now, in: tx)
        } catch let refusal as Refusal {
            throw CloudError.badRequest(refusal.message)
        }
    }

    /// Nil for one that is not there.
    package func provider(_ id: ID<Kind.Provider>, in tx: Transaction) throws -> Provider? { try ProviderStore().find(id, in: tx) }

    // MARK: Candidates

    /// Where it would fit, as of the last commit.
    ///
    /// - Throws: `CloudError.badRequest` for a class or a trait that does not exist.
    package func candidates(_ request: CandidateRequest) async throws -> [AllocationCandidate] {
        let (found, index) = try await CandidateService(context: context, keeper: keeper).candidates(request)
        return found.requests.map { candidate in
            var parts: [Claim.Part] = []
            var places: [Int] = []
            for amount in candidate.amounts {
                let at = places.firstIndex(of: amount.place) ?? places.count
                if at == places.count {
                    places.append(amount.place)
                    parts.append(Claim.Part(providerID: index.id(amount.place), resources: []))
                }
                parts[at].resources.append((index.classes[amount.resourceClass], amount.amount))
            }
            return AllocationCandidate(
                rootID: index.id(ProviderIndex.place(candidate.tree, 0)), parts: parts,
                groups: candidate.mappings.map { (suffix: $0.suffix, providerIDs: $0.places.map(index.id)) })
        }
    }
}

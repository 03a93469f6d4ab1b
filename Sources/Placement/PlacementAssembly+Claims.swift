package import CloudCore
import Resources
package import SQL

/// The functions for services that place something. Those that change rows take the caller's open transaction, so that
/// a thing and its resources are made together or not at all.
extension PlacementAssembly {
    // MARK: Consumers

    /// Sets what each consumer holds to what its claim says. Either all claims succeed or nothing is written.
    ///
    /// - Returns: the new generations of the consumers, in the order of the claims; nil for a consumer that gave back
    ///   everything.
    /// - Throws: `ClaimRefusal`, before anything is written, so the transaction can go on with another choice.
    @discardableResult
    package func claim(_ claims: [Claim], in tx: Transaction) throws -> [Int?] {
        try Claims().replace(claims, at: context.world.now, in: tx)
    }

    @discardableResult
    package func claim(_ claim: Claim, in tx: Transaction) throws -> Int? { try self.claim([claim], in: tx)[0] }

    /// Returns the reasons why a provider would not give these amounts to a new consumer, one per line; empty if it
    /// would.
    ///
    /// - Parameters:
    ///   - required: the traits that the provider must have.
    ///   - forbidden: the traits that the provider must not have.
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

    /// Gives back everything that a consumer holds.
    ///
    /// - Returns: whether it held something.
    /// - Throws: `ClaimRefusal.consumerChanged`.
    @discardableResult
    package func release(
        _ consumer: ID<Kind.Consumer>, expects: Claim.Expectation = .anything, in tx: Transaction
    ) throws -> Bool {
        try Claims().release(consumer, expects: expects, in: tx)
    }

    /// Moves everything that one consumer holds to another that holds nothing yet, such as from a server to its
    /// migration and back. It needs no free room.
    ///
    /// - Parameter type: the type of the new consumer; nil for the type of the old one.
    /// - Throws: `ClaimRefusal.consumerChanged` if the old consumer holds nothing or the new one holds something.
    package func move(from old: ID<Kind.Consumer>, to new: ID<Kind.Consumer>, type: String?, in tx: Transaction) throws {
        try Claims().move(from: old, to: new, type: type, in: tx)
    }

    /// Returns what a consumer holds; nil if it holds nothing.
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

    /// Makes a tree of providers match the report of its host, and writes only what is new. An inventory that is gone
    /// from the report and still in use stays, and nothing more of it is allocated.
    ///
    /// - Throws: `CloudError` for an impossible report (`.badRequest`), and for a name or a provider of another tree
    ///   (`.conflict`). Part of the report may be written then, so the error must end the transaction.
    @discardableResult
    package func ensure(_ report: [ProviderReport], in tx: Transaction) throws -> ReportOutcome {
        do {
            return try ProviderReports().ensure(report, at: context.world.now, in: tx)
        } catch let refusal as Refusal {
            throw CloudError.badRequest(refusal.message)
        }
    }

    /// Returns a provider; nil if it does not exist.
    package func provider(_ id: ID<Kind.Provider>, in tx: Transaction) throws -> Provider? { try ProviderStore().find(id, in: tx) }
}

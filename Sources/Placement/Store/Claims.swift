import CloudCore
import SQL

/// What one consumer is to have from now on, instead of all that it had.
struct Claim: Sendable {
    /// What the caller knows of the consumer's generation.
    enum Expectation: Sendable {
        /// The caller's microversion knows no generations.
        case anything
        /// Nil for a consumer that must not be there yet.
        case exactly(Int?)
    }

    struct Part: Sendable {
        var providerID: ID<Provider>
        var resources: [(resourceClass: String, amount: Int64)]
    }

    var consumerID: ID<Consumer>
    var projectID: String
    var userID: String
    /// Nil to leave it as it is.
    var type: String?
    var expects: Expectation
    /// Empty to give back everything.
    var parts: [Part]
}

/// Replaces what consumers have, in the caller's transaction: all of it, or an error and nothing.
///
/// Capacity is counted from the rows in the same transaction, and every provider and consumer gets its next generation only from
/// the one that was read, so that two claims that do not see each other cannot both be committed.
struct Claims: Sendable {
    private let providers = ProviderStore()
    private let inventories = InventoryStore()
    private let allocations = AllocationStore()
    private let names = NameStore()

    /// - Throws: `CloudError` for a consumer of another generation and for a provider that does not exist; `Refusal` for what does
    ///   not fit.
    func replace(_ claims: [Claim], at now: Timestamp, in tx: Transaction) throws {
        var consumers: [(consumer: Consumer, known: Int?)] = []
        for claim in claims { consumers.append(try consumer(of: claim, in: tx)) }
        var touched: [ID<Provider>: Provider] = [:]
        for part in claims.flatMap(\.parts) where touched[part.providerID] == nil {
            guard let provider = try providers.find(part.providerID, in: tx) else {
                throw CloudError.badRequest("Allocation for resource provider '\(part.providerID)' that does not exist.")
            }
            touched[provider.id] = provider
        }
        for name in Set(claims.flatMap { $0.parts.flatMap { $0.resources.map(\.resourceClass) } }).sorted() {
            try names.requireClass(name, in: tx)
        }
        var before: [ID<Provider>: [String: Int64]] = [:]
        for id in touched.keys { before[id] = try allocations.used(of: id, in: tx) }
        for claim in claims {
            if claim.parts.isEmpty {
                // Who gives everything back changes what those have that it came from.
                for id in Set(try allocations.entries(of: claim.consumerID, in: tx).map(\.allocation.providerID)) {
                    touched[id] = try providers.require(id, in: tx)
                }
            }
            try allocations.deleteAllocations(of: claim.consumerID, in: tx)
        }
        try check(claims, before: before, in: tx)
        try write(claims, consumers, at: now, in: tx)
        for provider in touched.values { try providers.advance(provider, at: now, in: tx) }
    }

    /// The consumer as it is to be, and the generation that its row has now.
    private func consumer(of claim: Claim, in tx: Transaction) throws -> (consumer: Consumer, known: Int?) {
        let found = try allocations.consumer(claim.consumerID, in: tx)
        if case .exactly(let expected) = claim.expects, expected != found?.generation {
            throw CloudError.conflict(
                "consumer generation conflict - expected \(found.map { "\($0.generation)" } ?? "null") but got "
                    + (expected.map { "\($0)" } ?? "null"), code: PlacementCode.concurrentUpdate)
        }
        var consumer =
            found
            ?? Consumer(id: claim.consumerID, projectID: claim.projectID, userID: claim.userID, type: claim.type, generation: 0)
        consumer.projectID = claim.projectID
        consumer.userID = claim.userID
        consumer.type = claim.type ?? consumer.type
        consumer.generation += 1
        return (consumer, found?.generation)
    }

    /// Whether all of it fits together into what is free once the consumers' old allocations are gone.
    private func check(_ claims: [Claim], before: [ID<Provider>: [String: Int64]], in tx: Transaction) throws {
        var present: [ID<Provider>: [String: Inventory]] = [:]
        var used: [ID<Provider>: [String: Int64]] = [:]
        for claim in claims {
            for part in claim.parts {
                let id = part.providerID
                if present[id] == nil {
                    present[id] = Dictionary(
                        uniqueKeysWithValues: try inventories.all(of: id, in: tx).map { ($0.resourceClass, $0) })
                    used[id] = try allocations.used(of: id, in: tx)
                }
                for (name, amount) in part.resources {
                    guard let inventory = present[id]?[name] else {
                        throw Refusal.invalid("Inventory for '\(name)' on resource provider '\(id)' invalid.")
                    }
                    guard inventory.portions(amount) else {
                        throw Refusal.invalid(
                            """
                            Unable to create allocation for '\(name)' on resource provider '\(id)'. The requested amount would \
                            violate inventory constraints.
                            """)
                    }
                    let total = (used[id]?[name] ?? 0) + amount
                    used[id, default: [:]][name] = total
                    // Less than before is let through even where there is too much: somebody has to be able to put it right.
                    guard Double(total) <= inventory.limit || total <= before[id]?[name] ?? 0 else {
                        throw Refusal.invalid(
                            """
                            Unable to create allocation for '\(name)' on resource provider '\(id)'. The requested amount would \
                            exceed the capacity.
                            """)
                    }
                }
            }
        }
    }

    private func write(
        _ claims: [Claim], _ consumers: [(consumer: Consumer, known: Int?)], at now: Timestamp, in tx: Transaction
    ) throws {
        for (claim, entry) in zip(claims, consumers) {
            if claim.parts.isEmpty {
                try allocations.deleteConsumer(claim.consumerID, in: tx)
                continue
            }
            if let known = entry.known {
                try allocations.update(entry.consumer, from: known, in: tx)
            } else {
                try allocations.insert(entry.consumer, in: tx)
            }
            for part in claim.parts {
                for (name, amount) in part.resources {
                    try allocations.insert(
                        Allocation(
                            consumerID: claim.consumerID, providerID: part.providerID, resourceClass: name, used: amount, createdAt: now),
                        in: tx)
                }
            }
        }
    }
}

import CloudCore
import SQL

/// The changes of what consumers hold, in the caller's transaction. A change is made completely or refused.
///
/// Everything is checked before the first row is written, so a caller that catches the refusal may go on in its
/// transaction. Capacity is counted from the rows in the same transaction. Each provider and each consumer gets its
/// next generation only from the generation that was read, so two claims that do not see each other cannot both be
/// committed.
struct Claims: Sendable {
    private let providers = ProviderStore()
    private let inventories = InventoryStore()
    private let allocations = AllocationStore()
    private let names = NameStore()

    /// Replaces what the consumers of the claims hold.
    ///
    /// - Returns: the new generations of the consumers, in the order of the claims; nil for a consumer that gave back
    ///   everything.
    /// - Throws: `ClaimRefusal`.
    @discardableResult
    func replace(_ claims: [Claim], at now: Timestamp, in tx: Transaction) throws -> [Int?] {
        guard Set(claims.map(\.consumerID)).count == claims.count else {
            throw CloudError.internalError("two claims for one consumer in one transaction's call")
        }
        let consumers = try claims.map { try consumer(of: $0, in: tx) }
        var touched = try named(claims, in: tx)
        for name in Set(claims.flatMap { $0.parts.flatMap { $0.resources.map(\.resourceClass) } }).sorted() {
            guard try names.resourceClass(name, in: tx) != nil else { throw ClaimRefusal.unknownClass(name) }
        }
        let old = try zip(claims, consumers).map { claim, entry in
            entry.known == nil ? [] : try allocations.entries(of: claim.consumerID, in: tx).map(\.allocation)
        }
        try check(claims, old, in: tx)
        for (claim, old) in zip(claims, old) where claim.parts.isEmpty {
            // A consumer that gives back everything changes the providers that it held resources of.
            for id in Set(old.map(\.providerID)) { touched[id] = try providers.require(id, in: tx) }
        }
        for (claim, old) in zip(claims, old) where !old.isEmpty { try allocations.deleteAllocations(of: claim.consumerID, in: tx) }
        try write(claims, consumers, at: now, in: tx)
        for provider in touched.values { try providers.advance(provider, at: now, in: tx) }
        return zip(claims, consumers).map { $0.parts.isEmpty ? nil : $1.consumer.generation }
    }

    /// Returns the consumer as it is to be, and the generation that its row has now; nil if it has no row.
    private func consumer(of claim: Claim, in tx: Transaction) throws -> (consumer: Consumer, known: Int?) {
        let found = try allocations.consumer(claim.consumerID, in: tx)
        if case .exactly(let expected) = claim.expects, expected != found?.generation {
            throw ClaimRefusal.consumerChanged(claim.consumerID, expected: expected, actual: found?.generation)
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

    /// Returns the providers that the claims name.
    private func named(_ claims: [Claim], in tx: Transaction) throws -> [ID<Kind.Provider>: Provider] {
        var found: [ID<Kind.Provider>: Provider] = [:]
        for part in claims.flatMap(\.parts) {
            guard let provider = try found[part.providerID] ?? providers.find(part.providerID, in: tx) else {
                throw ClaimRefusal.noProvider(part.providerID)
            }
            if let expected = part.generation, expected != provider.generation {
                throw ClaimRefusal.providerChanged(provider.id, expected: expected, actual: provider.generation)
            }
            found[provider.id] = provider
        }
        return found
    }

    /// Checks that all claims together fit into what is free once the old allocations of their consumers are gone.
    private func check(_ claims: [Claim], _ old: [[Allocation]], in tx: Transaction) throws {
        let lacks = try lacks(claims, old, in: tx)
        if !lacks.isEmpty { throw ClaimRefusal.lacking(lacks) }
    }

    /// Returns what is missing for the claims.
    ///
    /// - Parameter old: the allocations that the consumers hold and would give back.
    func lacks(_ claims: [Claim], _ old: [[Allocation]] = [], in tx: Transaction) throws -> [ClaimRefusal.Lack] {
        var present: [ID<Kind.Provider>: [String: Inventory]] = [:]
        var before: [ID<Kind.Provider>: [String: Int64]] = [:]
        for id in Set(claims.flatMap { $0.parts.map(\.providerID) }) {
            present[id] = Dictionary(uniqueKeysWithValues: try inventories.all(of: id, in: tx).map { ($0.resourceClass, $0) })
            before[id] = try allocations.used(of: id, in: tx)
        }
        var used = before
        for allocation in old.joined() { used[allocation.providerID]?[allocation.resourceClass, default: 0] -= allocation.used }
        var lacks: [ClaimRefusal.Lack] = []
        for part in claims.flatMap(\.parts) {
            let id = part.providerID
            for (name, amount) in part.resources {
                func lack(_ reason: ClaimRefusal.Lack.Reason) {
                    lacks.append(.init(providerID: id, resourceClass: name, wanted: amount, reason: reason))
                }
                guard let inventory = present[id]?[name] else {
                    lack(.noInventory)
                    continue
                }
                guard inventory.portions(amount) else {
                    lack(.portion(least: inventory.minUnit, most: inventory.maxUnit, step: inventory.stepSize))
                    continue
                }
                let taken = used[id]?[name] ?? 0
                // A claim that holds less than before is accepted even if too much is in use, so that such a state can
                // be repaired.
                guard Double(taken) + Double(amount) <= inventory.limit || taken + amount <= before[id]?[name] ?? 0 else {
                    lack(.full(free: max(0, inventory.capacity - taken)))
                    continue
                }
                used[id, default: [:]][name] = taken + amount
            }
        }
        return lacks
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

    /// Gives back everything that a consumer holds.
    ///
    /// - Returns: whether it held something.
    /// - Throws: `ClaimRefusal.consumerChanged`.
    func release(_ id: ID<Kind.Consumer>, expects: Claim.Expectation, in tx: Transaction) throws -> Bool {
        if case .exactly(let expected) = expects {
            let actual = try allocations.consumer(id, in: tx)?.generation
            if actual != expected { throw ClaimRefusal.consumerChanged(id, expected: expected, actual: actual) }
        }
        guard try allocations.deleteAllocations(of: id, in: tx) > 0 else { return false }
        try allocations.deleteConsumer(id, in: tx)
        return true
    }

    /// Moves everything that one consumer holds to another that holds nothing yet. The used amounts stay the same, so
    /// no free room is needed.
    ///
    /// - Throws: `ClaimRefusal.consumerChanged` if the old consumer holds nothing or the new one holds something.
    func move(from old: ID<Kind.Consumer>, to new: ID<Kind.Consumer>, type: String?, in tx: Transaction) throws {
        guard var consumer = try allocations.consumer(old, in: tx) else {
            throw ClaimRefusal.consumerChanged(old, expected: nil, actual: nil)
        }
        if let present = try allocations.consumer(new, in: tx) {
            throw ClaimRefusal.consumerChanged(new, expected: nil, actual: present.generation)
        }
        consumer.id = new
        consumer.type = type ?? consumer.type
        consumer.generation = 1
        try allocations.insert(consumer, in: tx)
        try allocations.move(from: old, to: new, in: tx)
        try allocations.deleteConsumer(old, in: tx)
    }
}

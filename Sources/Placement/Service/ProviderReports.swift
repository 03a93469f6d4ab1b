import CloudCore
import SQL

/// A writer that makes a tree of providers match the report of its host. A report with nothing new writes nothing.
struct ProviderReports: Sendable {
    private let providers = ProviderStore()
    private let inventories = InventoryStore()
    private let allocations = AllocationStore()
    private let names = NameStore()

    /// Makes the tree of providers match the report.
    ///
    /// - Throws: `CloudError.badRequest` for a report that is no tree, or for an impossible inventory; `.conflict` for
    ///   a name or a provider of another tree; `Refusal.unknownTraits` and `.unknownClass` for a name that is neither a
    ///   standard nor a custom one.
    func ensure(_ report: [ProviderReport], at now: Timestamp, in tx: Transaction) throws -> ReportOutcome {
        let ordered = try Self.ordered(report)
        let root = ordered[0].id
        var outcome = ReportOutcome()
        let present = Dictionary(uniqueKeysWithValues: try providers.all(ofTree: root, in: tx).map { ($0.id, $0) })
        for one in ordered {
            let provider = try place(one, present[one.id], root, &outcome, at: now, in: tx)
            var changed = try setInventories(one.inventories, of: provider, &outcome, at: now, in: tx)
            changed = try setTraits(one.traits, of: provider, at: now, in: tx) || changed
            if let wanted = one.aggregates, Set(try providers.aggregates(of: one.id, in: tx)) != wanted {
                try providers.setAggregates(wanted.sorted(), of: one.id, in: tx)
                changed = true
            }
            if changed {
                try providers.advance(provider, at: now, in: tx)
                outcome.changed = true
            }
        }
        let reported = Set(ordered.map(\.id))
        try removeOthers(present.values.filter { !reported.contains($0.id) }, &outcome, at: now, in: tx)
        return outcome
    }

    /// Returns the report with parents before their children.
    private static func ordered(_ report: [ProviderReport]) throws -> [ProviderReport] {
        let children = Dictionary(grouping: report) { $0.parentID }
        var ordered = children[nil] ?? []
        var at = 0
        while at < ordered.count, ordered.count <= report.count {
            ordered += children[ordered[at].id] ?? []
            at += 1
        }
        guard children[nil]?.count == 1, ordered.count == report.count, Set(report.map(\.id)).count == report.count else {
            throw CloudError.badRequest("A host reports one tree: one root, and below it providers that each stand there once.")
        }
        return ordered
    }

    private func place(
        _ one: ProviderReport, _ present: Provider?, _ root: ID<Kind.Provider>, _ outcome: inout ReportOutcome, at now: Timestamp,
        in tx: Transaction
    ) throws -> Provider {
        if one.name != present?.name, try providers.exists(name: one.name, in: tx) {
            throw CloudError.conflict("There is another resource provider with the name \(one.name).", code: PlacementCode.duplicateName)
        }
        guard var provider = present else {
            guard try providers.find(one.id, in: tx) == nil else {
                throw CloudError.conflict("Resource provider \(one.id) stands in another tree.", code: PlacementCode.concurrentUpdate)
            }
            let provider = Provider(
                id: one.id, name: one.name, generation: 0, parentID: one.parentID, rootID: root, createdAt: now, updatedAt: now)
            try providers.insert(provider, in: tx)
            outcome.changed = true
            return provider
        }
        if provider.name != one.name || provider.parentID != one.parentID {
            provider.name = one.name
            provider.parentID = one.parentID
            provider.updatedAt = now
            try providers.update(provider, in: tx)
            outcome.changed = true
        }
        return provider
    }

    private func setInventories(
        _ wanted: [Inventory], of provider: Provider, _ outcome: inout ReportOutcome, at now: Timestamp, in tx: Transaction
    ) throws -> Bool {
        var changed = false
        var left = Dictionary(uniqueKeysWithValues: try inventories.all(of: provider.id, in: tx).map { ($0.resourceClass, $0) })
        for inventory in wanted where inventory.total != 0 {
            try Self.check(inventory, of: provider.id)
            if try names.resourceClass(inventory.resourceClass, in: tx) == nil {
                guard inventory.resourceClass.hasPrefix("CUSTOM_") else { throw Refusal.unknownClass(inventory.resourceClass) }
                try names.insertClass(inventory.resourceClass, at: now, in: tx)
            }
            var new = inventory
            new.updatedAt = now
            guard let old = left.removeValue(forKey: inventory.resourceClass) else {
                try inventories.insert(new, of: provider.id, in: tx)
                changed = true
                continue
            }
            new.updatedAt = old.updatedAt
            guard new != old else { continue }
            new.updatedAt = now
            try inventories.update(new, of: provider.id, in: tx)
            changed = true
        }
        if left.isEmpty { return changed }
        let used = try allocations.used(of: provider.id, in: tx)
        for (name, var old) in left.sorted(by: { $0.key < $1.key }) {
            guard used[name] ?? 0 > 0 else {
                try inventories.delete([name], of: provider.id, in: tx)
                changed = true
                continue
            }
            outcome.leftovers.append(.init(providerID: provider.id, resourceClass: name))
            guard old.reserved != old.total else { continue }
            old.reserved = old.total
            old.updatedAt = now
            try inventories.update(old, of: provider.id, in: tx)
            changed = true
        }
        return changed
    }

    private static func check(_ inventory: Inventory, of id: ID<Kind.Provider>) throws {
        guard (1...Inventory.most).contains(inventory.total), (0...inventory.total).contains(inventory.reserved),
            (1...Inventory.most).contains(inventory.minUnit), (1...Inventory.most).contains(inventory.maxUnit),
            (1...Inventory.most).contains(inventory.stepSize), inventory.allocationRatio > 0, inventory.allocationRatio.isFinite
        else { throw CloudError.badRequest("Invalid inventory for '\(inventory.resourceClass)' on resource provider '\(id)'.") }
    }

    private func setTraits(_ wanted: Set<String>, of provider: Provider, at now: Timestamp, in tx: Transaction) throws -> Bool {
        let present = Set(try providers.traits(of: provider.id, in: tx))
        let next = wanted.union(present.filter { !StandardTraits.set.contains($0) })
        guard next != present else { return false }
        for name in next.subtracting(present).sorted() where try names.trait(name, in: tx) == nil {
            guard name.hasPrefix("CUSTOM_") else { throw Refusal.unknownTraits([name]) }
            try names.insertTrait(name, at: now, in: tx)
        }
        try providers.setTraits(next.sorted(), of: provider.id, in: tx)
        return true
    }

    /// Removes the providers that are gone, children before their parents. A provider with allocations stays, and so do
    /// its ancestors.
    private func removeOthers(
        _ others: [Provider], _ outcome: inout ReportOutcome, at now: Timestamp, in tx: Transaction
    ) throws {
        var left = Dictionary(uniqueKeysWithValues: others.map { ($0.id, $0) })
        while !left.isEmpty {
            let parents = Set(left.values.compactMap(\.parentID))
            let leaves = left.values.filter { !parents.contains($0.id) }.sorted { $0.id < $1.id }
            // A set without leaves would be a cycle, which the tables cannot have.
            if leaves.isEmpty { return }
            for provider in leaves {
                left[provider.id] = nil
                let leftovers = outcome.leftovers.count
                let changed = try setInventories([], of: provider, &outcome, at: now, in: tx)
                if outcome.leftovers.count == leftovers, try !providers.hasChildren(provider.id, in: tx) {
                    try providers.delete(provider.id, in: tx)
                    outcome.changed = true
                } else if changed {
                    try providers.advance(provider, at: now, in: tx)
                    outcome.changed = true
                }
            }
        }
    }
}

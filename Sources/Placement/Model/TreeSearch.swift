/// A search for the candidates of one tree after another: each group is placed by itself, then the groups together.
///
/// The tree is the anchor of a candidate: all its groups have the same anchor, even if a provider of another tree
/// serves a group because it shares its inventory.
final class TreeSearch {
    /// One way to place one group.
    private struct Part {
        let amounts: [Candidate.Amount]
        let places: [Int]
    }

    private struct Key: Hashable {
        let amounts: Set<Candidate.Amount>
        let mappings: [[Int]]
    }

    private let index: ProviderIndex
    private let request: CandidateRequest
    private let groups: [CandidateSearch.Group]
    private let sharers: [Int]
    /// The sums of the classes that more than one group asks for.
    private let commonClasses: [Int32: Int64]
    /// Whether one more provider can mean many more candidates.
    private let multiplies: Bool
    private(set) var found: [Candidate] = []
    private(set) var searched = 0
    private var slot = 0
    private var budget = SearchBudget()
    /// The candidates that were found already, because a shared provider is found below every anchor that it shares
    /// with. Nil if no provider shares.
    private var seen: Set<Key>?
    private var sharersOfAggregates: [Int32: [Int]] = [:]

    init(_ index: ProviderIndex, _ request: CandidateRequest, _ groups: [CandidateSearch.Group]) {
        self.index = index
        self.request = request
        self.groups = groups
        sharers = index.sharing
        multiplies = groups.count > 1 || groups[0].needs.count > 1 && !groups[0].isGranular
        seen = sharers.isEmpty ? nil : []
        var sums: [Int32: Int64] = [:], asked: [Int32: Int] = [:]
        for need in groups.flatMap(\.needs) {
            sums[need.resourceClass, default: 0] += need.amount
            asked[need.resourceClass, default: 0] += 1
        }
        commonClasses = sums.filter { asked[$0.key, default: 0] > 1 }
    }

    /// Whether there are as many candidates as the request wants.
    var isFull: Bool { request.limit.map { found.count >= $0 } ?? false }

    func look(at slot: Int) {
        self.slot = slot
        searched += 1
        budget.nextTree()
        var parts: [[Part]] = []
        for group in groups {
            let some = group.isGranular ? single(group, slot) : spread(group, slot)
            if some.isEmpty { return }
            parts.append(some)
        }
        if parts.count == 1 {
            for part in parts[0] where !isFull { take([part], part.amounts) }
        } else if canServe(parts) {
            // The group with the fewest choices comes first: what cannot fit shows before the other groups multiply it.
            let order = parts.indices.sorted { (parts[$0].count, $0) < (parts[$1].count, $1) }
            var chosen = [Part?](repeating: nil, count: parts.count)
            combine(parts, order[...], &chosen, [])
        }
    }

    // MARK: One group

    /// Returns the ways to serve all of a group from one provider.
    private func single(_ group: CandidateSearch.Group, _ slot: Int) -> [Part] {
        var parts: [Part] = []
        func consider(_ place: Int, _ member: Member) {
            guard group.tree == nil || group.tree == ProviderIndex.slot(place), serves(member, group),
                isIncluded(member, group), !isForbidden(member, group)
            else { return }
            parts.append(
                Part(
                    amounts: group.needs.map { Candidate.Amount(place: place, resourceClass: $0.resourceClass, amount: $0.amount) },
                    places: [place]))
        }
        let tree = index.tree(slot)
        for (at, member) in tree.members.enumerated() { consider(ProviderIndex.place(slot, at), member) }
        for place in sharers(with: tree, slot) { consider(place, index.member(place)) }
        return parts
    }

    private func serves(_ member: Member, _ group: CandidateSearch.Group) -> Bool {
        for need in group.needs {
            guard let stock = member.stock(of: need.resourceClass), stock.takes(need.amount) else { return false }
        }
        return group.traits.allow(index.traitSets[member.traits])
    }

    private func isIncluded(_ member: Member, _ group: CandidateSearch.Group) -> Bool {
        group.aggregates.required.isEmpty || group.aggregates.include(index.aggregateSets[member.aggregates])
    }

    private func isForbidden(_ member: Member, _ group: CandidateSearch.Group) -> Bool {
        !group.aggregates.forbidden.isEmpty && group.aggregates.forbid(index.aggregateSets[member.aggregates])
    }

    /// Returns the ways to serve a group from a tree: each class from any provider of the tree, or from one that shares
    /// with it. An aggregate of the root holds for the whole tree.
    private func spread(_ group: CandidateSearch.Group, _ slot: Int) -> [Part] {
        let tree = index.tree(slot)
        if isForbidden(tree.members[0], group) { return [] }
        let isIncludedAll = isIncluded(tree.members[0], group)
        let shared = group.tree == nil ? sharers(with: tree, slot).filter { isIncluded(index.member($0), group) } : []
        var lists: [[Candidate.Amount]] = []
        for need in group.needs {
            var list: [Candidate.Amount] = []
            func consider(_ place: Int, _ member: Member) {
                guard let stock = member.stock(of: need.resourceClass), stock.takes(need.amount), !isForbidden(member, group),
                    !group.traits.forbidden.meets(index.traitSets[member.traits])
                else { return }
                list.append(Candidate.Amount(place: place, resourceClass: need.resourceClass, amount: need.amount))
            }
            if group.tree == nil || group.tree == slot {
                for (at, member) in tree.members.enumerated() where isIncludedAll || isIncluded(member, group) {
                    consider(ProviderIndex.place(slot, at), member)
                }
            }
            for place in shared { consider(place, index.member(place)) }
            if list.isEmpty { return [] }
            lists.append(list)
        }
        var parts: [Part] = []
        // A request of one group needs no more parts than its limit. The parts of several groups are multiplied.
        let most = groups.count == 1 ? min(request.limit ?? .max, SearchBudget.mostParts) : SearchBudget.mostParts
        choose(lists, [], group.traits) { chosen in
            if parts.count < most { parts.append(Part(amounts: chosen, places: Set(chosen.map(\.place)).sorted())) }
            return parts.count < most
        }
        return parts
    }

    /// Passes to `take` each choice of one amount from each list whose providers together have the traits, while `take`
    /// returns true and the budget lasts. Returns false if it stopped before the end.
    @discardableResult
    private func choose(
        _ lists: [[Candidate.Amount]], _ chosen: [Candidate.Amount], _ traits: TraitBits, _ take: ([Candidate.Amount]) -> Bool
    ) -> Bool {
        guard chosen.count < lists.count else {
            if !traits.required.isEmpty {
                let all = chosen.reduce(into: BitSet()) { $0.formUnion(index.traitSets[index.member($1.place).traits]) }
                guard traits.required.allSatisfy({ $0.meets(all) }) else { return true }
            }
            return take(chosen)
        }
        for amount in lists[chosen.count] {
            guard budget.spend(), choose(lists, chosen + [amount], traits, take) else { return false }
        }
        return true
    }

    /// Returns the providers of other trees that share with this one, because some provider of this tree is in one of
    /// their aggregates.
    private func sharers(with tree: ProviderTree, _ slot: Int) -> [Int] {
        if sharers.isEmpty { return [] }
        let known = sharersOfAggregates[tree.aggregates]
        let places = known ?? {
            let aggregates = Set(index.aggregateSets[tree.aggregates])
            return sharers.filter { place in index.aggregateSets[index.member(place).aggregates].contains { aggregates.contains($0) } }
        }()
        if known == nil { sharersOfAggregates[tree.aggregates] = places }
        return places.filter { ProviderIndex.slot($0) != slot }
    }

    // MARK: All groups

    /// Returns whether enough is free for what several groups ask for together, and whether there are enough providers
    /// for groups that must not share one.
    private func canServe(_ parts: [[Part]]) -> Bool {
        let places = Set(parts.lazy.joined().flatMap(\.places))
        for (resourceClass, amount) in commonClasses {
            let free = places.reduce(Int64(0)) { sum, place in
                let stock = index.member(place).stock(of: resourceClass)
                return sum.addingReportingOverflow(stock.map { max(0, $0.capacity - $0.used) } ?? 0).partialValue
            }
            if free >= 0, free < amount { return false }
        }
        return !request.isolates || groups.count(where: \.isGranular) <= places.count
    }

    /// Takes each choice of one part from each list that fits into what is free. A choice that does not fit is given up
    /// at once, before the later lists multiply it.
    private func combine(_ parts: [[Part]], _ order: ArraySlice<Int>, _ chosen: inout [Part?], _ amounts: [Candidate.Amount]) {
        guard let next = order.first else { return take(chosen.compactMap { $0 }, amounts) }
        defer { chosen[next] = nil }
        for part in parts[next] where !isFull {
            if request.isolates, groups[next].isGranular,
                zip(groups, chosen).contains(where: { $0.isGranular && $1?.places == part.places })
            {
                continue
            }
            guard budget.spend() else { return }
            guard let sum = adding(part.amounts, to: amounts) else { continue }
            chosen[next] = part
            combine(parts, order.dropFirst(), &chosen, sum)
            chosen[next] = nil
        }
    }

    /// Returns the sum of the amounts; nil if a provider would have to give more than it has free, or more than it
    /// gives to one consumer.
    private func adding(_ more: [Candidate.Amount], to amounts: [Candidate.Amount]) -> [Candidate.Amount]? {
        var sum = amounts
        for amount in more {
            guard let at = sum.firstIndex(where: { $0.place == amount.place && $0.resourceClass == amount.resourceClass }) else {
                sum.append(amount)
                continue
            }
            sum[at].amount += amount.amount
            guard let stock = index.member(amount.place).stock(of: amount.resourceClass), sum[at].amount <= Int64(stock.maxUnit),
                stock.used + sum[at].amount <= stock.capacity
            else { return nil }
        }
        return sum
    }

    private func take(_ chosen: [Part], _ amounts: [Candidate.Amount]) {
        let mappings = zip(groups, chosen).map { (suffix: $0.suffix, places: $1.places) }
        guard isInSubtrees(mappings) else { return }
        if !request.knowsTrees, index.hasTrees {
            // The client does not know trees, so it gets only candidates with at most one provider of each tree.
            let places = Set(amounts.map(\.place))
            guard Set(places.map(ProviderIndex.slot)).count == places.count else { return }
        }
        if seen?.insert(Key(amounts: Set(amounts), mappings: mappings.map(\.places))).inserted == false { return }
        guard !multiplies || budget.spendOnCandidate() else { return }
        found.append(Candidate(tree: slot, amounts: amounts, mappings: mappings))
    }

    /// Returns whether the providers of the groups that belong together are all below one of them.
    private func isInSubtrees(_ mappings: [(suffix: String, places: [Int])]) -> Bool {
        request.sameSubtrees.allSatisfy { suffixes in
            index.areBelowOne(Set(mappings.filter { suffixes.contains($0.suffix) }.flatMap(\.places)))
        }
    }
}

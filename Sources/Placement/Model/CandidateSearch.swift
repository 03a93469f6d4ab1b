import CloudCore

/// One way to place everything that was asked for.
struct Candidate: Sendable {
    struct Amount: Sendable, Hashable {
        let place: Int
        let resourceClass: Int
        var amount: Int64
    }

    var amounts: [Amount]
    /// Which providers serve which group.
    var mappings: [(suffix: String, places: [Int])]
}

struct Candidates: Sendable {
    var requests: [Candidate] = []
    /// Every provider of the trees that the candidates stand in.
    var summaries: [Int] = []
}

/// Finds the candidates of one request: each group for itself, then the groups together.
///
/// A function of the index and the request, and of nothing else.
struct CandidateSearch {
    /// One way to place one group. The anchor is the root of the tree that a candidate belongs to: all groups of a candidate have
    /// the same, also where a provider of another tree serves one because it shares what it has.
    private struct Part {
        let anchor: Int
        let amounts: [Candidate.Amount]
        let places: [Int]
    }

    let index: ProviderIndex
    let request: CandidateRequest
    /// The roots that candidates may stand below; nil for all.
    private let roots: Set<Int>?

    /// - Throws: `Refusal.unknownTraits`.
    init(_ request: CandidateRequest, in index: ProviderIndex) throws {
        self.index = index
        self.request = request
        if request.root.isEmpty {
            roots = nil
        } else {
            let traits = try TraitBits(request.root, in: index)
            roots = Set(index.entries.indices.filter { index.entries[$0].parent == nil && traits.allow(index.entries[$0].traits) })
        }
    }

    /// - Throws: `Refusal.unknownClass`, `.unknownTraits`.
    func run() throws -> Candidates {
        if roots?.isEmpty == true { return Candidates() }
        var parts: [[Part]] = []
        for group in request.groups {
            let found = try self.parts(of: group)
            if found.isEmpty { return Candidates() }
            parts.append(found)
        }
        return limited(withoutTrees(combined(parts)))
    }

    // MARK: One group

    private func parts(of group: RequestGroup) throws -> [Part] {
        let needs = try group.resources.map { (resourceClass: try index.number(ofClass: $0.resourceClass), amount: $0.amount) }
        let members = index.places(inAggregates: group.aggregates.required)
        if !group.aggregates.required.isEmpty, members.isEmpty { return [] }
        let traits = try TraitBits(group.traits, in: index)
        var tree: Int?
        if let id = group.tree {
            guard let place = index.places[id] else { return [] }
            tree = index.entries[place].root
        }
        var fitting: [(resourceClass: Int, amount: Int64, places: [Int])] = []
        for need in needs {
            guard let number = need.resourceClass else { return [] }
            let places = index.places(with: need.amount, of: number, tree: tree)
            if places.isEmpty { return [] }
            fitting.append((number, need.amount, places))
        }
        let filter = Filter(
            traits: traits, members: group.aggregates.required.isEmpty ? nil : members,
            strangers: index.places(inAggregates: [group.aggregates.forbidden]), tree: tree,
            names: !group.traits.required.isEmpty)
        if !group.isGranular, !index.sharing.isEmpty || index.hasTrees { return spread(fitting, filter) }
        return single(fitting, filter)
    }

    private struct Filter {
        let traits: TraitBits
        /// Who is in the required aggregates; nil for everybody.
        let members: Set<Int>?
        let strangers: Set<Int>
        let tree: Int?
        /// Whether it requires traits.
        let names: Bool
    }

    /// All of it from one provider.
    private func single(_ needs: [(resourceClass: Int, amount: Int64, places: [Int])], _ filter: Filter) -> [Part] {
        var places = needs.first?.places ?? (filter.members != nil || filter.names ? Array(index.entries.indices) : [])
        for need in needs.dropFirst() {
            var fits = [Bool](repeating: false, count: index.entries.count)
            for place in need.places { fits[place] = true }
            places.removeAll { !fits[$0] }
        }
        var parts: [Part] = []
        for place in places {
            let entry = index.entries[place]
            guard filter.traits.allow(entry.traits), filter.members?.contains(place) ?? true, !filter.strangers.contains(place),
                filter.tree == nil || filter.tree == entry.root
            else { continue }
            let amounts = needs.map { Candidate.Amount(place: place, resourceClass: $0.resourceClass, amount: $0.amount) }
            let isShared = !index.sharing.isEmpty && index.sharing.contains(place)
            let anchors = isShared ? index.anchors(ofSharing: place).union([entry.root]).sorted() : [entry.root]
            for anchor in anchors where roots?.contains(anchor) ?? true {
                parts.append(Part(anchor: anchor, amounts: amounts, places: [place]))
            }
        }
        return parts
    }

    /// Each class from any provider of a tree, or from one that shares with the tree.
    private func spread(_ needs: [(resourceClass: Int, amount: Int64, places: [Int])], _ filter: Filter) -> [Part] {
        let sharing = Set(index.sharing)
        var choices: [Int: [[Candidate.Amount]]] = [:]
        for (position, need) in needs.enumerated() {
            var byAnchor: [Int: Set<Int>] = [:]
            for place in need.places {
                byAnchor[index.entries[place].root, default: []].insert(place)
                if filter.tree == nil, sharing.contains(place), filter.members?.contains(place) ?? true {
                    for anchor in index.anchors(ofSharing: place) { byAnchor[anchor, default: []].insert(place) }
                }
            }
            for (anchor, places) in byAnchor where roots?.contains(anchor) ?? true {
                // An aggregate that a root is in holds for its whole tree.
                let fit = places.filter { place in
                    filter.members.map { $0.contains(place) || $0.contains(anchor) } ?? true
                        && !filter.strangers.contains(place) && !filter.strangers.contains(anchor)
                }
                guard !fit.isEmpty, position == 0 || choices[anchor]?.count == position else { continue }
                choices[anchor, default: []].append(
                    fit.sorted().map { Candidate.Amount(place: $0, resourceClass: need.resourceClass, amount: need.amount) })
            }
        }
        var parts: [Part] = []
        for (anchor, lists) in choices.sorted(by: { $0.key < $1.key }) where lists.count == needs.count {
            choose(lists, [], filter.traits) { parts.append(Part(anchor: anchor, amounts: $0, places: Set($0.map(\.place)).sorted())) }
        }
        return parts
    }

    /// Every choice of one from each list whose providers together have the traits, and none of which has a forbidden one.
    private func choose(
        _ lists: [[Candidate.Amount]], _ chosen: [Candidate.Amount], _ traits: TraitBits, _ take: ([Candidate.Amount]) -> Void
    ) {
        guard chosen.count < lists.count else {
            var all = BitSet()
            for amount in chosen { all.formUnion(index.entries[amount.place].traits) }
            if traits.required.allSatisfy({ $0.meets(all) }) { take(chosen) }
            return
        }
        for amount in lists[chosen.count] where !traits.forbidden.meets(index.entries[amount.place].traits) {
            choose(lists, chosen + [amount], traits, take)
        }
    }

    // MARK: All groups

    private struct Key: Hashable {
        let amounts: Set<Candidate.Amount>
        let mappings: [[Int]]
    }

    private func combined(_ parts: [[Part]]) -> [Candidate] {
        // What is shared is found below every anchor that it is shared with.
        var seen: Set<Key>? = index.sharing.isEmpty ? nil : []
        var found: [Candidate] = []
        func take(_ chosen: [Part], _ amounts: [Candidate.Amount]) {
            let mappings = zip(request.groups, chosen).map { (suffix: $0.suffix, places: $1.places) }
            guard isInSubtrees(mappings) else { return }
            if seen?.insert(Key(amounts: Set(amounts), mappings: mappings.map(\.places))).inserted == false { return }
            found.append(Candidate(amounts: amounts, mappings: mappings))
        }
        if parts.count == 1 {
            for part in parts[0] { take([part], part.amounts) }
            return found
        }
        var byAnchor: [Int: [[Part]]] = [:]
        for (position, list) in parts.enumerated() {
            for part in list {
                guard position == 0 || byAnchor[part.anchor]?.count ?? 0 >= position else { continue }
                if byAnchor[part.anchor]?.count ?? 0 == position { byAnchor[part.anchor, default: []].append([]) }
                byAnchor[part.anchor]?[position].append(part)
            }
        }
        for (_, lists) in byAnchor.sorted(by: { $0.key < $1.key }) where lists.count == parts.count {
            combine(lists, [], [], take)
        }
        return found
    }

    /// Every choice of one part from each list that fits into what is free. What does not fit is given up at once, before the
    /// lists behind it multiply it.
    private func combine(
        _ lists: [[Part]], _ chosen: [Part], _ amounts: [Candidate.Amount], _ take: ([Part], [Candidate.Amount]) -> Void
    ) {
        guard chosen.count < lists.count else { return take(chosen, amounts) }
        for part in lists[chosen.count] {
            if request.isolates, request.groups[chosen.count].isGranular,
                zip(request.groups, chosen).contains(where: { $0.isGranular && $1.places == part.places })
            {
                continue
            }
            guard let sum = chosen.isEmpty ? part.amounts : adding(part.amounts, to: amounts) else { continue }
            combine(lists, chosen + [part], sum, take)
        }
    }

    /// Nil when a provider is asked for more than it has, or for more than it gives to one consumer.
    private func adding(_ more: [Candidate.Amount], to amounts: [Candidate.Amount]) -> [Candidate.Amount]? {
        var sum = amounts
        for amount in more {
            guard let at = sum.firstIndex(where: { $0.place == amount.place && $0.resourceClass == amount.resourceClass }) else {
                sum.append(amount)
                continue
            }
            sum[at].amount += amount.amount
            guard let stock = index.stock(of: amount.place, amount.resourceClass), sum[at].amount <= stock.inventory.maxUnit,
                stock.used + sum[at].amount <= stock.inventory.capacity
            else { return nil }
        }
        return sum
    }

    /// Whether the providers of the groups that belong together all stand below one of them.
    private func isInSubtrees(_ mappings: [(suffix: String, places: [Int])]) -> Bool {
        request.sameSubtrees.allSatisfy { suffixes in
            let places = Set(mappings.filter { suffixes.contains($0.suffix) }.flatMap(\.places))
            guard places.count > 1, let first = places.first else { return true }
            let common = places.reduce(index.ancestors(of: first)) { $0.intersection(index.ancestors(of: $1)) }
            return !common.isDisjoint(with: places)
        }
    }

    // MARK: What is shown

    private func withoutTrees(_ found: [Candidate]) -> Candidates {
        func root(_ amount: Candidate.Amount) -> Int { index.entries[amount.place].root }
        guard !request.knowsTrees, index.hasTrees else {
            let trees = Set(found.flatMap { $0.amounts.map(root) })
            return Candidates(requests: found, summaries: index.entries.indices.filter { trees.contains(index.entries[$0].root) })
        }
        let kept = found.filter { Set($0.amounts.map(\.place)).count == Set($0.amounts.map(root)).count }
        return Candidates(requests: kept, summaries: Set(kept.flatMap { $0.amounts.map(\.place) }).sorted())
    }

    private func limited(_ found: Candidates) -> Candidates {
        guard let limit = request.limit, limit < found.requests.count else { return found }
        let kept = Array(found.requests.prefix(limit))
        let trees = Set(kept.flatMap { $0.amounts.map { index.entries[$0.place].root } })
        return Candidates(requests: kept, summaries: found.summaries.filter { trees.contains(index.entries[$0].root) })
    }
}

extension ProviderIndex {
    /// The providers that a list asks for, in the order in which they were made.
    ///
    /// - Throws: `Refusal.unknownClass`, `.unknownTraits`.
    func places(_ query: ProviderQuery) throws -> [Int] {
        let traits = try TraitBits(query.traits, in: self)
        let needs = try query.resources.map { (try number(ofClass: $0.resourceClass), $0.amount) }
        let members = query.aggregates.required.isEmpty ? nil : places(inAggregates: query.aggregates.required)
        let strangers = places(inAggregates: [query.aggregates.forbidden])
        var tree: Int?
        if let id = query.tree {
            guard let place = places[id] else { return [] }
            tree = entries[place].root
        }
        let candidates = query.id.map { id in places[id].map { [$0] } ?? [] } ?? Array(entries.indices)
        return candidates.filter { place in
            let entry = entries[place]
            return (query.name == nil || query.name == entry.provider.name) && (tree == nil || tree == entry.root)
                && traits.allow(entry.traits) && members?.contains(place) ?? true && !strangers.contains(place)
                && needs.allSatisfy { number, amount in number.flatMap { stock(of: place, $0) }?.takes(amount) ?? false }
        }
    }
}

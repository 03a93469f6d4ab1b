import CloudCore

/// A search of the index for the best hosts for one server.
///
/// It looks at the hosts from the top of the ranking on, until enough of them are suitable. So it looks at as many in a
/// cloud of ten hosts as in one of ten thousand. A wish that only few hosts can fulfil names those hosts first.
struct HostSearch {
    let index: HostIndex
    let wish: PlacementWish
    let room: any RoomSearch
    /// Returns whether the host's agent reports.
    let isUp: (String) -> Bool
    /// The hosts that have refused the server.
    var without: Set<String> = []

    struct Found {
        var state: HostState
        var candidates: [PlacementCandidate]
    }

    /// The number of suitable hosts that are compared by the weighers.
    static let compared = 10
    /// The most hosts that one search looks at in their order. The reference asks for as many candidates
    /// (`[scheduler] max_placement_results`).
    static let most = 1000  // tidy: allow bound, of a search

    private(set) var visited: Set<String> = []
    private var found: [Found] = []
    /// Suitable hosts that the group's policy disfavours.
    private var second: [Found] = []

    init(index: HostIndex, wish: PlacementWish, room: any RoomSearch, isUp: @escaping (String) -> Bool) {
        self.index = index
        self.wish = wish
        self.room = room
        self.isUp = isUp
    }

    /// Returns the suitable hosts, best first.
    mutating func run() throws -> [Found] {
        if let few = fewHosts() {
            try visit(few.sorted { (index.score(of: $1), $0) < (index.score(of: $0), $1) })
        } else {
            for name in favourites() { try visit(name) }
            try visit(index.ranking(in: wish.zone).names)
            // The hosts with the most free resources lack something else, so those where it would fit are asked for.
            if found.count < Self.compared, visited.count >= Self.most {
                let ids = try room.hosts(most: Self.most, from: Self.start(wish.serverID))
                for id in ids where found.count < Self.compared { if let name = index.name(of: id) { try visit(name) } }
            }
        }
        let all = Dictionary((found + second.prefix(Self.compared)).map { ($0.state.name, $0) }) { first, _ in first }
        return Scheduler.choose(all.values.map(\.state), wish).hosts.compactMap { all[$0.name] }
    }

    private mutating func visit(_ names: some Sequence<String>) throws {
        for name in names {
            guard found.count < Self.compared, visited.count < Self.most else { return }
            try visit(name)
        }
    }

    private mutating func visit(_ name: String) throws {
        guard !without.contains(name), visited.insert(name).inserted,
            let state = index.state(of: name, for: wish, isUp: isUp(name)),
            HostFilters.refusal(state, wish) == nil
        else { return }
        let candidates = try room.candidates(at: state.id)
        if candidates.isEmpty { return }
        if wish.group?.policy == .softAntiAffinity, state.groupMembers > 0 {
            second.append(Found(state: state, candidates: candidates))
        } else {
            found.append(Found(state: state, candidates: candidates))
        }
    }

    /// Returns the only hosts that can be suitable, as far as the index knows them; nil if they may be many.
    private func fewHosts() -> Set<String>? {
        var sets: [Set<String>] = []
        if let host = wish.host { sets.append([host]) }
        if let group = wish.group, group.policy == .affinity, wish.groupHasHosts {
            sets.append(Set(index.hosts(ofGroup: group.id.text).keys))
        }
        if !wish.sameHost.isEmpty { sets.append(Set(wish.sameHost.flatMap { index.hosts(ofServer: $0) })) }
        for (name, wanted) in HostFilters.aggregateSpecs(of: wish) {
            let fitting = index.aggregates.filter { $0.metadata[name].map { SpecMatch.holds($0, wanted) } ?? false }
            sets.append(Set(fitting.flatMap(\.hosts)))
        }
        return sets.min { $0.count < $1.count }.flatMap { $0.count > Self.most ? nil : $0 }
    }

    /// Returns the hosts that a weigher may prefer to others with more free resources.
    private func favourites() -> [String] {
        var names = [wish.move?.source].compactMap(\.self)
        if let group = wish.group, group.policy == .softAffinity {
            names += index.hosts(ofGroup: group.id.text).keys.sorted().prefix(Self.compared)
        }
        return names
    }

    /// Returns the number at which a search for any hosts begins: servers begin at different hosts, and one server
    /// always at the same.
    private static func start(_ id: String) -> Int {
        Int(id.utf8.reduce(UInt64(2_166_136_261)) { ($0 ^ UInt64($1)) &* 16_777_619 } & 0x7fff_ffff)
    }
}

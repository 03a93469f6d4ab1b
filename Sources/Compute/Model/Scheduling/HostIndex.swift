import CloudCore

/// All that a choice of a host must know of the hosts and their servers, in a form that needs no query.
///
/// The index is a value, so a choice keeps the state in which it began. A copy shares all pieces with the original
/// except those that were changed. Hosts stand in the order of what they have free, so a choice looks at few of them.
struct HostIndex: Sendable {
    /// A server on a host, or on its way there, as the choice for another server sees it.
    struct Resident: Sendable, Equatable {
        var id: String
        var host: String?
        /// The second host that has a part of the server.
        var otherHost: String?
        var groupID: String?
        var state: VMState?
        /// The resources that it uses of its host.
        var size = ComputeHost.Usage()

        var hosts: [String] { [host, otherHost].compactMap(\.self) }
    }

    struct Host: Sendable {
        let name: String
        /// The facts that the host has reported; nil for a host that has not reported, which is never chosen.
        var facts: Placing.Offer.Host?
        /// The decisions of operators; nil if the host has no row yet.
        var entry: HostStore.Entry?
        var usage = ComputeHost.Usage()
        /// The number of servers there, or on their way there, that are being built.
        var building = 0
        /// The number of servers there, or on their way there, in state `error`.
        var failed = 0
        fileprivate var rank: (zone: String, place: Ranking.Place)?

        var isDisabled: Bool { entry?.isDisabled ?? false }
    }

    private var hosts = PiecedDictionary<String, Host>()
    private var names = PiecedDictionary<ID<Kind.Provider>, String>()
    private var residents = PiecedDictionary<String, Resident>()
    /// The number of members of each group, by host.
    private var groups = PiecedDictionary<String, [String: Int]>()
    private(set) var aggregates: [Aggregate] = []
    /// The places of each host's aggregates in the list.
    private var aggregatesOfHosts: [String: [Int]] = [:]
    /// The names of all hosts that have reported.
    private(set) var known = Ranking()
    /// The hosts that are not disabled, by their zones.
    private var zones: [String: Ranking] = [:]
    private var everywhere = Ranking()
    /// The largest amounts that a host has; scores are in parts of them.
    private var largest = ComputeHost.Usage(servers: 0, vcpus: 1, memoryMiB: 1, diskGiB: 1)
    /// The position up to which the hosts' reports were followed.
    private(set) var position = -1

    // MARK: Questions

    func host(_ name: String) -> Host? { hosts[name] }
    func isKnown(_ name: String) -> Bool { hosts[name]?.facts != nil }
    func name(of id: ID<Kind.Provider>) -> String? { names[id] }
    func hosts(ofServer id: String) -> [String] { residents[id]?.hosts ?? [] }
    func hosts(ofGroup id: String) -> [String: Int] { groups[id] ?? [:] }

    /// Returns the hosts that are not disabled, those with the most free resources first.
    ///
    /// - Parameter zone: the only zone; nil for all.
    func ranking(in zone: String?) -> Ranking { zone.map { zones[$0] ?? Ranking() } ?? everywhere }

    func zone(of host: String) -> String {
        aggregatesOfHosts[host]?.lazy.compactMap { aggregates[$0].zone }.first ?? Aggregate.usualZone
    }

    /// Returns the score of a host: the parts of its resources that are free. It is lower for each server that is being
    /// built there, and by far for each one in state `error`.
    private func score(_ host: Host, _ facts: Placing.Offer.Host) -> Double {
        Double(facts.memoryMiB - host.usage.memoryMiB) / Double(largest.memoryMiB)
            + Double(facts.vcpus - host.usage.vcpus - host.building) / Double(largest.vcpus)
            + Double(facts.diskGiB - host.usage.diskGiB) / Double(largest.diskGiB) - Double(host.failed) * 1_000_000
    }

    /// Returns the score by which a host stands in the ranking; the lowest for one that is not there.
    func score(of name: String) -> Double { hosts[name]?.rank?.place.score ?? -.infinity }

    /// Returns a host as the filters and weighers see it; nil for a host that has not reported.
    func state(of name: String, for wish: PlacementWish, isUp: Bool) -> HostState? {
        guard let host = hosts[name], let facts = host.facts else { return nil }
        var metadata: [String: Set<String>] = [:]
        for at in aggregatesOfHosts[name] ?? [] {
            for (key, value) in aggregates[at].metadata { metadata[key, default: []].insert(value) }
        }
        var state = HostState(
            name: name, id: facts.id, zone: zone(of: name), isUp: isUp && host.entry?.isForcedDown != true,
            isDisabled: host.isDisabled,
            disabledReason: host.entry?.disabledReason, hypervisorType: facts.hypervisorType,
            architecture: facts.architecture,
            vcpus: facts.vcpus, memoryMiB: facts.memoryMiB, diskGiB: facts.diskGiB,
            isAble: wish.move?.suits(facts.movesMachines, facts.movesRunningMachines) ?? true, usage: host.usage,
            aggregateMetadata: metadata,
            serverIDs: Set((wish.sameHost + wish.differentHost).filter { hosts(ofServer: $0).contains(name) }),
            groupMembers: wish.group.map { hosts(ofGroup: $0.id.text)[name] ?? 0 } ?? 0, busyServers: host.building,
            failedBuilds: host.failed)
        // The server that is placed does not count as another server.
        if let own = residents[wish.serverID], own.hosts.contains(name) {
            state.serverIDs.remove(own.id)
            if let group = wish.group, own.groupID == group.id.text { state.groupMembers -= 1 }
            if own.state == .building { state.busyServers -= 1 }
            if own.state == .error { state.failedBuilds -= 1 }
        }
        return state
    }
}

// MARK: - Changes

extension HostIndex {
    /// The changes of one transaction or of one look at the hosts.
    struct Changes: Sendable {
        /// The servers whose rows were read, and those of them that use a host.
        var servers: Set<String> = []
        var residents: [Resident] = []
        /// The hosts whose rows were read, and the rows that are there.
        var hosts: Set<String> = []
        var entries: [HostStore.Entry] = []
        /// All aggregates; nil if none was changed.
        var aggregates: [Aggregate]?
        var facts: [Placing.Offer.Host] = []
        /// The position of the reports; nil if none were read.
        var position: Int?
    }

    init(_ changes: Changes) { apply(changes) }

    mutating func apply(_ changes: Changes) {
        var touched = changes.hosts
        for id in changes.servers {
            if let old = residents[id] { count(old, -1, &touched) }
            residents[id] = nil
        }
        for resident in changes.residents where !resident.hosts.isEmpty {
            count(resident, 1, &touched)
            residents[resident.id] = resident
        }
        for name in changes.hosts { hosts[name]?.entry = nil }
        for entry in changes.entries {
            touched.insert(entry.name)
            hosts[entry.name, default: Host(name: entry.name)].entry = entry
        }
        let isRescaled = take(changes.facts, &touched)
        position = changes.position ?? position
        if let aggregates = changes.aggregates {
            self.aggregates = aggregates
            aggregatesOfHosts = [:]
            for (at, aggregate) in aggregates.enumerated() {
                for host in aggregate.hosts { aggregatesOfHosts[host, default: []].append(at) }
            }
        }
        if isRescaled || changes.aggregates != nil { rankAll() } else { for name in touched { rank(name) } }
    }

    private mutating func count(_ resident: Resident, _ sign: Int, _ touched: inout Set<String>) {
        if let host = resident.host { hosts[host, default: Host(name: host)].usage.add(resident.size, sign) }
        for host in resident.hosts {
            touched.insert(host)
            if resident.state == .building { hosts[host, default: Host(name: host)].building += sign }
            if resident.state == .error { hosts[host, default: Host(name: host)].failed += sign }
            guard let group = resident.groupID else { continue }
            groups[group, default: [:]][host, default: 0] += sign
            if groups[group]?[host] == 0 { groups[group]?[host] = nil }
            if groups[group]?.isEmpty == true { groups[group] = nil }
        }
    }

    /// Takes the facts that hosts have reported. Returns whether a host is larger than all before.
    private mutating func take(_ facts: [Placing.Offer.Host], _ touched: inout Set<String>) -> Bool {
        let before = largest
        for one in facts {
            if let old = hosts[one.name]?.facts {
                names[old.id] = nil
            } else {
                known.insert(.init(score: 0, name: one.name))
            }
            touched.insert(one.name)
            names[one.id] = one.name
            hosts[one.name, default: Host(name: one.name)].facts = one
            largest.vcpus = max(largest.vcpus, one.vcpus)
            largest.memoryMiB = max(largest.memoryMiB, one.memoryMiB)
            largest.diskGiB = max(largest.diskGiB, one.diskGiB)
        }
        return largest != before
    }

    private func rank(of host: Host) -> (zone: String, place: Ranking.Place)? {
        guard let facts = host.facts, !host.isDisabled else { return nil }
        return (zone(of: host.name), Ranking.Place(score: score(host, facts), name: host.name))
    }

    private mutating func rank(_ name: String) {
        guard var host = hosts[name] else { return }
        if let old = host.rank {
            everywhere.remove(old.place)
            zones[old.zone]?.remove(old.place)
            if zones[old.zone]?.isEmpty == true { zones[old.zone] = nil }
        }
        host.rank = rank(of: host)
        if let new = host.rank {
            everywhere.insert(new.place)
            zones[new.zone, default: Ranking()].insert(new.place)
        }
        hosts[name] = host
    }

    private mutating func rankAll() {
        var places: [String: [Ranking.Place]] = [:]
        for var host in hosts.all.map(\.value) {
            host.rank = rank(of: host)
            hosts[host.name] = host
            if let rank = host.rank { places[rank.zone, default: []].append(rank.place) }
        }
        zones = places.mapValues { Ranking($0) }
        everywhere = Ranking(places.values.flatMap(\.self))
    }
}

extension ComputeHost.Usage {
    fileprivate mutating func add(_ other: Self, _ sign: Int) {
        servers += sign * other.servers
        vcpus += sign * other.vcpus
        memoryMiB += sign * other.memoryMiB
        diskGiB += sign * other.diskGiB
    }
}

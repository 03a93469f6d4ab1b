import CloudCore
import SQL
import Synchronization
import TestSupport
import Testing

@testable import Compute

/// The index of hosts: it always equals the tables, whoever changed them and how.
@Suite("The index of hosts")
struct HostIndexTests {
    private static let hosts = (1...6).map { "host-\($0)" }
    private static let zones = ["east", "west"]

    @Test("A ranking equals a sorted list after random changes", arguments: [1, 2, 3] as [UInt64])
    func ranking(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var places: [Ranking.Place] = (0..<2000).map {
            .init(score: Double(Int.random(in: 0..<50, using: &random)), name: "h\($0)")
        }
        var ranking = Ranking(places)
        for number in 0..<3000 {
            if number.isMultiple(of: 2), let at = places.indices.randomElement(using: &random) {
                ranking.remove(places[at])
                places.swapAt(at, places.count - 1)
                places.removeLast()
            } else {
                let place = Ranking.Place(score: Double(Int.random(in: 0..<50, using: &random)), name: "n\(number)")
                ranking.insert(place)
                places.append(place)
            }
        }
        ranking.remove(.init(score: 1, name: "nobody"))
        #expect(ranking.count == places.count)
        #expect(Array(ranking.names) == places.sorted().map(\.name))
    }

    @Test(
        "After random changes by two processes, the index of both equals the tables", arguments: DatabaseKind.allCases,
        [1, 2] as [UInt64])
    func follows(kind: DatabaseKind, seed: UInt64) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [.compute]) { test in
            let reports = FixedHosts(Self.hosts)
            let databases = [test.database, kind == .sqlite ? test.database : try test.reopen()]
            let keepers = databases.map { HostKeeper(database: $0, hosts: reports) }
            var random = SplitMix64(seed: seed)
            for round in 0..<8 {
                for number in 0..<20 {
                    let step = random.next()
                    try await databases[number % 2].write { tx in
                        var random = SplitMix64(seed: step)
                        try Self.change(&random, in: tx)
                    }
                }
                if round == 4 { reports.grow("host-1") }
                let read = try await test.database.read { tx in try HostIndexStore(hosts: reports).load(in: tx) }
                for keeper in keepers { Self.compare(try await keeper.latest(), read) }
                let some = Array(Self.hosts.prefix(2)), facts = some.compactMap { read.host($0)?.facts }
                let few = try await test.database.read { tx in
                    try HostIndexStore(hosts: reports).index(of: facts, in: tx)
                }
                for name in some {
                    for wish in Self.wishes {
                        #expect(
                            few.state(of: name, for: wish, isUp: true) == read.state(of: name, for: wish, isUp: true))
                    }
                }
            }
        }
    }

    private static let wishes: [PlacementWish] = ["s1", "s2", "new"].map { id in
        var wish = PlacementWish(serverID: id)
        wish.group = ServerGroup(
            id: ID("g1"), projectID: "p", userID: "u", name: "g", policy: .affinity, mostPerHost: nil,
            createdAt: Timestamp(seconds: 0))
        (wish.sameHost, wish.differentHost) = (["s1", "s3"], ["s2"])
        return wish
    }

    private static func compare(_ kept: HostIndex, _ read: HostIndex) {
        for name in hosts + ["host-9"] {
            let (one, other) = (kept.host(name), read.host(name))
            #expect(one?.usage ?? .init() == other?.usage ?? .init(), "\(name)")
            #expect(one?.building ?? 0 == other?.building ?? 0)
            #expect(one?.failed ?? 0 == other?.failed ?? 0)
            #expect(one?.entry?.number == other?.entry?.number)
            #expect(one?.isDisabled ?? false == other?.isDisabled ?? false)
            #expect(kept.zone(of: name) == read.zone(of: name))
            for wish in wishes {
                #expect(kept.state(of: name, for: wish, isUp: true) == read.state(of: name, for: wish, isUp: true))
            }
        }
        for zone in [nil, "east", "west", "nova"] {
            #expect(Array(kept.ranking(in: zone).names) == Array(read.ranking(in: zone).names), "\(zone ?? "-")")
        }
        for group in ["g1", "g2"] { #expect(kept.hosts(ofGroup: group) == read.hosts(ofGroup: group)) }
        for server in (0..<8).map({ "s\($0)" }) {
            #expect(kept.hosts(ofServer: server) == read.hosts(ofServer: server))
        }
        #expect(Array(kept.known.names) == hosts)
        #expect(kept.position == read.position)
    }

    // MARK: Changes

    private static func change(_ random: inout SplitMix64, in tx: Transaction) throws {
        let (servers, aggregates, store) = (ServerStore(), AggregateStore(), HostStore())
        let id = ID<Kind.Server>("s\(Int.random(in: 0..<8, using: &random))")
        let host = hosts.randomElement(using: &random) ?? "", number = Int.random(in: 1...3, using: &random)
        let present = try servers.find(id, in: tx)
        switch Int.random(in: 0..<12, using: &random) {
        case 0, 1, 2:
            guard present == nil else { return }
            try servers.insert(server(id, &random), in: tx)
        case 3, 4, 5:
            guard present != nil else { return }
            try servers.update(server(id, &random), in: tx)
        case 6:
            if let present { try servers.archive(present, at: Timestamp(seconds: 1), in: tx) }
        case 7:
            let entry = HostStore.Entry(
                name: host, number: Int(host.suffix(1)) ?? 0, serviceID: host, isDisabled: Bool.random(using: &random))
            try store.insert(entry, in: tx)
            try store.update(entry, in: tx)
        case 8: try store.delete(host, in: tx)
        case 9:
            guard try aggregates.find(number, in: tx) == nil else { return }
            try aggregates.insert(
                Aggregate(
                    number: number, id: ID("a\(number)"), name: "a\(number)",
                    metadata: [Aggregate.zoneKey: zones.randomElement(using: &random) ?? "", "k": "\(number)"],
                    createdAt: Timestamp(seconds: 0)), in: tx)
        case 10:
            guard let aggregate = try aggregates.find(number, in: tx) else { return }
            if aggregate.hosts.contains(host) {
                try aggregates.remove(host, from: number, in: tx)
            } else {
                try aggregates.add(host, to: number, in: tx)
            }
        default: try ServerGroupStore().delete(ID("g2"), in: tx)
        }
    }

    private static func server(_ id: ID<Kind.Server>, _ random: inout SplitMix64) -> Server {
        var server = Server(
            id: id, number: 1, projectID: "p", userID: "u", name: "n", hostname: "n",
            flavor: ServerStage.flavor(ram: Int.random(in: 1...4, using: &random) * 512),
            reservationID: "r", createdAt: Timestamp(seconds: 0), updatedAt: Timestamp(seconds: 0))
        server.host = Bool.random(using: &random) ? hosts.randomElement(using: &random) : nil
        server.otherHost = Int.random(in: 0..<3, using: &random) == 0 ? hosts.first { $0 != server.host } : nil
        server.groupID = [nil, ID("g1"), ID("g2")].randomElement(using: &random) ?? nil
        server.state = [.active, .building, .error].randomElement(using: &random) ?? .active
        return server
    }
}

/// Hosts with fixed reports.
final class FixedHosts: HostsNeed {
    private struct State {
        var reports: [HostReport]
        var position = 1
    }

    private let state: Mutex<State>
    let away = Box<Set<String>>([])

    init(_ names: [String], vcpus: Int = 16) {
        state = Mutex(
            State(
                reports: names.map {
                    HostReport(
                        name: $0, id: ID("id-\($0)"), isUp: true, lastSeen: Timestamp(seconds: 0), vcpus: vcpus,
                        memoryMiB: 65_536, diskGiB: 1024,
                        movesMachines: true)
                }))
    }

    /// Doubles the memory of a host.
    func grow(_ name: String) {
        state.withLock { state in
            for at in state.reports.indices where state.reports[at].name == name { state.reports[at].memoryMiB *= 2 }
            state.position += 1
        }
    }

    func reports() async throws -> [HostReport] { state.withLock { $0.reports } }
    func report(of host: String) async throws -> HostReport? { state.withLock { $0.reports.first { $0.name == host } } }
    func refresh() async {}
    var position: Int { state.withLock { $0.position } }
    func news(since position: Int) -> (reports: [HostReport], position: Int) {
        state.withLock { ($0.position == position ? [] : $0.reports, $0.position) }
    }
    func isUp(_ host: String) -> Bool { !away.value.contains(host) }
}

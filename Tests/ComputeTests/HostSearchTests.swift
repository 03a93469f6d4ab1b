import CloudCore
import TestSupport
import Testing

@testable import Compute

/// The search for the best hosts looks at few of many, and misses none that a wish needs.
@Suite("The search for hosts")
struct HostSearchTests {
    /// Room at the named hosts; nil for all.
    private struct Room: RoomSearch {
        var only: Set<String>?

        func candidates(at host: ID<Kind.Provider>) -> [PlacementCandidate] {
            only.map { $0.contains(String(host.text.dropFirst(3))) } ?? true
                ? [PlacementCandidate(hostID: host, parts: [:])] : []
        }

        func hosts(most: Int, from start: Int) -> [ID<Kind.Provider>] {
            (only ?? []).sorted().prefix(most).map { ID("id-\($0)") }
        }
    }

    private static func name(_ number: Int) -> String { "host-\(number)" }

    /// Returns an index of hosts. Each has less memory in use than the one after it.
    private static func index(_ count: Int, _ change: (inout HostIndex.Changes) -> Void = { _ in }) -> HostIndex {
        let facts = (1...count).map { number in
            Placing.Offer.Host(
                HostReport(
                    name: name(number), id: ID("id-host-\(number)"), isUp: true, lastSeen: Timestamp(seconds: 0),
                    vcpus: 16, memoryMiB: 65_536, diskGiB: 1024,
                    movesMachines: true))
        }
        var changes = HostIndex.Changes()
        changes.facts = facts
        changes.residents = (1...count).map {
            .init(
                id: "s\($0)", host: name($0), state: .active,
                size: .init(servers: 1, vcpus: 0, memoryMiB: $0, diskGiB: 0))
        }
        change(&changes)
        return HostIndex(changes)
    }

    private struct Outcome: Equatable {
        var names: [String]
        var visited: Int

        init(_ names: [String], _ visited: Int) { (self.names, self.visited) = (names, visited) }
    }

    private static func run(
        _ index: HostIndex, _ wish: PlacementWish = .init(serverID: "new"), room: Room = Room(), away: Set<String> = [],
        without: Set<String> = []
    ) throws -> Outcome {
        var search = HostSearch(index: index, wish: wish, room: room) { !away.contains($0) }
        search.without = without
        let found = try search.run()
        return Outcome(found.map(\.state.name), search.visited.count)
    }

    @Test(
        "The ten hosts with the most free resources are looked at, however many there are",
        arguments: [10, 1000, 20_000])
    func few(count: Int) throws {
        let found = try Self.run(Self.index(count))
        #expect(found.names == (1...10).map(Self.name))
        #expect(found.visited == 10)
    }

    @Test("Hosts that are down, disabled or have refused are passed over")
    func passed() throws {
        let index = Self.index(100) {
            $0.entries = [.init(name: "host-2", number: 2, serviceID: "x", isDisabled: true)]
        }
        let found = try Self.run(index, away: ["host-1"], without: ["host-3"])
        #expect(found.names == (4...13).map(Self.name))
        #expect(found.visited == 11)
    }

    @Test("A zone, a host and the metadata of aggregates narrow the search first")
    func narrow() throws {
        let index = Self.index(5000) { changes in
            changes.aggregates = [
                Aggregate(
                    number: 1, id: "1", name: "z", metadata: ["availability_zone": "east"],
                    hosts: ["host-4000", "host-3000"], createdAt: Timestamp(seconds: 0)),
                Aggregate(
                    number: 2, id: "2", name: "s", metadata: ["ssd": "true"], hosts: ["host-4000", "host-4500"],
                    createdAt: Timestamp(seconds: 0)),
            ]
        }
        var wish = PlacementWish(serverID: "new")
        wish.zone = "east"
        #expect(try Self.run(index, wish) == Outcome(["host-3000", "host-4000"], 2))
        wish.extraSpecs = ["aggregate_instance_extra_specs:ssd": "true"]
        #expect(try Self.run(index, wish) == Outcome(["host-4000"], 2))
        wish.zone = nil
        #expect(try Self.run(index, wish) == Outcome(["host-4000", "host-4500"], 2))
        wish.host = "host-4500"
        #expect(try Self.run(index, wish) == Outcome(["host-4500"], 1))
        wish.zone = "nowhere"
        #expect(try Self.run(index, wish) == Outcome([], 1))
    }

    @Test("Other servers narrow the search, or put their hosts first or last")
    func others() throws {
        let index = Self.index(5000) { changes in
            for number in [1, 2, 4000] { changes.residents[number - 1].groupID = "g" }
        }
        var wish = PlacementWish(serverID: "new")
        wish.sameHost = ["s4000", "s4001"]
        #expect(try Self.run(index, wish) == Outcome(["host-4000", "host-4001"], 2))
        (wish.sameHost, wish.differentHost) = ([], ["s1"])
        #expect(try Self.run(index, wish) == Outcome((2...11).map(Self.name), 11))
        wish.differentHost = []
        func group(_ policy: ServerGroup.Policy) -> PlacementWish {
            var grouped = wish
            grouped.group = ServerGroup(
                id: ID("g"), projectID: "p", userID: "u", name: "g", policy: policy, mostPerHost: nil,
                createdAt: Timestamp(seconds: 0))
            grouped.groupHasHosts = true
            return grouped
        }
        #expect(try Self.run(index, group(.affinity)) == Outcome(["host-1", "host-2", "host-4000"], 3))
        #expect(try Self.run(index, group(.antiAffinity)) == Outcome((3...12).map(Self.name), 12))
        #expect(
            try Self.run(index, group(.softAffinity)).names.prefix(3).sorted() == ["host-1", "host-2", "host-4000"])
        let apart = try Self.run(index, group(.softAntiAffinity))
        #expect(apart.names.prefix(9) == (3...11).map(Self.name)[...])
        #expect(apart.names.suffix(3).sorted() == ["host-1", "host-12", "host-2"])
        #expect(apart.visited == 12)
    }

    @Test("The host that has the server already comes first if the server may stay")
    func stays() throws {
        var wish = PlacementWish(serverID: "s4000")
        wish.move = .init(source: "host-4000", mayStay: true)
        let found = try Self.run(Self.index(5000), wish)
        #expect(found.names == ["host-4000"] + (1...9).map(Self.name))
        wish.move = .init(source: "host-1")
        #expect(try Self.run(Self.index(5000), wish).names == (2...11).map(Self.name))
    }

    @Test("If the hosts with the most free resources do not fit, those where the request fits are asked for")
    func rare() throws {
        let found = try Self.run(Self.index(5000), room: Room(only: ["host-4321", "host-4000"]))
        #expect(found.names == ["host-4000", "host-4321"])
        #expect(found.visited == HostSearch.most + 2)
        #expect(try Self.run(Self.index(500), room: Room(only: [])) == Outcome([], 500))
    }

    @Test("A host with failed builds comes last, and one with work under way behind others that are as free")
    func scores() throws {
        let index = Self.index(20) { changes in
            changes.residents[0].state = .error
            changes.residents[1].state = .building
        }
        #expect(try Self.run(index).names.contains("host-1") == false)
        #expect(Array(index.ranking(in: nil).names).suffix(2) == ["host-2", "host-1"])
    }
}

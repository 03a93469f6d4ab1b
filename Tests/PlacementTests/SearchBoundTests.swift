import CloudCore
import TestSupport
import Testing

@testable import Placement

/// Limits on the time and the memory of a search, whatever a request asks of any trees.
@Suite("Limits of a search", .timeLimit(.minutes(1)))
struct SearchBoundTests {
    /// Returns a host with the given number of devices below it, all directly below the host or each below the one
    /// before.
    private static func host(_ number: Int, devices: Int, deep: Bool = false, _ totals: [String: Int64]) -> [ProviderIndex.Source] {
        let root = ID<Kind.Provider>("h\(number)")
        return (0...devices).map { at in
            let id = at == 0 ? root : ID<Kind.Provider>("h\(number)-\(at)")
            let above = deep && at > 1 ? ID<Kind.Provider>("h\(number)-\(at - 1)") : root
            return ProviderIndex.Source(
                provider: Provider(
                    id: id, name: id.text, generation: 0, parentID: at == 0 ? nil : above, rootID: root,
                    createdAt: Timestamp(microseconds: Int64(at)), updatedAt: Timestamp(microseconds: 0)),
                inventories: at == 0
                    ? [] : totals.sorted { $0.key < $1.key }.map { .init(inventory: Inventory(resourceClass: $0.key, total: $0.value), used: 0) })
        }
    }

    private static func index(_ hosts: [[ProviderIndex.Source]]) -> ProviderIndex {
        ProviderIndex(hosts.flatMap { $0 }, custom: .init())
    }

    private static func devices(_ count: Int, _ amount: Int64 = 1) -> [RequestGroup] {
        (1...count).map { RequestGroup(suffix: "_\($0)", resources: [("PGPU", amount)]) }
    }

    @Test("Many groups over many equal devices give some candidates of every host, but not all combinations")
    func wide() throws {
        let index = Self.index((1...40).map { Self.host($0, devices: 16, ["PGPU": 1]) })
        let found = try CandidateSearch(CandidateRequest(groups: Self.devices(8), isolates: true), in: index).run()
        // A single host has 518,918,400 combinations.
        #expect((1000...41_000).contains(found.requests.count))
        #expect(Set(found.requests.map(\.tree)).count == 40)
        let limited = try CandidateSearch(CandidateRequest(groups: Self.devices(8), isolates: true, limit: 1000), in: index).run()
        #expect(limited.requests.count == 1000)
    }

    @Test("A search for groups that cannot fit together ends soon")
    func impossible() throws {
        let wide = Self.index((1...4).map { Self.host($0, devices: 12, ["PGPU": 1]) })
        #expect(try CandidateSearch(CandidateRequest(groups: Self.devices(13), isolates: true), in: wide).run().requests.isEmpty)
        #expect(try CandidateSearch(CandidateRequest(groups: Self.devices(13)), in: wide).run().requests.isEmpty)
        // Half of each device is too little for another group, which the sum does not show.
        let halves = Self.index((1...4).map { Self.host($0, devices: 12, ["PGPU": 5]) })
        #expect(try CandidateSearch(CandidateRequest(groups: Self.devices(14, 3)), in: halves).run().requests.isEmpty)
    }

    @Test("A deep tree whose groups must be in one subtree is searched soon")
    func deep() throws {
        let index = Self.index((1...4).map { Self.host($0, devices: 300, deep: true, ["PGPU": 4, "VGPU": 4]) })
        var request = CandidateRequest(groups: Self.devices(6))
        request.sameSubtrees = [Set(request.groups.map(\.suffix))]
        let found = try CandidateSearch(request, in: index).run()
        #expect((1000...41_000).contains(found.requests.count))
        // No device is below another one here.
        let flat = Self.index((1...4).map { Self.host($0, devices: 300, ["PGPU": 1]) })
        request.isolates = true
        #expect(try CandidateSearch(request, in: flat).run().requests.isEmpty)
    }

    @Test("One group of many classes over a wide tree gives a limited number of candidates")
    func spread() throws {
        let classes = ["VCPU", "MEMORY_MB", "DISK_GB", "PGPU", "VGPU", "PCPU"]
        let index = Self.index([Self.host(1, devices: 20, Dictionary(uniqueKeysWithValues: classes.map { ($0, 4) }))])
        let group = RequestGroup(resources: classes.map { ($0, 1) })
        let found = try CandidateSearch(CandidateRequest(groups: [group]), in: index).run()
        #expect((1000...10_000).contains(found.requests.count))
        #expect(try CandidateSearch(CandidateRequest(groups: [group], limit: 7), in: index).run().requests.count == 7)
    }

    @Test("A plain request without a limit returns every host that fits")
    func plain() throws {
        let index = Self.index((1...3_000).map { Self.host($0, devices: 1, ["PGPU": 1]) })
        let found = try CandidateSearch(CandidateRequest(groups: [RequestGroup(resources: [("PGPU", 1)])]), in: index).run()
        #expect(found.requests.count == 3_000)
        #expect(found.summaries.count == 6_000)
    }

    @Test("A search with a limit looks at what it returns, from where it is told", arguments: [0, 700, 2_999, 5_000])
    func start(at start: Int) throws {
        let index = Self.index((1...3_000).map { Self.host($0, devices: 1, ["PGPU": 1]) })
        var request = CandidateRequest(groups: [RequestGroup(resources: [("PGPU", 1)])], limit: 1_000)
        let all = try CandidateSearch(CandidateRequest(groups: request.groups), in: index).run().requests.map(\.tree)
        request.start = start
        let found = try CandidateSearch(request, in: index).run()
        #expect(found.requests.map(\.tree) == (0..<1_000).map { all[(start + $0) % 3_000] })
        #expect(found.searched == 1_000)
        request.limit = nil
        let whole = try CandidateSearch(request, in: index).run().requests.map(\.tree)
        #expect(whole == (0..<3_000).map { all[(start + $0) % 3_000] })
    }

    @Test("A search may be asked about one host")
    func one() throws {
        let index = Self.index((1...300).map { Self.host($0, devices: 1, [$0 == 7 ? "VGPU" : "PGPU": 1]) })
        let request = CandidateRequest(groups: [RequestGroup(resources: [("PGPU", 1)])])
        let search = PlacementSearch(request: request, index: index)
        #expect(try search.candidates(at: "h6").map(\.rootID) == ["h6"])
        #expect(try search.candidates(at: "h7").isEmpty)
        #expect(try search.candidates(at: "h301").isEmpty)
        let roots = index.trees.map(\.tree.members[0].id), at = try #require(roots.firstIndex(of: "h7"))
        #expect(try search.roots(most: 3, from: at - 1) == [roots[at - 1], roots[at + 1], roots[at + 2]])
    }
}

@testable import BlockStorage
import CloudCore
import HTTPTypes
import HostModel
import TestSupport
import Testing

@Suite("The choice of a pool")
struct PoolTests {
    private static func pool(_ host: String, _ change: (inout PoolState) -> Void = { _ in }) -> PoolState {
        let pool = VolumePool(
            name: "p", totalBytes: 100 << 30, freeBytes: 100 << 30, provisionedBytes: 0,
            abilities: Set(VolumePool.Ability.allCases))
        let report = PoolReport(host: host, pool: pool, isUp: true, lastSeen: Timestamp(seconds: 0))
        var state = PoolState(report: report, host: nil, allocatedGiB: 0)
        change(&state)
        return state
    }

    private static func wish(_ specs: JSONObject = [:], size: Int = 1) -> PoolWish {
        var type = VolumeType(id: "t", name: "t", isPublic: true, createdAt: Timestamp(seconds: 0))
        type.extraSpecs = specs
        return PoolWish(size: size, type: type)
    }

    private static func reason(_ pool: PoolState, _ wish: PoolWish) -> String? {
        PoolChoice([pool], for: wish).refusals.first?.reason
    }

    @Test("The pool with the most room comes first, and one above its soft limit last")
    func order() {
        let pools = [
            Self.pool("a") { $0.allocatedGiB = 500 }, Self.pool("b"),
            Self.pool("c") { $0.report.pool.freeBytes = 15 << 30 },
        ]
        #expect(PoolChoice(pools, for: Self.wish()).good.map(\.name.host) == ["b", "a", "c"])
    }

    @Test("Each pool that does not serve has its reason")
    func reasons() {
        #expect(Self.reason(Self.pool("a") { $0.report.isUp = false }, Self.wish()) == "its host does not answer")
        let disabled = Self.pool("a") { $0.host = StorageHost(name: "a", isDisabled: true) }
        #expect(Self.reason(disabled, Self.wish()) == "its host is disabled")
        let full = Self.pool("a") { $0.report.pool.freeBytes = 5 << 30 }
        #expect(Self.reason(full, Self.wish()) == "it is full: 95% are used")
        #expect(
            Self.reason(Self.pool("a"), Self.wish(size: 2001)) == "its volumes would have 2001 GiB and may have 2000")
        let small = Self.pool("a") { ($0.report.pool.totalBytes, $0.report.pool.freeBytes) = (1 << 29, 1 << 29) }
        #expect(Self.reason(small, Self.wish(size: 10)) == nil)
        #expect(Self.reason(small, Self.wish(size: 11)) == "its volumes would have 11 GiB and may have 10")
        var elsewhere = Self.wish()
        elsewhere.zones = ["moon"]
        #expect(Self.reason(Self.pool("a"), elsewhere) == "it is in the zone nova")
        #expect(
            Self.reason(Self.pool("a"), Self.wish(["volume_backend_name": "q"]))
                == "its 'volume_backend_name' is 'p' and not 'q'")
        #expect(Self.reason(Self.pool("a"), Self.wish(["color": "red"])) == "it does not report 'color'")
        #expect(Self.reason(Self.pool("a"), Self.wish(["own:color": "red"])) == nil)
    }

    @Test(
        "Extra specs compare as the reference's do",
        arguments: [
            ("True", "<is> True", true), ("True", "<is> false", false), ("files", "<in> ile", true),
            ("a", "<or> b <or> a", true), ("10", ">= 9", true), ("10", "= 11", false), ("10", "== 10", true),
            ("b", "s> a", true), ("a", "s== a", true), ("a", "b", false),
        ])
    func specs(_ present: String, _ wanted: String, _ matches: Bool) {
        #expect(SpecMatch.matches(present, wanted) == matches)
    }

    @Test("Operators see pools, services, zones and capabilities, and close a host to new volumes")
    func operators() async throws {
        try await VolumeClient.run { _, admin, demo in
            _ = try await demo.volume()
            let pools = await admin.good(.get, "/scheduler-stats/get_pools?detail=true")["pools"]?.array
            #expect(pools?.first?["name"] == "host-1@volumes#volumes")
            #expect(pools?.first?["capabilities"]?["allocated_capacity_gb"] == 1)
            await demo.refused(.forbidden, .get, "/scheduler-stats/get_pools")
            let services = await admin.good(.get, "/os-services?binary=cinder-volume")["services"]?.array
            #expect(services?.map { $0["host"] } == ["host-1@volumes"])
            await admin.good(.get, "/capabilities/host-1@volumes")
            #expect(
                await demo.good(.get, "/os-availability-zone")["availabilityZoneInfo"]?.array?.first?["zoneName"]
                    == "nova")
            await admin.good(.put, "/os-services/disable", ["binary": "cinder-volume", "host": "host-1@volumes"])
            let id = try await demo.volume()
            #expect(await demo.status(id) == "error")
            await admin.good(.put, "/os-services/enable", ["binary": "cinder-volume", "host": "host-1@volumes"])
            await admin.good(.put, "/os-services/freeze", ["host": "host-1@volumes"])
            await admin.refused(.badRequest, .put, "/os-services/freeze", ["host": "host-1@volumes"])
            await admin.good(.put, "/os-services/thaw", ["host": "host-1@volumes"])
            #expect(
                await demo.good(.get, "/resource_filters?resource=group")["resource_filters"] == [
                    ["resource": "group", "filters": ["name"]]
                ])
        }
    }

    @Test("The older view of hosts has the enabled services, and what projects have in their pools")
    func hosts() async throws {
        try await VolumeClient.run(hosts: 2) { cloud in
            let (admin, demo) = (try await VolumeClient(cloud), try await VolumeClient.member(cloud))
            let volume = try await demo.volume(["size": 2])
            _ = try await demo.snapshot(of: volume)
            let place = await admin.show(volume)["os-vol-host-attr:host"]?.string ?? ""
            let host = try #require(place.split(separator: "#").first.map(String.init))
            #expect(await admin.good(.get, "/os-hosts")["hosts"]?.array?.count == 4)
            let entries = await admin.good(.get, "/os-hosts/\(host)")["host"]?.array ?? []
            let usage = entries.map { $0["resource"] ?? .null }
            #expect(usage.count == 2 && usage[0]["project"] == "(total)" && usage[0]["total_volume_gb"] == "2")
            #expect(usage[1]["snapshot_count"] == "1" && usage[1]["total_snapshot_gb"] == "2")
            await admin.refused(.notFound, .get, "/os-hosts/novella")
            await admin.refused(.badRequest, .put, "/os-hosts/\(host)", ["color": "red"])
            #expect(await admin.good(.put, "/os-hosts/\(host)", ["Status": "Disable"])["status"] == "disabled")
            #expect(await admin.good(.get, "/os-hosts")["hosts"]?.array?.count == 3)
            await demo.refused(.forbidden, .get, "/os-hosts")
        }
    }
}

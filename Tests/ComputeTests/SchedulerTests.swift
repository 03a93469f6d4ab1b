import CloudCore
@testable import Compute
import TestSupport
import Testing

@Suite("The scheduler")
struct SchedulerTests {
    private func host(_ name: String, _ change: (inout HostState) -> Void = { _ in }) -> HostState {
        var host = HostState(name: name, id: "id-\(name)", zone: "nova", vcpus: 8, memoryMiB: 8192, diskGiB: 100)
        change(&host)
        return host
    }

    private func group(_ policy: ServerGroup.Policy, most: Int? = nil) -> ServerGroup {
        ServerGroup(id: ID("g"), projectID: "p", userID: "u", name: "g", policy: policy, mostPerHost: most, createdAt: Timestamp(seconds: 0))
    }

    @Test("A suitable host is not refused")
    func fits() { #expect(HostFilters.refusal(host("a"), PlacementWish(serverID: "s")) == nil) }

    @Test("Each filter gives its reason with the numbers")
    func reasons() {
        func reason(_ host: HostState, _ change: (inout PlacementWish) -> Void = { _ in }) -> String? {
            var wish = PlacementWish(serverID: "s")
            change(&wish)
            return HostFilters.refusal(host, wish)
        }
        #expect(reason(host("a")) { $0.host = "b" } == "requested host: 'b' was asked for")
        #expect(reason(host("a") { $0.isDisabled = true; $0.disabledReason = "repair" }) == "host state: disabled (repair)")
        #expect(reason(host("a") { $0.isUp = false }) == "host state: its agent has not reported")
        #expect(reason(host("a")) { $0.zone = "east" } == "availability zone: it is in 'nova', not in 'east'")
        #expect(
            reason(host("a") { $0.aggregateMetadata = ["ssd": ["false"]] }) { $0.extraSpecs = ["aggregate_instance_extra_specs:ssd": "true"] }
                == "aggregate extra specs: 'ssd' must be 'true', its aggregates have false")
        #expect(reason(host("a")) { $0.imageProperties = ["hw_architecture": "aarch64"] } == "image properties: the image is for aarch64, the host is x86_64")
        #expect(reason(host("a")) { $0.extraSpecs = ["capabilities:vcpus": ">= 16"] } == "capabilities: 'vcpus' must be '>= 16', it is '8'")
        #expect(reason(host("a")) { $0.extraSpecs = ["capabilities:vcpus": "<= 16"] } == nil)
        #expect(reason(host("a")) { $0.sameHost = ["x"] } == "same host: it has none of the 1 servers asked for")
        #expect(reason(host("a") { $0.serverIDs = ["x", "y"] }) { $0.differentHost = ["x"] } == "different host: it has 1 of the servers to keep away from")
        #expect(reason(host("a")) { $0.group = group(.affinity); $0.groupHasHosts = true } == "affinity: the group's servers are on another host")
        #expect(reason(host("a")) { $0.group = group(.affinity) } == nil)
        #expect(
            reason(host("a") { $0.groupMembers = 2 }) { $0.group = group(.antiAffinity, most: 2) }
                == "anti-affinity: it has 2 of the group's servers, 2 at most")
    }

    @Test("The host with the most free resources comes first, and equal hosts keep their order")
    func weights() {
        let busy = host("a") { $0.usage = .init(servers: 1, vcpus: 4, memoryMiB: 4096, diskGiB: 50) }
        let wish = PlacementWish(serverID: "s")
        #expect(Scheduler.choose([busy, host("b"), host("c")], wish).hosts.map(\.name) == ["b", "c", "a"])
        var soft = wish
        soft.group = group(.softAffinity)
        let mates = host("a") { $0.groupMembers = 1 }
        #expect(Scheduler.choose([host("b"), mates], soft).hosts.map(\.name) == ["a", "b"])
        soft.group = group(.softAntiAffinity)
        #expect(Scheduler.choose([mates, host("b")], soft).hosts.map(\.name) == ["b", "a"])
        let broken = host("a") { $0.failedBuilds = 1 }
        #expect(Scheduler.choose([broken, busy], wish).hosts.map(\.name) == ["a", "a"])
    }

    @Test("A placement without a valid host lists the reason of every host")
    func noHost() {
        let error = Scheduler.noHost([("a", "x"), ("b", "y")], candidates: 2)
        #expect(error.message == "No valid host was found. There are not enough hosts available.")
        #expect(error.detail == "a: x; b: y")
    }
}

import CloudCore
import Drivers
import HostModel
import Testing
@testable import DriverLinuxNetwork

@Suite("Plans of a host's networks")
struct PlanTests {
    private func compile(_ state: HostNetworkState, _ numbers: Numbers? = nil) throws -> HostPlan {
        let ids = HostNetworkIDs(networks: state.networks.map(\.id), routers: state.routers.map(\.id), ports: state.ports.map(\.id))
        return PlanCompiler(names: try Names(tag: "nv"), folder: "/run/x", rules: RuleWriter()).compile(state, numbers ?? Numbers().following(ids))
    }

    private var state: HostNetworkState {
        Scene.routed(
            1, ports: (5...9).map { Scene.port($0, prefix: "t") }, bridge: "br-ex",
            floating: [FloatingIP(id: "f", external: address("203.0.113.50"), fixed: address("10.1.0.5"))])
    }

    @Test("The plan does not depend on the order of a state's lists")
    func order() throws {
        var other = state
        other.networks.reverse()
        other.ports.reverse()
        other.groups.reverse()
        other.routers[0].interfaces.reverse()
        #expect(try compile(state) == compile(other))
    }

    @Test("Device names fit into the kernel's 15 characters and belong to one driver")
    func names() throws {
        let names = try Names(tag: "abc")
        for name in [names.bridge("x"), names.outer("x"), names.inner("x"), names.tunnel("x")] { #expect(name.utf8.count == 14) }
        let other = try Names(tag: "abd")
        #expect(names.isOwn(link: names.bridge(Scene.red)) && !names.isOwn(link: other.bridge(Scene.red)))
        #expect(!names.isOwn(link: PortSpec.tap(of: Scene.red)))
        for tag in ["", "abcd", "A", "a b", "../"] { #expect(throws: CloudError.self) { try Names(tag: tag) } }
    }

    @Test("A port keeps its number while it exists, and a freed number is not reused in the same step")
    func numbers() {
        let first = Numbers().following(HostNetworkIDs(networks: ["n"], ports: ["a", "b", "c"]))
        #expect(first.ports == ["a": 1, "b": 2, "c": 3] && first.zones == ["n": 1])
        let second = first.following(HostNetworkIDs(networks: ["m"], ports: ["b", "d"]))
        #expect(second.ports == ["b": 2, "d": 4] && second.zones == ["m": 2])
        #expect(second.following(HostNetworkIDs(ports: ["b", "d", "e"])).ports == ["b": 2, "d": 4, "e": 1])
    }

    @Test("Each part that cannot be made is one problem and does not affect the others")
    func problems() throws {
        var broken = state
        broken.ports.append(PortSpec(id: "stray", network: "nowhere", mac: Scene.mac(1)))
        broken.ports.append(PortSpec(id: "quoted", network: Scene.red, mac: Scene.mac(1), tap: "\"; drop"))
        broken.ports.append(PortSpec(id: "twice", network: Scene.red, mac: Scene.mac(1), tap: "ttap5"))
        broken.networks.append(NetworkSpec(id: "tiny", mtu: 1))
        broken.networks.append(NetworkSpec(id: "quoted", segment: .provider(bridge: "a b")))
        let plan = try compile(broken)
        #expect(plan.problems.map(\.id).sorted() == ["quoted", "quoted", "stray", "tiny", "twice"])
        #expect(plan.taps.count == 5 && !plan.filter.contains("; drop"))
    }

    @Test("Overlapping or adjacent networks are merged into one range")
    func ranges() {
        #expect(Ruleset.merged(["10.0.0.0/25", "10.0.0.128/25", "10.0.0.5", "10.0.2.0/24", "10.0.4.1"].map(prefix)) == ["10.0.0.0-10.0.0.255", "10.0.2.0-10.0.2.255", "10.0.4.1"])
        #expect(Ruleset.merged([prefix("2001:db8::/127")]) == ["2001:db8::-2001:db8::1"])
    }

    @Test("A meaningless security rule has a fault, and a valid one has none")
    func faults() {
        #expect(SecurityRule(id: "a", .ingress, proto: IPProtocol.tcp, ports: PortRange(22)).fault == nil)
        #expect(SecurityRule(id: "b", .ingress, proto: 112, ports: PortRange(22)).fault != nil)
        #expect(SecurityRule(id: "c", .ingress, ports: PortRange(22)).fault != nil)
        #expect(SecurityRule(id: "d", .ingress, proto: IPProtocol.tcp, ports: PortRange(23, 22)).fault != nil)
        #expect(SecurityRule(id: "e", .ingress, .v6, proto: IPProtocol.icmp, icmpType: 8).fault != nil)
        #expect(SecurityRule(id: "f", .ingress, .v6, remote: .prefix(prefix("10.0.0.0/8"))).fault != nil)
    }

    @Test("A connection is parsed as the kernel lists it")
    func trackedFlows() throws {
        let line = "ipv4     2 udp      17 29 src=10.1.0.5 dst=203.0.113.1 sport=37502 dport=53 [UNREPLIED] src=203.0.113.1 dst=203.0.113.10 sport=53 dport=37502 mark=0 zone=7 use=1"
        let flow = try #require(TrackedFlow(line: line[...]))
        #expect(flow.key == FlowKey(address("10.1.0.5"), address("203.0.113.1"), proto: 17, from: 37502, to: 53))
        #expect(flow.answerSource == address("203.0.113.1") && flow.answerDestination == address("203.0.113.10") && flow.zone == 7)
        #expect(flow.deletion == "-D -f ipv4 -s 10.1.0.5 -d 203.0.113.1 -p 17 -w 7 --sport 37502 --dport 53")
        #expect(TrackedFlow(line: "conntrack v1.4.7 (conntrack-tools): 1 flow entries have been shown.") == nil)
    }
}

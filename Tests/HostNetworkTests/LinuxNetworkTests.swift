import CloudCore
import Drivers
import Foundation
import HostModel
import Programs
import TestSupport
import Testing
@testable import DriverLinuxNetwork

@Suite("Networks of a Linux host, with real packets", .enabled(if: Lab.isPossible, "root, nftables, iproute2, dnsmasq and conntrack"))
struct LinuxNetworkTests {
    /// Returns the content of the host's namespace, without counters and device numbers.
    private func fingerprint(_ lab: Lab) throws -> String {
        let links = try ObservedLinks(in: Namespace(lab.host)).links.values.map { "\($0.ifname) \($0.master ?? "-") \($0.mtu)" }.sorted()
        // The table of connections lists the ports that have some. Only its first line says the same each time.
        let counts = /(table inet \w+_flows {\n).*?\n(}\n)/.dotMatchesNewlines()
        let rules = try ChildProcess.require("nft", ["list", "ruleset"], in: Namespace(lab.host))
        let filter = String(decoding: rules, as: UTF8.self).replacing(counts) { $0.output.1 + $0.output.2 }
        let spaces = Namespace.all.filter { $0.hasPrefix(lab.tag + "-") && !$0.contains("-guest-") }
        return "\(links)\n\(PacketFilter.ordered(filter))\n\(spaces)"
    }

    private func udp(_ from: PortSpec, _ to: PortSpec, _ ports: (UInt16, UInt16), isVersion6: Bool = false) -> FlowKey {
        let at = isVersion6 ? 1 : 0
        return FlowKey(from.fixedIPs[at].address, to.fixedIPs[at].address, proto: IPProtocol.udp, from: ports.0, to: ports.1)
    }

    /// Sends the probes one after another, and checks that exactly those with `passes` arrive. The frame `sure` always
    /// passes and is sent last: when it arrives, the earlier ones have been judged.
    private func judge(_ sender: Guest, _ receiver: Guest, _ probes: [(name: String, frame: Frame, passes: Bool)], sure: Frame) async throws {
        for probe in probes { sender.send(probe.frame) }
        sender.send(sure)
        try await eventually("the last frame") { receiver.frames.contains(sure) }
        for probe in probes { #expect(receiver.frames.contains(probe.frame) == probe.passes, "\(probe.name)") }
    }

    @Test("A guest can send only with its own addresses, over ARP, IPv4, IPv6 and DHCP")
    func ossa_2016_009_spoofing() async throws {
        try await Lab.with { lab in
            var a = Scene.port(5, prefix: lab.tag)
            let b = Scene.port(6, prefix: lab.tag)
            a.allowedPairs = [AddressPair(prefix("10.1.0.128/30")), AddressPair(prefix("10.9.9.9"), mac: Scene.mac(0x77)), AddressPair(prefix("2001:db8:1:0:8000::/66"))]
            let (from, to) = (try lab.plug(a), try lab.plug(b))
            let report = try await lab.driver().apply(Scene.state(1, ports: [a, b]))
            #expect(report.problems == [] && report.changes != [])
            try await lab.settle()
            let other = Scene.mac(0x66)
            func ip(_ source: String, mac: MACAddress? = nil, proto: UInt8 = IPProtocol.udp, _ ports: (UInt16, UInt16) = (1000, 2000), number: UInt32) -> Frame {
                let source = address(source)
                let target = b.fixedIPs[source.version == .v4 ? 0 : 1].address
                return Frame.ip(FlowKey(source, target, proto: proto, from: ports.0, to: ports.1), from: mac ?? a.mac, to: b.mac, number: number)
            }
            let own6 = a.mac.address(in: prefix("fe80::/64"))
            let target6 = b.fixedIPs[1].address
            try await judge(
                from, to,
                [
                    ("its own address", ip("10.1.0.5", number: 1), true),
                    ("another's address", ip("10.1.0.7", number: 2), false),
                    ("its own address from another MAC", ip("10.1.0.5", mac: other, number: 3), false),
                    ("an allowed range", ip("10.1.0.130", number: 4), true),
                    ("beside the allowed range", ip("10.1.0.132", number: 5), false),
                    ("an allowed pair", ip("10.9.9.9", mac: Scene.mac(0x77), number: 6), true),
                    ("a pair's address from its own MAC", ip("10.9.9.9", number: 7), false),
                    ("its own IPv6 address", ip("2001:db8:1::5", number: 8), true),
                    ("another's IPv6 address", ip("2001:db8:1::7", number: 9), false),
                    ("an allowed IPv6 range", ip("2001:db8:1:0:8000::1", number: 10), true),
                    ("a DHCP server's answer", ip("10.1.0.5", (67, 68), number: 11), false),
                    ("a DHCPv6 server's answer", ip("2001:db8:1::5", (547, 546), number: 12), false),
                    ("its link-local address", Frame.ip(FlowKey(own6, target6, proto: IPProtocol.udp, from: 1, to: 2), from: a.mac, to: b.mac, number: 13), true),
                    ("ARP for itself", .arp(from: a.mac, claims: a.mac, address("10.1.0.5")), true),
                    ("ARP for another", .arp(from: a.mac, claims: a.mac, address("10.1.0.7")), false),
                    ("ARP for itself in another's name", .arp(from: a.mac, claims: other, address("10.1.0.5")), false),
                    ("ARP that asks as another", .arp(from: a.mac, claims: a.mac, address("10.1.0.7"), asks: address("10.1.0.6")), false),
                    ("ARP that probes", .arp(from: a.mac, claims: a.mac, address("0.0.0.0"), asks: address("10.1.0.5")), true),
                    ("ARP for an allowed address", .arp(from: a.mac, claims: a.mac, address("10.1.0.129")), true),
                    ("a neighbour's advertisement of itself", .neighbourAdvertisement(from: own6, target: address("2001:db8:1::5"), mac: a.mac, to: b.mac, target6), true),
                    ("of another", .neighbourAdvertisement(from: own6, target: address("2001:db8:1::7"), mac: a.mac, to: b.mac, target6), false),
                    ("of an allowed range", .neighbourAdvertisement(from: own6, target: address("2001:db8:1:0:8000::9"), mac: a.mac, to: b.mac, target6), true),
                    ("a router's advertisement", .routerAdvertisement(from: own6, mac: a.mac, to: b.mac, target6), false),
                ], sure: ip("10.1.0.5", number: 999))
            // Without port security all frames pass.
            a.isSecured = false
            try await lab.driver().apply(Scene.state(2, ports: [a, b]))
            try await judge(
                from, to, [("another's address", ip("10.1.0.7", number: 20), true), ("DHCP", ip("10.1.0.5", (67, 68), number: 21), true)],
                sure: ip("10.1.0.5", number: 1000))
        }
    }

    @Test("Removing a rule cuts its flows, answers pass, and applying the same state again changes nothing")
    func ossa_2015_021_revocation() async throws {
        try await Lab.with { lab in
            let a = Scene.port(5, groups: [Scene.closed], prefix: lab.tag)
            let b = Scene.port(6, groups: [Scene.closed, "web"], prefix: lab.tag)
            let web = SecurityGroupSpec(
                id: "web",
                rules: [SecurityRule(id: "w", .ingress, proto: IPProtocol.udp, ports: PortRange(53), remote: .group(Scene.closed))])
            var closed = Scene.outOnly
            closed.members = [prefix("10.1.0.5"), prefix("10.1.0.6"), prefix("10.1.0.7")]
            let (from, to) = (try lab.plug(a), try lab.plug(b))
            let before = Scene.state(1, ports: [a, b], groups: [closed, web])
            #expect(try await lab.driver().apply(before).problems == [])
            try await lab.settle()
            let asked = Frame.ip(udp(a, b, (4000, 53)), from: a.mac, to: b.mac, number: 1)
            let answer = Frame.ip(udp(b, a, (53, 4000)), from: b.mac, to: a.mac, number: 2)
            let refused = Frame.ip(udp(a, b, (4000, 54)), from: a.mac, to: b.mac, number: 3)
            from.send(refused)
            from.send(asked)
            try await eventually("the question") { to.frames.contains(asked) }
            #expect(!to.frames.contains(refused))
            to.send(answer)
            try await eventually("the answer") { from.frames.contains(answer) }

            let untouched = try fingerprint(lab)
            let again = try await lab.driver().apply(before)
            #expect(again.changes == [])
            #expect(again.problems == [])
            #expect(try fingerprint(lab) == untouched)

            var after = Scene.state(2, ports: [a, b], groups: [closed, SecurityGroupSpec(id: "web")])
            #expect(try await lab.driver().apply(after).cutFlows == 1)
            let late = Frame.ip(udp(b, a, (53, 4000)), from: b.mac, to: a.mac, number: 4)
            let more = Frame.ip(udp(a, b, (4000, 53)), from: a.mac, to: b.mac, number: 5)
            let arp = Frame.arp(from: b.mac, claims: b.mac, address("10.1.0.6"))
            let otherARP = Frame.arp(from: a.mac, claims: a.mac, address("10.1.0.5"))
            to.send(late)
            to.send(arp)
            from.send(more)
            from.send(otherARP)
            try await eventually { from.frames.contains(arp) && to.frames.contains(otherARP) }
            #expect(!from.frames.contains(late) && !to.frames.contains(more))

            await #expect { try await lab.driver().apply(before) } throws: { ($0 as? CloudError)?.code == HostNetworkState.staleCode }
            after.generation = 3
            #expect(try await lab.driver().apply(after).changes == [])
        }
    }

    @Test("A state that is applied again repairs whatever was broken, and removeAll removes everything")
    func drift() async throws {
        try await Lab.with { lab in
            let before = try fingerprint(lab)
            let ports = [Scene.port(5, prefix: lab.tag), Scene.port(6, prefix: lab.tag)]
            let state = Scene.state(1, ports: ports)
            let driver = try lab.driver()
            #expect(try await driver.apply(state).problems == [])
            let wanted = try fingerprint(lab)
            let names = try Names(tag: lab.tag)
            let host = try Namespace(lab.host)
            let breakages: [(String, () throws -> Void)] = [
                ("a tap is gone", { try lab.ip(["link delete dev \(ports[0].tap)"], in: lab.host) }),
                ("a tap is elsewhere", { try lab.ip(["link set dev \(ports[0].tap) nomaster"], in: lab.host) }),
                ("the bridge is gone", { try lab.ip(["link delete dev \(names.bridge(Scene.red))"], in: lab.host) }),
                ("a stranger is in the bridge", { try lab.ip(["tuntap add dev \(lab.tag)strange mode tap", "link set dev \(lab.tag)strange master \(names.bridge(Scene.red))"], in: lab.host) }),
                ("a rule is gone", { _ = try ChildProcess.require("nft", ["flush", "chain", "bridge", names.table, "from_guest"], in: host) }),
                ("the filter is gone", { _ = try ChildProcess.require("nft", ["flush", "ruleset"], in: host) }),
                ("an address is gone", { try lab.ip(["address flush dev \(names.inner("service/" + Scene.red))"], in: names.serviceNamespace(Scene.red)) }),
                ("the namespace is gone", { try lab.ip(["netns delete \(names.serviceNamespace(Scene.red))"]) }),
                ("dnsmasq is gone", {
                    var servers = DHCPServers(folder: lab.folder + "/net")
                    servers.remove(names.serviceNamespace(Scene.red))
                }),
                ("the memory is gone", { unlink(HostMemory.path(lab.folder + "/net")) }),
            ]
            for (name, breakage) in breakages {
                try breakage()
                let report = try await lab.driver().apply(state)
                #expect(report.changes != [] && report.problems == [], "\(name)")
                let made = try fingerprint(lab)
                #expect(Set(made.split(separator: "\n")).symmetricDifference(wanted.split(separator: "\n")) == [], "\(name)")
                let again = try await lab.driver().apply(state).changes
                #expect(again == [], "\(name)")
            }
            let observed = try await driver.observe()
            #expect(observed == ObservedNetwork(generation: 1, networks: [Scene.red], ports: Set(ports.map(\.id)), servingDHCP: [Scene.red]))
            try await driver.removeAll()
            #expect(try fingerprint(lab) == before)
            #expect(!FileManager.default.fileExists(atPath: lab.folder + "/net"))
        }
    }
}

@Suite("Changes under traffic", .enabled(if: Lab.isPossible, "root, nftables, iproute2, dnsmasq and conntrack"))
struct TrafficTests {
    @Test("No packet of others is lost while ports, groups and rules change or a new process takes over")
    func noLoss() async throws {
        try await Lab.with { lab in
            let (a, b) = (Scene.port(5, prefix: lab.tag), Scene.port(6, prefix: lab.tag))
            let (from, to) = (try lab.plug(a), try lab.plug(b))
            try await lab.driver().apply(Scene.state(1, ports: [a, b]))
            try await lab.settle()
            let hasEnded = Box(false)
            let flow = FlowKey(address("10.1.0.5"), address("10.1.0.6"), proto: IPProtocol.udp, from: 4000, to: 4001)
            async let changes: Void = {
                defer { hasEnded.update { $0 = true } }
                for generation in 2...6 {
                    let more = (7..<(7 + generation % 3)).map { Scene.port($0, groups: [Scene.open, "extra"], prefix: lab.tag) }
                    let extra = SecurityGroupSpec(id: "extra", rules: [SecurityRule(id: "x\(generation)", .ingress, proto: IPProtocol.tcp, ports: PortRange(UInt16(generation)))])
                    let report = try await lab.driver().apply(Scene.state(Int64(generation), ports: [a, b] + more, groups: [Scene.anything, Scene.outOnly, extra]))
                    #expect(report.problems == [])
                }
            }()
            var number: UInt32 = 0
            while !hasEnded.value {
                number += 1
                from.send(Frame.ip(flow, from: a.mac, to: b.mac, number: number))
                _ = to.frames
                try await Task.sleep(for: .milliseconds(1))
            }
            try await changes
            let last = number
            try await eventually("the last packet") { to.frames.contains { $0.probe?.number == last } }
            #expect(Set(to.frames.compactMap { $0.probe?.number }) == Set(1...last))
        }
    }

    @Test("A new rule is in force at once and survives a new card, and a port without a known group gets nothing")
    func ossa_2013_030_liveRules() async throws {
        try await Lab.with { lab in
            let a = Scene.port(5, prefix: lab.tag)
            let b = Scene.port(6, groups: ["web"], prefix: lab.tag)
            let c = Scene.port(7, groups: ["unknown"], prefix: lab.tag)
            let from = try lab.plug(a)
            var to = try lab.plug(b)
            let other = try lab.plug(c)
            let driver = try lab.driver()
            func state(_ generation: Int64, _ rules: [SecurityRule]) -> HostNetworkState {
                Scene.state(generation, ports: [a, b, c], groups: [Scene.anything, SecurityGroupSpec(id: "web", rules: rules)])
            }
            func frame(_ target: PortSpec, _ port: UInt16, _ number: UInt32) -> Frame {
                Frame.ip(FlowKey(a.fixedIPs[0].address, target.fixedIPs[0].address, proto: IPProtocol.udp, from: 9000, to: port), from: a.mac, to: target.mac, number: number)
            }
            // A frame that always passes: when it arrives, the frames before it have been judged.
            func pass(_ guest: Guest) async throws {
                let sure = Frame.arp(from: a.mac, claims: a.mac, a.fixedIPs[0].address)
                guest.forget()
                from.send(sure)
                try await eventually("a sure frame") { guest.frames.contains(sure) }
            }
            try await driver.apply(state(1, []))
            try await lab.settle()
            from.send(frame(b, 80, 1))
            from.send(frame(c, 80, 2))
            try await pass(other)
            #expect(!to.frames.contains { $0.probe != nil } && !other.frames.contains { $0.probe != nil })
            try await driver.apply(state(2, [SecurityRule(id: "w", .ingress, proto: IPProtocol.udp, ports: PortRange(80))]))
            from.send(frame(b, 80, 3))
            try await eventually("the packet") { to.frames.contains { $0.probe?.number == 3 } }
            // An idle machine takes less than a second for this; `machines` of the client checks measures it. The tap
            // is made anew, as a migration or a hard reboot does it.
            let space = try #require(to.space.name)
            try lab.ip(["link delete dev \(b.tap)", "link add name \(b.tap) type veth peer name eth0 address \(b.mac) netns \(space)"], in: lab.host)
            try lab.ip(["link set dev eth0 addrgenmode none", "link set dev eth0 up"], in: space)
            to = try Guest(to.space, mac: b.mac)
            try await driver.apply(state(3, [SecurityRule(id: "w", .ingress, proto: IPProtocol.udp, ports: PortRange(80))]))
            try await lab.settle()
            from.send(frame(b, 81, 4))
            from.send(frame(b, 80, 5))
            try await eventually("the packet") { to.frames.contains { $0.probe?.number == 5 } }
            #expect(!to.frames.contains { $0.probe?.number == 4 })
        }
    }
}

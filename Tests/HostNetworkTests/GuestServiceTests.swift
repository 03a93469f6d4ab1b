import CHostNetwork
import CloudCore
import Drivers
import Foundation
import HostModel
import Programs
import TestSupport
import Testing
@testable import DriverLinuxNetwork

@Suite("Services of the host's networks for guests", .enabled(if: Lab.isPossible, "root, nftables, iproute2, dnsmasq and conntrack"))
struct GuestServiceTests {
    /// Sends a DHCPDISCOVER and returns the options of its offer.
    private func discover(_ guest: Guest) async throws -> [UInt8: [UInt8]] {
        var body: [UInt8] = [1, 1, 6, 0, 1, 2, 3, 4, 0, 0, 0x80, 0] + [UInt8](repeating: 0, count: 16) + guest.mac.bytes
        body += [UInt8](repeating: 0, count: 236 - body.count) + [99, 130, 83, 99, 53, 1, 1, 55, 11, 1, 3, 6, 12, 15, 26, 51, 67, 66, 121, 150, 255]
        let question = Frame.dhcp(body, from: guest.mac)
        guest.forget()
        var offer: [UInt8] = []
        // A client repeats its question until it is answered. Offers to other guests are broadcast too.
        try await eventually("an offer of DHCP") {
            guest.send(question)
            offer = guest.frames.compactMap(\.dhcpOffer).last(where: { Array($0[28..<34]) == guest.mac.bytes }) ?? []
            return !offer.isEmpty
        }
        var options: [UInt8: [UInt8]] = [0: Array(offer[16..<20])]
        var at = 240
        while at < offer.count, offer[at] != 255 {
            if offer[at] == 0 {
                at += 1
                continue
            }
            let length = Int(offer[at + 1])
            options[offer[at]] = Array(offer[(at + 2)..<(at + 2 + length)])
            at += 2 + length
        }
        return options
    }

    @Test("Guests get their addresses by DHCP, and user text in options or host names cannot inject configuration")
    func ossa_2021_005_hostileOptions() async throws {
        try await Lab.with { lab in
            var good = Scene.port(5, prefix: lab.tag)
            good.hostname = "web-1.example.org"
            good.dhcpOptions = [DHCPOption("bootfile-name", "pxelinux.0"), DHCPOption("150", "10.1.0.9")]
            var bad = Scene.port(6, prefix: lab.tag)
            bad.hostname = "x\n52:54:00:00:00:05,10.1.0.99"
            let hostile = [
                "a\ntag:p1,option:router,6.6.6.6", "a\r\noption:router,6.6.6.6", "\"", "a\"\noption:router,6.6.6.6", "\\", "x #", "", "\u{0}", "a\u{2028}b",
                String(repeating: "x", count: 300),
            ]
            bad.dhcpOptions = hostile.map { DHCPOption("bootfile-name", $0) }
                + ["router\noption:router", "6,6.6.6.6,option:router", "0", "255", "", "tag:p1", "-1", "007"].map { DHCPOption($0, "6.6.6.6") }
            let (first, second) = (try lab.plug(good), try lab.plug(bad))
            let report = try await lab.driver().apply(Scene.state(1, ports: [good, bad]))
            #expect(report.problems == [])
            try await lab.settle()
            let options = try await discover(first)
            #expect(options[0] == [10, 1, 0, 5] && options[3] == [10, 1, 0, 1] && options[6] == [10, 1, 0, 53])
            #expect(options[12] == Array("web-1".utf8) && options[26] == [5, 170])
            #expect(options[121] == [32, 169, 254, 169, 254, 10, 1, 0, 2, 0, 10, 1, 0, 1])
            #expect(options[67]?.filter { $0 != 0 } == Array("pxelinux.0".utf8) && options[150] == [10, 1, 0, 9])
            let others = try await discover(second)
            #expect(others[0] == [10, 1, 0, 6] && others[3] == [10, 1, 0, 1] && others[12] == Array("host-10-1-0-6".utf8))
            #expect(others[67] == nil)
        }
    }

    @Test("An address goes to its next port at once, and a new port does not disturb the others")
    func nextPort() async throws {
        try await Lab.with { lab in
            let first = Scene.port(5, prefix: lab.tag)
            let driver = try lab.driver()
            let guest = try lab.plug(first)
            try await driver.apply(Scene.state(1, ports: [first]))
            try await lab.settle()
            #expect(try await discover(guest)[0] == [10, 1, 0, 5])
            var next = Scene.port(7, prefix: lab.tag)
            next.fixedIPs = first.fixedIPs
            let successor = try lab.plug(next)
            try await driver.apply(Scene.state(2, ports: [next]))
            try await lab.settle()
            #expect(try await discover(successor)[0] == [10, 1, 0, 5])
            // dnsmasq 2.90 dies of a signal after it has served a host with a tag.
            var tagged = Scene.port(9, prefix: lab.tag)
            tagged.dhcpOptions = [DHCPOption("150", "10.1.0.9")]
            let asker = try lab.plug(tagged)
            try await driver.apply(Scene.state(3, ports: [next, tagged]))
            try await lab.settle()
            #expect(try await discover(asker)[150] == [10, 1, 0, 9])
            try await driver.apply(Scene.state(4, ports: [next]))
            #expect(try await discover(successor)[0] == [10, 1, 0, 5])
            let server = { DHCPServers(folder: lab.folder + "/net").processes }
            let before = server()
            let added = Scene.port(8, prefix: lab.tag)
            let newcomer = try lab.plug(added)
            try await driver.apply(Scene.state(5, ports: [next, added]))
            try await lab.settle()
            #expect(try await discover(newcomer)[0] == [10, 1, 0, 8])
            #expect(server() == before)
        }
    }

    @Test("A rule that the kernel refuses harms only itself")
    func ossa_2019_001_badRule() async throws {
        try await Lab.with { lab in
            let groups = [
                Scene.anything,
                SecurityGroupSpec(
                    id: "mixed",
                    rules: [
                        SecurityRule(id: "good", .ingress, proto: IPProtocol.udp, ports: PortRange(53)), SecurityRule(id: "refused", .ingress),
                        SecurityRule(id: "vrrp", .ingress, proto: 112, ports: PortRange(80)), SecurityRule(id: "other", .ingress, .v6, remote: .prefix(prefix("10.0.0.0/8"))),
                        SecurityRule(id: "nobody", .ingress, remote: .group("gone")),
                    ]),
                SecurityGroupSpec(
                    id: "overlap",
                    rules: [SecurityRule(id: "overlapping", .ingress, proto: IPProtocol.udp, ports: PortRange(54), remote: .addressGroup("overlapping"))]),
            ]
            let a = Scene.port(5, prefix: lab.tag)
            let b = Scene.port(6, groups: ["mixed", "overlap", "unknown"], prefix: lab.tag)
            let (from, to) = (try lab.plug(a), try lab.plug(b))
            var state = Scene.state(1, ports: [a, b], groups: groups)
            state.addressGroups = [AddressGroupSpec(id: "overlapping", prefixes: ["10.1.0.0/24", "10.1.0.0/25", "10.1.0.5", "10.1.1.0/24"].map(prefix))]
            let report = try await lab.driver(["refused": "th dport \"no such thing\" accept"]).apply(state)
            #expect(Set(report.problems.map(\.id)) == ["mixed", b.id])
            #expect(report.problems.count == 4)
            try await lab.settle()
            func frame(_ port: UInt16) -> Frame {
                Frame.ip(FlowKey(address("10.1.0.5"), address("10.1.0.6"), proto: IPProtocol.udp, from: 9000, to: port), from: a.mac, to: b.mac, number: UInt32(port))
            }
            for port in [80, 54, 53] { from.send(frame(UInt16(port))) }
            try await eventually { to.frames.contains(frame(53)) && to.frames.contains(frame(54)) }
            #expect(!to.frames.contains(frame(80)))
        }
    }

    @Test("The metadata service listens inside the network, and the host knows which port asks")
    func metadata() async throws {
        try await Lab.with { lab in
            let port = Scene.port(5, prefix: lab.tag)
            let guest = try lab.plug(port)
            let driver = try lab.driver()
            let door = MetadataDoor.service(network: Scene.red)
            await #expect(throws: CloudError.self) { try await driver.listenForMetadata(at: door) }
            try await driver.apply(Scene.state(1, ports: [port]))
            try await lab.settle()
            let listener = try await driver.listenForMetadata(at: door)
            defer { close(listener) }
            // A process that takes over listens a second time.
            close(try await driver.listenForMetadata(at: door))
            try lab.ip(["route add 169.254.169.254 via 10.1.0.2"], in: guest.space.name)
            let client = try guest.space.run { socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
            defer { close(client) }
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = UInt16(80).bigEndian
            name.sin_addr.s_addr = UInt32(0xa9fe_a9fe).bigEndian
            _ = fcntl(client, F_SETFL, O_NONBLOCK)
            _ = withUnsafePointer(to: &name) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(client, $0, 16) } }
            var peer = sockaddr_in()
            var length = socklen_t(16)
            try await eventually("a guest that asks") {
                let taken = withUnsafeMutablePointer(to: &peer) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { accept(listener, $0, &length) } }
                if taken >= 0 { close(taken) }
                return taken >= 0
            }
            #expect(UInt32(bigEndian: peer.sin_addr.s_addr) == 0x0a01_0005)
        }
    }

    @Test("A floating IP that is removed stops working at once, also for established flows")
    func floatingIP() async throws {
        try await Lab.with { lab in
            let bridge = lab.tag + "ex"
            try lab.ip(["link add name \(bridge) type bridge forward_delay 0", "link set dev \(bridge) up"], in: lab.host)
            let port = Scene.port(5, prefix: lab.tag)
            let guest = try lab.plug(port)
            let outsider = try lab.plug("outsider", device: lab.tag + "out", mac: Scene.mac(0x300), addresses: [InterfaceAddress(address("203.0.113.1"), 24)])
            try lab.ip(["link set dev \(lab.tag)out master \(bridge) up"], in: lab.host)
            let floating = FloatingIP(id: "f", external: address("203.0.113.50"), fixed: address("10.1.0.5"))
            let driver = try lab.driver()
            #expect(try await driver.apply(Scene.routed(1, ports: [port], bridge: bridge, floating: [floating])).problems == [])
            try await lab.settle()
            outsider.send(.arp(from: outsider.mac, claims: outsider.mac, address("203.0.113.1"), asks: floating.external))
            try await eventually("ARP of the floating IP") { outsider.frames.contains { $0.type == 0x0806 && $0.source == Scene.mac(0x203) } }
            let probe = Frame.ip(FlowKey(address("203.0.113.1"), floating.external, proto: IPProtocol.udp, from: 7000, to: 7), from: outsider.mac, to: Scene.mac(0x203), number: 7)
            outsider.send(probe)
            try await eventually("the packet") { guest.frames.contains { $0.probe?.number == 7 } }
            #expect(guest.frames.compactMap(\.probe).first?.flow.destination == address("10.1.0.5"))
            let report = try await driver.apply(Scene.routed(2, ports: [port], bridge: bridge))
            #expect(report.cutFlows == 1 && report.problems == [])
            let number = guest.frames.compactMap(\.probe).count
            outsider.send(probe)
            outsider.send(.arp(from: outsider.mac, claims: outsider.mac, address("203.0.113.1"), asks: address("203.0.113.10")))
            try await eventually("ARP of the gateway") { outsider.frames.filter { $0.type == 0x0806 && $0.source == Scene.mac(0x203) }.count > 1 }
            #expect(guest.frames.compactMap(\.probe).count == number)
            try await driver.removeAll()
            let left = try ObservedLinks(in: Namespace(lab.host)).links.keys.sorted()
            #expect(left == ["lo", bridge, lab.tag + "out", port.tap].sorted(), "the provider's bridge is the operator's")
        }
    }

    @Test("A child process that takes too long is killed, and a missing program is an error")
    func children() throws {
        #expect(throws: CloudError.self) { try ChildProcess.run("no-such-program", []) }
        #expect(throws: CloudError.self) { try ChildProcess.run("sleep", ["60"], seconds: 1) }
        #expect(try ChildProcess.run("cat", [], input: String(repeating: "x", count: 300_000)).output.count == 300_000)
        #expect(try ChildProcess.run("false", []).status == 1)
    }
}

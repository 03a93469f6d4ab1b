import CloudCore
import Drivers
import Foundation
import HostModel
import Programs
import TestSupport
import Testing
@testable import DriverLinuxNetwork

@Suite("External networks that end on the host", .enabled(if: Lab.isPossible, "root, nftables, iproute2, dnsmasq and conntrack"))
struct RoutedNetworkTests {
    private func outside(_ state: HostNetworkState) -> HostNetworkState {
        var state = state
        for at in state.networks.indices where state.networks[at].id == Scene.outside {
            state.networks[at].segment = .routed(addresses: [InterfaceAddress(address("203.0.113.1"), 24)])
        }
        return state
    }

    /// Returns a machine behind the host's own card. It knows the way to the host, but nothing of the host's networks.
    private func world(_ lab: Lab) throws -> Guest {
        let guest = try lab.plug("world", device: "up0", mac: Scene.mac(0x400), addresses: [InterfaceAddress(address("198.51.100.2"), 24)])
        try lab.ip(["link set dev up0 up", "address add 198.51.100.1/24 dev up0"], in: lab.host)
        return guest
    }

    private func settings(_ lab: Lab) throws -> [String?] {
        let host = try Namespace(lab.host)
        return try ["ipv4/ip_forward", "bridge/bridge-nf-call-iptables", "bridge/bridge-nf-call-ip6tables"].map { try host.setting($0) }
    }

    private func tables(_ lab: Lab) throws -> String {
        String(decoding: try ChildProcess.require("nft", ["list", "tables"], in: Namespace(lab.host)), as: UTF8.self)
    }

    private func pings(_ target: String, from space: Namespace) throws -> Bool {
        try ChildProcess.run("ping", ["-c", "1", "-W", "2", target], in: space).status == 0
    }

    @Test("The host reaches floating IPs, guests reach the outside by the host's address, and removeAll leaves nothing")
    func floatingIPs() async throws {
        try await Lab.with { lab in
            let port = Scene.port(5, prefix: lab.tag)
            let guest = try lab.plug(port, gateway: [address("10.1.0.1")])
            let world = try world(lab)
            // A new namespace inherits the forwarding of the first one.
            try Namespace(lab.host).set([("ipv4/ip_forward", "0"), ("bridge/bridge-nf-call-ip6tables", "0")])
            let before = (try settings(lab), try tables(lab))
            let floating = FloatingIP(id: "f", external: address("203.0.113.50"), fixed: address("10.1.0.5"))
            let driver = try lab.driver()
            let state = outside(Scene.routed(1, ports: [port], bridge: "none", floating: [floating]))
            let report = try await driver.apply(state)
            #expect(report.problems == [])
            try await lab.settle()
            try await eventually("the floating IP from the host") { try pings("203.0.113.50", from: Namespace(lab.host)) }
            try await eventually("the world from the guest") { try pings("198.51.100.2", from: guest.space) }
            #expect(world.frames.contains { $0.type == 0x0800 && $0.sourceAddress == address("198.51.100.1") })
            #expect(!world.frames.contains { $0.type == 0x0800 && $0.sourceAddress != address("198.51.100.1") })
            #expect(try await lab.driver().apply(state).changes == [])

            // The network is changed to another kind and back: the addresses follow.
            var other = outside(Scene.routed(2, ports: [port], bridge: "none"))
            other.networks[2].segment = .local
            #expect(try await driver.apply(other).problems == [])
            #expect(try settings(lab) == ["0", "1", "1"])
            #expect(try !pings("203.0.113.10", from: Namespace(lab.host)))
            other.networks[2].segment = .routed(addresses: [InterfaceAddress(address("203.0.113.1"), 24)])
            other.generation = 3
            #expect(try await driver.apply(other).problems == [])
            try await eventually("the router from the host") { try pings("203.0.113.10", from: Namespace(lab.host)) }

            try await driver.removeAll()
            #expect(try settings(lab) == before.0)
            #expect(try tables(lab) == before.1)
            let left = try ObservedLinks(in: Namespace(lab.host), hasAddresses: true).links
            #expect(Set(left.keys) == ["lo", "up0", port.tap])
            #expect(left.values.flatMap { $0.addr_info ?? [] }.filter { !$0.isOfTheKernel }.compactMap(\.text) == ["198.51.100.1/24"])
        }
    }

    @Test("Guests can ping the host but not connect to it, and ports of an external network obey their groups from outside too")
    func ossa_2015_018_hostAndGroups() async throws {
        try await Lab.with { lab in
            func port(_ number: Int, _ groups: [String]) -> PortSpec {
                var port = Scene.port(number, in: Scene.outside, groups: groups, prefix: lab.tag)
                port.fixedIPs = [FixedIP(address("203.0.113.\(number)"), subnet: "out4")]
                return port
            }
            let (open, closed) = (port(20, [Scene.open]), port(21, [Scene.closed]))
            let guest = try lab.plug(open, gateway: [address("203.0.113.1")])
            let hidden = try lab.plug(closed, gateway: [address("203.0.113.1")])
            let world = try world(lab)
            try lab.ip(["route add 203.0.113.0/24 via 198.51.100.1"], in: world.space.name)
            let driver = try lab.driver()
            #expect(try await driver.apply(outside(Scene.routed(1, ports: [open, closed], bridge: "none"))).problems == [])
            try await lab.settle()
            try await eventually("the open one from the world") { try pings("203.0.113.20", from: world.space) }
            #expect(try !pings("203.0.113.21", from: world.space))
            // Any user of the host may open connections.
            #expect(try pings("203.0.113.20", from: Namespace(lab.host)))
            #expect(try !pings("203.0.113.21", from: Namespace(lab.host)))
            try await eventually("answers to the closed one") { try pings("198.51.100.2", from: hidden.space) }

            let listener = try Namespace(lab.host).listen(at: address("0.0.0.0"), port: 7777)
            defer { close(listener) }
            #expect(try pings("203.0.113.1", from: guest.space))
            for target in ["203.0.113.1", "198.51.100.1"] {
                let caller = try Caller(guest.space, to: address(target), port: 7777)
                // If the host answered the connection, the answer would come before that of a ping sent later.
                #expect(try pings("203.0.113.1", from: guest.space))
                #expect(caller.isConnected == nil)
                caller.end()
            }
            let other = try Caller(world.space, to: address("198.51.100.1"), port: 7777)
            try await eventually("others do") { other.isConnected == true }
            other.end()
        }
    }

    @Test("Tunnels carry only frames of the network's hosts, and guests cannot send as one of them")
    func tunnels() async throws {
        try await Lab.with { lab in
            func plugged(
                _ number: Int, in network: String, _ text: String, subnet: String
            ) throws -> (PortSpec, Guest) {
                var port = Scene.port(number, in: network, prefix: lab.tag)
                port.fixedIPs = [FixedIP(address(text), subnet: subnet)]
                return (port, try lab.plug(port, gateway: network == Scene.outside ? [address("203.0.113.1")] : []))
            }
            let (port, guest) = try plugged(20, in: Scene.outside, "203.0.113.20", subnet: "out4")
            let (inner, hidden) = try plugged(5, in: Scene.red, "10.1.0.5", subnet: "red4")
            let world = try world(lab)
            var state = outside(Scene.routed(1, ports: [port, inner], bridge: "none"))
            let (local, peer) = (address("198.51.100.1"), address("198.51.100.2"))
            state.networks[0].segment = .vxlan(number: 77, local: local, peers: [peer], remotePorts: [])
            #expect(try await lab.driver().apply(state).problems == [])
            try await lab.settle()

            // The host gives packets of its guests its own address, which its peers trust.
            func mac(of device: String) throws -> MACAddress {
                let link = try ObservedLinks(in: Namespace(lab.host)).links[device]
                return try #require(link?.address.flatMap { MACAddress($0) })
            }
            let router = try mac(of: Names(tag: lab.tag).bridge(Scene.outside))
            for destination in [4789, 4790] as [UInt16] {
                let flow = FlowKey(address("203.0.113.20"), peer, proto: IPProtocol.udp, from: 5000, to: destination)
                guest.send(.ip(flow, from: guest.mac, to: router, number: UInt32(destination)))
            }
            try await eventually("the packet to another port") { world.frames.contains { $0.probe?.number == 4790 } }
            #expect(!world.frames.contains { $0.probe?.number == 4789 })

            let card = try mac(of: "up0")
            for (sender, number) in [(address("198.51.100.3"), 3), (peer, 2)] {
                let within = FlowKey(address("10.1.0.9"), address("10.1.0.5"), proto: IPProtocol.udp, from: 1, to: 2)
                let frame = Frame.ip(within, from: Scene.mac(0x500), to: inner.mac, number: UInt32(number))
                let flow = FlowKey(sender, local, proto: IPProtocol.udp, from: 6000, to: 4789)
                world.send(.vxlan(frame, network: 77, flow, from: world.mac, to: card))
            }
            try await eventually("the frame of the peer") { hidden.frames.contains { $0.probe?.number == 2 } }
            #expect(!hidden.frames.contains { $0.probe?.number == 3 })
        }
    }
}

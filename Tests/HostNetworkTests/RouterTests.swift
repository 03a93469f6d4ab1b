import CloudCore
import Drivers
import Foundation
import HostModel
import TestSupport
import Testing
@testable import DriverLinuxNetwork

@Suite("Routers of a host's networks", .enabled(if: Lab.isPossible, "root, nftables, iproute2, dnsmasq and conntrack"))
struct RouterTests {
    private func routed(_ generation: Int64, _ lab: Lab, _ ports: [PortSpec], _ mode: IPv6Mode?, service: Bool = false) -> HostNetworkState {
        var state = Scene.state(generation, ports: ports, service: service)
        state.networks[0].subnets[1].advertisement = mode
        state.networks[0].subnets[1].addressing = mode
        state.networks[0].subnets[1].dns = [address("2001:db8:1::53")]
        state.networks[0].service?.addresses.append(FixedIP(address("2001:db8:1::2"), subnet: "red6"))
        state.routers = [
            RouterSpec(
                id: Scene.router,
                interfaces: [
                    RouterInterface(
                        id: "qr-red", network: Scene.red, mac: Scene.mac(0x201),
                        addresses: [InterfaceAddress(address("10.1.0.1"), 24), InterfaceAddress(address("2001:db8:1::1"), 64)])
                ])
        ]
        return state
    }

    @Test("A router advertises each IPv6 subnet in its mode", arguments: [IPv6Mode.slaac, .stateless, .stateful])
    func advertisements(mode: IPv6Mode) async throws {
        try await Lab.with { lab in
            let port = Scene.port(5, prefix: lab.tag)
            let guest = try lab.plug(port)
            let driver = try lab.driver()
            let state = routed(1, lab, [port], mode)
            #expect(try await driver.apply(state).problems == [])
            try await lab.settle()
            var said: [UInt8] = []
            try await eventually("an advertisement") {
                guest.send(.routerSolicitation(from: guest.mac))
                let frame = guest.frames.last { ($0.icmp6(134)?.count ?? 0) > 40 && $0.source == Scene.mac(0x201) }
                said = frame?.icmp6(134) ?? []
                return frame?.sourceAddress.isLinkLocal == true
            }
            // RFC 4861, 4.2: managed, other.
            #expect(said[5] & 0xc0 == [.slaac: 0, .stateless: 0x40, .stateful: 0xc0][mode], "\(said)")
            #expect(UInt16(said[6]) << 8 | UInt16(said[7]) == 600)
            var options: [UInt8: [UInt8]] = [:]
            var at = 16
            while at + 1 < said.count, said[at + 1] > 0 {
                options[said[at]] = Array(said[at..<min(said.count, at + Int(said[at + 1]) * 8)])
                at += Int(said[at + 1]) * 8
            }
            let about = try #require(options[3])
            #expect(about[2] == 64 && (about[3] & 0x40 != 0) == (mode != .stateful) && IPAddress(bytes: about[16..<32]) == address("2001:db8:1::"))
            #expect(try IPAddress(bytes: #require(options[25])[8..<24]) == address("2001:db8:1::53"))
            #expect(try #require(options[5])[4..<8] == [0, 0, 5, 170])
            #expect(try await lab.driver().apply(state).changes == [])
            #expect(try await driver.apply(routed(2, lab, [port], nil)).changes != [])
            #expect(DHCPServers(folder: lab.folder + "/net").names == [])
        }
    }

    @Test("Guests get IPv6 addresses by DHCP from the network and not from its router, and none with SLAAC")
    func dhcpv6() async throws {
        try await Lab.with { lab in
            let port = Scene.port(5, prefix: lab.tag)
            let guest = try lab.plug(port)
            let driver = try lab.driver()
            // The server resolves the link-local address of the guest before it answers.
            try lab.ip(["address add \(port.mac.address(in: prefix("fe80::/64")))/64 dev eth0 nodad"], in: guest.space.name)
            // A Solicit with the client's id, an association and a request for name servers.
            let identity: [UInt8] = [0, 1, 0, 10, 0, 3, 0, 1] + guest.mac.bytes
            let wish: [UInt8] = [0, 6, 0, 2, 0, 23]
            let solicit: [UInt8] = [1, 1, 2, 3] + identity + [0, 3, 0, 12, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0] + wish + [0, 8, 0, 2, 0, 0]
            let ask: [UInt8] = [11, 4, 5, 6] + identity + wish + [0, 8, 0, 2, 0, 0]
            func answer(_ question: [UInt8]) async throws -> Frame {
                var found: Frame?
                guest.forget()
                try await eventually("an answer of DHCPv6") {
                    guest.send(.dhcp6(question, from: guest.mac))
                    found = guest.frames.last { $0.dhcp6Answer.map { Array($0[1..<4]) == Array(question[1..<4]) } == true }
                    return found != nil
                }
                return try #require(found)
            }
            #expect(try await driver.apply(routed(1, lab, [port], .stateful, service: true)).problems == [])
            try await lab.settle()
            let own = Data(address("2001:db8:1::5").bytes)
            let dns = Data(address("2001:db8:1::53").bytes)
            let offer = try await answer(solicit)
            #expect(offer.source == Scene.mac(0x102))
            let offered = Data(offer.dhcp6Answer ?? [])
            #expect(offered.first == 2 && offered.range(of: own) != nil && offered.range(of: dns) != nil)
            #expect(!guest.frames.contains { $0.dhcp6Answer != nil && $0.source == Scene.mac(0x201) })
            #expect(try await lab.driver().apply(routed(1, lab, [port], .stateful, service: true)).changes == [])
            try await driver.apply(routed(2, lab, [port], .stateless, service: true))
            let told = try await answer(ask)
            #expect(told.source == Scene.mac(0x102) && Data(told.bytes).range(of: dns) != nil && Data(told.bytes).range(of: own, in: 62..<told.bytes.count) == nil)
        }
    }

    @Test("A new address is announced at once")
    func announcements() async throws {
        try await Lab.with { lab in
            let bridge = lab.tag + "ex"
            try lab.ip(["link add name \(bridge) type bridge forward_delay 0", "link set dev \(bridge) up"], in: lab.host)
            let port = Scene.port(5, prefix: lab.tag)
            let guest = try lab.plug(port)
            let outsider = try lab.plug("outsider", device: lab.tag + "out", mac: Scene.mac(0x300), addresses: [InterfaceAddress(address("203.0.113.1"), 24)])
            try lab.ip(["link set dev \(lab.tag)out master \(bridge) up"], in: lab.host)
            let driver = try lab.driver()
            try await driver.apply(Scene.routed(1, ports: [port], bridge: bridge))
            try await lab.settle()
            func announced(_ text: String, to guest: Guest, by mac: MACAddress) -> Set<UInt8> {
                Set(guest.frames.filter { $0.type == 0x0806 && $0.source == mac && $0.destination == Frame.broadcast }
                    .filter { Array($0.bytes[28..<32]) == address(text).bytes && Array($0.bytes[38..<42]) == address(text).bytes }.map { $0.bytes[21] })
            }
            try await eventually("the gateway outside") { announced("203.0.113.10", to: outsider, by: Scene.mac(0x203)) == [1, 2] }
            outsider.forget()
            let floating = FloatingIP(id: "f", external: address("203.0.113.50"), fixed: address("10.1.0.5"))
            try await driver.apply(Scene.routed(2, ports: [port], bridge: bridge, floating: [floating]))
            try await eventually("the floating IP") { announced("203.0.113.50", to: outsider, by: Scene.mac(0x203)) == [1, 2] }
            #expect(announced("203.0.113.10", to: outsider, by: Scene.mac(0x203)) == [], "nothing has come there")
            // A new interface also announces its IPv6 address.
            var without = Scene.routed(3, ports: [port], bridge: bridge)
            without.routers[0].interfaces.removeFirst()
            try await driver.apply(without)
            guest.forget()
            try await driver.apply(Scene.routed(4, ports: [port], bridge: bridge))
            try await eventually("the gateway inside") { announced("10.1.0.1", to: guest, by: Scene.mac(0x201)) == [1, 2] }
            try await eventually("the IPv6 gateway inside") {
                guest.frames.contains { frame in
                    frame.icmp6(136).map { $0[4] == 0xa0 && Array($0[8..<24]) == address("2001:db8:1::1").bytes } == true && frame.source == Scene.mac(0x201)
                }
            }
        }
    }

    @Test("Without DHCP, guests reach the metadata service through their router, each by its own network's door")
    func ossa_2013_033_metadataDoors() async throws {
        try await Lab.with { lab in
            let red = Scene.port(5, prefix: lab.tag)
            let blue = Scene.port(6, in: Scene.blue, prefix: lab.tag)
            let bridge = lab.tag + "ex"
            try lab.ip(["link add name \(bridge) type bridge forward_delay 0", "link set dev \(bridge) up"], in: lab.host)
            let (first, second) = (try lab.plug(red, gateway: [address("10.1.0.1")]), try lab.plug(blue, gateway: [address("10.2.0.1")]))
            // A machine outside would like to get the guests' questions.
            let outsider = try lab.plug("outsider", device: lab.tag + "out", mac: Scene.mac(0x300), addresses: [InterfaceAddress(address("203.0.113.1"), 24), InterfaceAddress(address("169.254.169.254"), 32)])
            try lab.ip(["link set dev \(lab.tag)out master \(bridge) up"], in: lab.host)
            var state = Scene.routed(1, ports: [red, blue], bridge: bridge)
            let doors = [MetadataDoor.router(Scene.router, port: "qr-red", network: Scene.red), .router(Scene.router, port: "qr-blue", network: Scene.blue)]
            #expect(state.metadataDoors == Set(doors))
            let driver = try lab.driver()
            #expect(try await driver.apply(state).problems == [])
            try await lab.settle()
            let listeners = try await [driver.listenForMetadata(at: doors[0]), driver.listenForMetadata(at: doors[1])]
            defer { for each in listeners { close(each) } }
            for (guest, own, source) in [(first, 0, "10.1.0.5"), (second, 1, "10.2.0.6")] {
                let client = try Caller(guest.space, to: MetadataEndpoint.address, port: 80)
                try await eventually("the caller") { try Caller.accepted(listeners[own]).map { $0 == address(source) } ?? false }
                #expect(try Caller.accepted(listeners[1 - own]) == nil)
                client.end()
            }
            // Without the service, the questions go nowhere else.
            state.generation = 2
            state.routers[0].hasMetadata = false
            #expect(state.metadataDoors == [])
            try await driver.apply(state)
            outsider.forget()
            let lost = try Caller(first.space, to: MetadataEndpoint.address, port: 80)
            let probe = Frame.ip(FlowKey(address("10.1.0.5"), address("203.0.113.1"), proto: IPProtocol.udp, from: 9, to: 9), from: red.mac, to: Scene.mac(0x201), number: 9)
            try await eventually("a packet after it") {
                first.send(probe)
                return outsider.frames.contains { $0.probe?.number == 9 }
            }
            #expect(!outsider.frames.contains { $0.type == 0x0800 && Array($0.bytes[30..<34]) == MetadataEndpoint.address.bytes })
            lost.end()
        }
    }
}

/// A client that connects from inside a namespace, and the listener's view of it.
struct Caller {
    private let socket: Int32

    init(_ space: Namespace, to address: IPAddress, port: UInt16) throws {
        socket = try space.run { Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0) }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = UInt32(truncatingIfNeeded: address.value).bigEndian
        _ = withUnsafePointer(to: &name) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(socket, $0, 16) } }
    }

    /// Whether the connection was accepted; nil if that is not known yet.
    var isConnected: Bool? {
        var wait = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
        guard poll(&wait, 1, 0) > 0 else { return nil }
        var (code, length): (Int32, socklen_t) = (0, 4)
        getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &length)
        return code == 0
    }

    /// Whether the other side has closed the connection.
    var isClosed: Bool {
        var byte: UInt8 = 0
        let count = recv(socket, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
        return count == 0 || count < 0 && ![EAGAIN, ENOTCONN].contains(errno)
    }

    func end() { close(socket) }

    /// Accepts and closes a connection, and returns its peer's address; nil if there is none.
    static func accepted(_ listener: Int32) throws -> IPAddress? {
        var peer = sockaddr_in()
        var length = socklen_t(16)
        let taken = withUnsafeMutablePointer(to: &peer) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { accept(listener, $0, &length) } }
        guard taken >= 0 else { return nil }
        close(taken)
        return IPAddress(.v4, UInt128(UInt32(bigEndian: peer.sin_addr.s_addr)))
    }
}

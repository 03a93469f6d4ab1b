import CloudCore
import Drivers
import Foundation
import HostModel
import TestSupport
import Testing

@testable import DriverLinuxNetwork

@Suite("Attacks of guests on networks", .enabled(if: Lab.isPossible, "root, nftables, iproute2, dnsmasq and conntrack"))
struct GuestAttackTests {
    @Test("A guest cannot hide a false advertisement or a server's answer in fragments")
    func ossa_2021_001_fragments() async throws {
        try await Lab.with { lab in
            let (a, b) = (Scene.port(5, prefix: lab.tag), Scene.port(6, prefix: lab.tag))
            let (from, to) = (try lab.plug(a), try lab.plug(b))
            #expect(try await lab.driver().apply(Scene.state(1, ports: [a, b])).problems == [])
            try await lab.settle()
            let (own, target) = (a.mac.address(in: prefix("fe80::/64")), b.fixedIPs[1].address)
            func udp(_ source: UInt16, _ destination: UInt16) -> Frame {
                let flow = FlowKey(a.fixedIPs[1].address, target, proto: IPProtocol.udp, from: source, to: destination)
                return Frame.ip(flow, from: a.mac, to: b.mac, number: 7)
            }
            let advertisement = Frame.neighbourAdvertisement(
                from: own, target: address("2001:db8:1::7"), mac: a.mac, to: b.mac, target)
            let attacks = [
                // The target is behind the first fragment, then the whole message is.
                advertisement.fragments(after: 8), advertisement.fragments(after: 8, options: true),
                Frame.routerAdvertisement(from: own, mac: a.mac, to: b.mac, target).fragments(after: 8, options: true),
                udp(547, 546).fragments(after: 8, options: true),
            ]
            let last = Frame.arp(from: a.mac, claims: a.mac, address("10.1.0.5"))
            for frame in attacks.joined() { from.send(frame) }
            from.send(last)
            try await eventually("the last frame") { to.frames.contains(last) }
            // Besides the attacks, the guest's kernel announces its multicast groups.
            #expect(to.frames.filter { $0.type == 0x86dd && $0.source == a.mac && $0.destination == b.mac } == [])
            // Other fragments pass.
            for frame in udp(1000, 2000).fragments(after: 8) { from.send(frame) }
            let payload = Data("novella!".utf8)
            try await eventually("the fragments") { to.frames.contains { Data($0.bytes).range(of: payload) != nil } }
        }
    }

    @Test("A guest cannot speak to the DHCP server in the name of another guest")
    func declineForAnother() async throws {
        try await Lab.with { lab in
            let (a, b) = (Scene.port(5, prefix: lab.tag), Scene.port(6, prefix: lab.tag))
            let (attacker, victim) = (try lab.plug(a), try lab.plug(b))
            #expect(try await lab.driver().apply(Scene.state(1, ports: [a, b])).problems == [])
            try await lab.settle()
            // Without a filter, dnsmasq takes the address of a declined lease out of service for ten minutes.
            let decline: [UInt8] = [53, 1, 4, 50, 4, 10, 1, 0, 6, 54, 4, 10, 1, 0, 2, 255]
            attacker.send(.dhcp(Self.message(of: b.mac, decline), from: a.mac))
            for guest in [attacker, victim] {
                let question = Frame.dhcp(Self.message(of: guest.mac, [53, 1, 1, 255]), from: guest.mac)
                // Once the first guest is answered, the server has handled what came before.
                try await eventually("an offer for \(guest.mac)") {
                    guest.send(question)
                    return guest.frames.compactMap(\.dhcpOffer).contains { Array($0[28..<34]) == guest.mac.bytes }
                }
            }
        }
    }

    @Test("A guest cannot fill the table of connections, also not by changes of its rules")
    func connections() async throws {
        try await Lab.with { lab in
            let ports = [5, 6, 7].map { Scene.port($0, prefix: lab.tag) }
            let guests = try ports.map { try lab.plug($0) }
            let driver = try lab.driver(mostFlows: 64)
            #expect(try await driver.apply(Scene.state(1, ports: ports)).problems == [])
            try await lab.settle()
            func flow(_ from: Int, _ to: Int, _ number: Int) -> Frame {
                let flow = FlowKey(
                    ports[from].fixedIPs[0].address, ports[to].fixedIPs[0].address, proto: IPProtocol.udp,
                    from: UInt16(1000 + number), to: 9)
                return Frame.ip(flow, from: ports[from].mac, to: ports[to].mac, number: UInt32(1000 + number))
            }
            func begin(_ numbers: Range<Int>) async throws {
                for number in numbers { guests[0].send(flow(0, 1, number)) }
                let last = Frame.arp(from: ports[0].mac, claims: ports[0].mac, address("10.1.0.5"))
                guests[1].forget()
                guests[0].send(last)
                try await eventually("the last frame") { guests[1].frames.contains(last) }
            }
            func count() throws -> Int {
                let text = try ChildProcess.require("conntrack", ["-C"], in: Namespace(lab.host))
                return Int(String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
            }
            for number in 0..<50 { guests[0].send(flow(0, 1, number)) }
            try await eventually("the first connections") { guests[1].frames.contains { $0.probe?.number == 1000 } }
            try await begin(50..<1000)
            #expect(try (20...64).contains(count()))
            // A change of the rules writes the packet filter anew.
            let other = SecurityGroupSpec(id: Scene.closed, rules: [SecurityRule(id: "new", .egress)])
            let changed = Scene.state(2, ports: ports, groups: [Scene.anything, other])
            #expect(try await driver.apply(changed).problems == [])
            try await begin(1000..<2000)
            #expect(try (20...64).contains(count()))
            // Others begin connections, also with the same guest, and those that are there go on. A first packet goes
            // to a list at random: a list may be full, so a client tries again.
            for (number, frame) in [(6000, flow(2, 1, 5000)), (1000, flow(0, 1, 0))] as [(UInt32, Frame)] {
                try await eventually("connection \(number)") {
                    guests[number == 6000 ? 2 : 0].send(frame)
                    return guests[1].frames.contains { $0.probe?.number == number }
                }
            }
            #expect(try await driver.apply(changed).changes == [])
        }
    }

    /// Returns a message of DHCP from a client with this address.
    private static func message(of mac: MACAddress, _ options: [UInt8]) -> [UInt8] {
        let head: [UInt8] = [1, 1, 6, 0, 1, 2, 3, 4, 0, 0, 0x80, 0] + [UInt8](repeating: 0, count: 16) + mac.bytes
        return head + [UInt8](repeating: 0, count: 236 - head.count) + [99, 130, 83, 99] + options
    }
}

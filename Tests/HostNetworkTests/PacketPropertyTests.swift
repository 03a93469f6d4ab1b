import CloudCore
import DriverSimulated
import Drivers
import HostModel
import TestSupport
import Testing
@testable import DriverLinuxNetwork

/// Tests with small random clouds: real packets must arrive exactly where the simulated network delivers them.
@Suite("The simulated network and real packets agree", .enabled(if: Lab.isPossible, "root, nftables, iproute2, dnsmasq and conntrack"))
struct PacketPropertyTests {
    static let seeds: [UInt64] = [1, 2, 3, UInt64.random(in: 1000...(.max))]

    @Test("Random packets in a random small cloud arrive exactly where the simulation delivers them", arguments: seeds)
    func agreement(seed: UInt64) async throws {
        print("seed of the small cloud: \(seed)")
        try await Lab.with { lab in
            let bridge = lab.tag + "ex"
            try lab.ip(["link add name \(bridge) type bridge forward_delay 0", "link set dev \(bridge) up"], in: lab.host)
            var dice = Dice(seed)
            var cloud = SmallCloud(&dice, tag: lab.tag, bridge: bridge)
            let twin = SimulatedNetwork()
            twin.place([cloud.outsider])
            for port in cloud.ports { try lab.plug(port) }
            try lab.plug("outsider", device: lab.tag + "out", mac: cloud.outsider.mac, addresses: [InterfaceAddress(cloud.outsider.address, 24)])
            try lab.ip(["link set dev \(lab.tag)out master \(bridge) up"], in: lab.host)
            try await twin.apply(cloud.state(1))
            let report = try await lab.driver().apply(cloud.state(1))
            #expect(report.problems == [])
            try await lab.settle()
            try await meet(lab, cloud)
            var run = Run(lab: lab, cloud: cloud, twin: twin)
            for _ in 0..<40 { try await run.send(cloud.packet(&dice, passed: run.passed)) }
            cloud.shuffleRules(&dice)
            run.cloud = cloud
            try await twin.apply(cloud.state(2))
            try await lab.driver().apply(cloud.state(2))
            for _ in 0..<30 { try await run.send(cloud.packet(&dice, passed: run.passed)) }
            try await run.check(seed)
        }
    }

    /// Lets the routers learn all addresses, so that no packet waits for ARP.
    private func meet(_ lab: Lab, _ cloud: SmallCloud) async throws {
        for port in cloud.ports {
            let isRed = port.network == Scene.red
            try await ask(lab, port.id, port.mac, port.fixedIPs[0].address, for: address(isRed ? "10.1.0.1" : "10.2.0.1"))
        }
        try await ask(lab, "outsider", cloud.outsider.mac, cloud.outsider.address, for: address("203.0.113.10"))
    }

    private func ask(_ lab: Lab, _ id: String, _ mac: MACAddress, _ own: IPAddress, for gateway: IPAddress) async throws {
        let guest = try #require(lab.guests.value[id])
        guest.send(.arp(from: mac, claims: mac, own, asks: gateway))
        try await eventually("an answer to ARP") { guest.frames.contains { $0.type == 0x0806 && $0.destination == mac } }
    }
}

/// A run that sends each packet in both networks and keeps the expected deliveries.
private struct Run {
    let lab: Lab
    var cloud: SmallCloud
    let twin: SimulatedNetwork
    private var number: UInt32 = 0
    private var expected: [UInt32: (packet: SimulatedPacket, deliveries: Set<SimulatedDelivery>)] = [:]
    /// Flows that arrived, as their receivers saw them. They can be answered.
    private(set) var passed: [SimulatedDelivery] = []

    init(lab: Lab, cloud: SmallCloud, twin: SimulatedNetwork) {
        self.lab = lab
        self.cloud = cloud
        self.twin = twin
    }

    mutating func send(_ packet: SimulatedPacket) async throws {
        guard case .ip(let flow) = packet.content, let mac = packet.destinationMAC else { return }
        number += 1
        let number = number
        let deliveries = twin.send(packet)
        expected[number] = (packet, deliveries)
        passed += deliveries
        let id = if case .port(let id) = packet.sender { id } else { "outsider" }
        lab.guests.value[id]?.send(Frame.ip(flow, from: packet.sourceMAC, to: mac, number: number))
        guard !deliveries.isEmpty else { return }
        do {
            try await eventually("packet \(number)", within: .seconds(20)) { found()[number] != nil }
        } catch {
            // The comparison at the end tells more.
        }
    }

    private func found() -> [UInt32: Set<SimulatedDelivery>] {
        var found: [UInt32: Set<SimulatedDelivery>] = [:]
        for (id, guest) in lab.guests.value {
            let receiver = id == "outsider" ? SimulatedDelivery.Receiver.outsider(cloud.outsider.address) : .port(id)
            for frame in guest.frames where frame.destination == guest.mac {
                // The guest's kernel answers an echo by itself.
                guard let (flow, number) = frame.probe, ![IPProtocol.icmp: 0, IPProtocol.icmp6: 129].contains(where: { $0 == (flow.proto, Int(flow.icmpType)) }) else { continue }
                found[number, default: []].insert(SimulatedDelivery(receiver: receiver, content: .ip(flow)))
            }
        }
        return found
    }

    func check(_ seed: UInt64) async throws {
        // When these frames have arrived, the earlier ones have been judged.
        for port in cloud.ports {
            let last = Frame.arp(from: port.mac, claims: port.mac, port.fixedIPs[0].address)
            lab.guests.value[port.id]?.send(last)
            guard let other = cloud.ports.first(where: { $0.network == port.network && $0.id != port.id }) else { continue }
            try await eventually("the last frame") { lab.guests.value[other.id]?.frames.contains(last) == true }
        }
        let found = found()
        for (number, (packet, deliveries)) in expected.sorted(by: { $0.key < $1.key }) {
            #expect(found[number] ?? [] == deliveries, "seed \(seed), packet \(number): \(packet)")
        }
        let arrived = expected.values.filter { !$0.deliveries.isEmpty }.count
        print("seed \(seed): \(arrived) of \(expected.count) packets arrive")
    }
}

/// A SplitMix64 generator: the same seed gives the same cloud.
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
    mutating func one<Value>(_ values: [Value]) -> Value { values[Int.random(in: 0..<values.count, using: &self)] }
}

private struct SmallCloud {
    var ports: [PortSpec]
    var groups: [SecurityGroupSpec] = []
    let floating: [FloatingIP]
    let hasSNAT: Bool
    let bridge: String
    let outsider = SimulatedOutsider(network: Scene.outside, mac: Scene.mac(0x300), address: address("203.0.113.1"))
    private var sourcePort: UInt16 = 20_000
    private static let names = ["group-a", "group-b", "group-c"]

    init(_ dice: inout Dice, tag: String, bridge: String) {
        self.bridge = bridge
        ports = (5...7).map { Scene.port($0, prefix: tag) } + (8...9).map { Scene.port($0, in: Scene.blue, prefix: tag) }
        for at in ports.indices {
            ports[at].isSecured = dice.chance(85)
            ports[at].groups = Self.names.filter { _ in dice.chance(50) }
            if dice.chance(30) { ports[at].allowedPairs = [AddressPair(prefix(ports[at].network == Scene.red ? "10.1.0.64/26" : "10.2.0.64/26"))] }
        }
        var free = ["203.0.113.50", "203.0.113.51", "203.0.113.52"]
        floating = ports.compactMap { port in
            guard dice.chance(40), let external = free.popLast() else { return nil }
            return FloatingIP(id: external, external: address(external), fixed: port.fixedIPs[0].address)
        }
        hasSNAT = dice.chance(70)
        shuffleRules(&dice)
    }

    mutating func shuffleRules(_ dice: inout Dice) {
        groups = Self.names.map { name in
            let members = ports.filter { $0.groups.contains(name) }.flatMap(\.fixedIPs).map { IPPrefix($0.address, $0.address.version.bits) }
            let rules = (0..<Int.random(in: 1...4, using: &dice)).map { Self.rule(&dice, "\(name)-\($0)") }
            // Most groups let everything out, as the default one does.
            let out = dice.chance(70) ? [IPAddress.Version.v4, .v6].map { SecurityRule(id: "\(name)-out-\($0)", .egress, $0) } : []
            return SecurityGroupSpec(id: name, rules: rules + out, members: members)
        }
    }

    private static func rule(_ dice: inout Dice, _ id: String) -> SecurityRule {
        let version: IPAddress.Version = dice.chance(80) ? .v4 : .v6
        var rule = SecurityRule(id: id, dice.chance(75) ? .ingress : .egress, version)
        let echo: UInt8 = version == .v4 ? 8 : 128
        switch Int.random(in: 0..<5, using: &dice) {
        case 0: break
        case 1: (rule.proto, rule.icmpType) = (version == .v4 ? IPProtocol.icmp : IPProtocol.icmp6, dice.chance(70) ? echo : 3)
        case 2: rule.proto = IPProtocol.tcp
        default:
            rule.proto = dice.chance(70) ? IPProtocol.udp : IPProtocol.tcp
            let first = UInt16.random(in: 2000...2003, using: &dice)
            rule.ports = PortRange(first, first + UInt16.random(in: 0...2, using: &dice))
        }
        switch Int.random(in: 0..<5, using: &dice) {
        case 0: rule.remote = .group(dice.one(names))
        case 1: rule.remote = .addressGroup("addresses")
        case 2: rule.remote = .prefix(version == .v4 ? prefix(dice.one(["10.1.0.0/24", "10.1.0.5/32", "10.0.0.0/8", "203.0.113.0/24"])) : prefix("2001:db8:1::/64"))
        default: break
        }
        return rule
    }

    func state(_ generation: Int64) -> HostNetworkState {
        var state = Scene.routed(generation, ports: ports, bridge: bridge, floating: floating, hasSNAT: hasSNAT, groups: groups)
        state.addressGroups = [AddressGroupSpec(id: "addresses", prefixes: ["10.1.0.6", "10.2.0.8/31", "10.2.0.9", "203.0.113.0/28"].map(prefix))]
        return state
    }

    mutating func packet(_ dice: inout Dice, passed: [SimulatedDelivery]) -> SimulatedPacket {
        if dice.chance(35), let answer = answer(&dice, passed) { return answer }
        sourcePort += 1
        if dice.chance(20) {
            let target = dice.chance(70) && !floating.isEmpty ? dice.one(floating).external : dice.one(ports).fixedIPs[0].address
            return SimulatedPacket(from: .outsider(network: Scene.outside), mac: outsider.mac, to: Scene.mac(0x203), .ip(flow(&dice, outsider.address, target)))
        }
        let port = dice.one(ports)
        let isRed = port.network == Scene.red
        let isVersion6 = isRed && dice.chance(20)
        var source = port.fixedIPs[isVersion6 ? 1 : 0].address
        if dice.chance(10) { source = isVersion6 ? address("2001:db8:1::77") : address(isRed ? dice.one(["10.1.0.77", "10.1.0.200"]) : "10.2.0.77") }
        let mac = dice.chance(6) ? Scene.mac(0x66) : port.mac
        if isVersion6 {
            let other = dice.one(ports.filter { $0.network == Scene.red && $0.id != port.id })
            return SimulatedPacket(from: .port(port.id), mac: mac, to: other.mac, .ip(flow(&dice, source, other.fixedIPs[1].address)))
        }
        let others = ports.filter { $0.id != port.id }
        let target = dice.chance(20) ? outsider.address : dice.chance(20) && !floating.isEmpty ? dice.one(floating).external : dice.one(others).fixedIPs[0].address
        let gateway = Scene.mac(isRed ? 0x201 : 0x202)
        let neighbour = others.first { $0.network == port.network && $0.fixedIPs[0].address == target }
        return SimulatedPacket(from: .port(port.id), mac: mac, to: neighbour?.mac ?? gateway, .ip(flow(&dice, source, target)))
    }

    private func flow(_ dice: inout Dice, _ source: IPAddress, _ target: IPAddress) -> FlowKey {
        let isVersion4 = source.version == .v4
        switch Int.random(in: 0..<4, using: &dice) {
        case 0: return FlowKey(source, target, proto: isVersion4 ? IPProtocol.icmp : IPProtocol.icmp6, from: sourcePort, to: (isVersion4 ? 8 : 128) << 8)
        case 1: return FlowKey(source, target, proto: IPProtocol.tcp, from: sourcePort, to: UInt16.random(in: 2000...2005, using: &dice))
        default: return FlowKey(source, target, proto: IPProtocol.udp, from: sourcePort, to: UInt16.random(in: 2000...2005, using: &dice))
        }
    }

    /// Returns an answer to a packet that arrived: its flow as the receiver saw it, reversed.
    private func answer(_ dice: inout Dice, _ passed: [SimulatedDelivery]) -> SimulatedPacket? {
        let asked = passed.compactMap { delivery -> (SimulatedDelivery.Receiver, FlowKey)? in
            guard case .ip(let flow) = delivery.content, flow.proto == IPProtocol.udp else { return nil }
            return (delivery.receiver, flow)
        }
        guard !asked.isEmpty else { return nil }
        let (receiver, flow) = dice.one(asked)
        let back = FlowKey(flow.destination, flow.source, proto: flow.proto, from: flow.destinationPort, to: flow.sourcePort)
        guard case .port(let id) = receiver, let port = ports.first(where: { $0.id == id }) else {
            return SimulatedPacket(from: .outsider(network: Scene.outside), mac: outsider.mac, to: Scene.mac(0x203), .ip(back))
        }
        let neighbour = ports.first { $0.network == port.network && $0.fixedIPs.contains { $0.address == back.destination } }
        let isLocal = prefix("10.1.0.0/24").contains(back.destination) == (port.network == Scene.red) && neighbour == nil && !prefix("203.0.113.0/24").contains(back.destination)
        if isLocal && back.destination.version == .v6 { return nil }
        return SimulatedPacket(from: .port(id), mac: port.mac, to: neighbour?.mac ?? Scene.mac(port.network == Scene.red ? 0x201 : 0x202), .ip(back))
    }
}

import CloudCore
import Drivers
import HostModel

/// The path of a packet in a state, and its receivers. It is written from the promises of a cloud's networks,
/// independently of how a driver keeps them.
struct PacketPath {
    let state: HostNetworkState
    let outsiders: [SimulatedOutsider]
    let book: RuleBook
    /// The flows that passed, by network, in the direction in which they began.
    var flows: [String: Set<FlowKey>]
    /// The flows through each router as they came in, each with its translated form.
    var translations: [String: [FlowKey: FlowKey]]

    init(_ state: HostNetworkState, outsiders: [SimulatedOutsider], flows: [String: Set<FlowKey>], translations: [String: [FlowKey: FlowKey]]) {
        self.state = state
        self.outsiders = outsiders
        self.flows = flows
        self.translations = translations
        book = RuleBook(state)
    }

    mutating func send(_ packet: SimulatedPacket) -> Set<SimulatedDelivery> {
        let network: String
        var sender: PortSpec?
        switch packet.sender {
        case .outsider(let id): network = id
        case .port(let id):
            guard let port = state.ports.first(where: { $0.id == id }), port.isUp else { return [] }
            guard !port.isSecured || Self.mayClaim(port, packet) else { return [] }
            (network, sender) = (port.network, port)
        }
        guard case .ip(let flow) = packet.content else { return atAll(network, packet, sender) }
        guard let mac = packet.destinationMAC else { return [] }
        if let router = router(of: network, at: mac) {
            guard cross(network, flow, sender, nil) else { return [] }
            return route(flow, by: router, from: network)
        }
        return deliver(flow, in: network, sender, to: mac)
    }

    /// Delivers a packet that no security group judges to all for whom it is meant.
    private func atAll(_ network: String, _ packet: SimulatedPacket, _ sender: PortSpec?) -> Set<SimulatedDelivery> {
        let ports = state.ports.filter { $0.network == network && $0.isUp && $0.id != sender?.id }
        return Set(ports.filter { packet.destinationMAC == nil || packet.destinationMAC == $0.mac }.map {
            SimulatedDelivery(receiver: .port($0.id), content: packet.content)
        })
    }

    // MARK: - Whom a guest may claim to be

    static func mayClaim(_ port: PortSpec, _ packet: SimulatedPacket) -> Bool {
        let macs = Set([port.mac] + port.allowedPairs.compactMap(\.mac))
        guard macs.contains(packet.sourceMAC) else { return false }
        func owns(_ address: IPAddress, _ mac: MACAddress) -> Bool {
            if address.version == .v6, macs.contains(mac), mac.address(in: IPPrefix(IPAddress(.v6, 0xfe80 << 112), 64)) == address { return true }
            if mac == port.mac, port.fixedIPs.contains(where: { $0.address == address }) { return true }
            return port.allowedPairs.contains { ($0.mac ?? port.mac) == mac && $0.prefix.contains(address) }
        }
        switch packet.content {
        case .arp(let mac, let address, let isRequest):
            return owns(address, mac) || isRequest && address.value == 0 && macs.contains(mac)
        case .neighbourAdvertisement(let from, let target):
            return owns(from, packet.sourceMAC) && macs.contains { owns(target, $0) }
        case .routerAdvertisement: return false
        case .ip(let flow):
            let ports = (flow.sourcePort, flow.destinationPort)
            if flow.proto == IPProtocol.udp, ports == (flow.source.version == .v4 ? (67, 68) : (547, 546)) { return false }
            if flow.proto == IPProtocol.udp, flow.source == IPAddress(.v4, 0), ports == (68, 67) { return true }
            if flow.proto == IPProtocol.icmp6, [134, 137].contains(flow.icmpType), flow.source.version == .v6 { return false }
            return owns(flow.source, packet.sourceMAC)
        }
    }

    // MARK: - Security groups

    private static func answer(_ flow: FlowKey) -> FlowKey {
        guard flow.proto == IPProtocol.icmp || flow.proto == IPProtocol.icmp6 else {
            return FlowKey(flow.destination, flow.source, proto: flow.proto, from: flow.destinationPort, to: flow.sourcePort)
        }
        let types: [UInt8: UInt8] = [8: 0, 0: 8, 128: 129, 129: 128]
        let type = UInt16(types[flow.icmpType] ?? flow.icmpType) << 8
        return FlowKey(flow.destination, flow.source, proto: flow.proto, from: flow.sourcePort, to: type)
    }

    /// Returns whether a flow can begin with the packet. An echo reply without a request cannot begin one.
    private static func canBegin(_ flow: FlowKey) -> Bool {
        switch flow.proto {
        case IPProtocol.icmp where flow.source.version == .v4: [8, 13, 15, 17].contains(flow.icmpType)
        case IPProtocol.icmp6 where flow.source.version == .v6: flow.icmpType == 128
        default: true
        }
    }

    /// Returns whether a packet may cross the network from one port to the other; nil stands for a machine without
    /// rules. The flow is remembered.
    private mutating func cross(_ network: String, _ flow: FlowKey, _ sender: PortSpec?, _ receiver: PortSpec?) -> Bool {
        let isAnswer = flows[network]?.contains(Self.answer(flow)) == true && flows[network]?.contains(flow) != true
        for (port, direction) in [(sender, SecurityRule.Direction.egress), (receiver, .ingress)] {
            guard let port, port.isSecured else { continue }
            if RuleBook.isAlwaysAllowed(direction, flow) { continue }
            if isAnswer { continue }
            guard Self.canBegin(flow), book.allows(port, direction, flow) else { return false }
        }
        if !isAnswer, Self.canBegin(flow) { flows[network, default: []].insert(flow) }
        return true
    }

    private mutating func deliver(_ flow: FlowKey, in network: String, _ sender: PortSpec?, to mac: MACAddress) -> Set<SimulatedDelivery> {
        if let receiver = state.ports.first(where: { $0.network == network && $0.mac == mac && $0.isUp }) {
            guard receiver.id != sender?.id, cross(network, flow, sender, receiver) else { return [] }
            return [SimulatedDelivery(receiver: .port(receiver.id), content: .ip(flow))]
        }
        guard let outsider = outsiders.first(where: { $0.network == network && $0.mac == mac }), cross(network, flow, sender, nil) else { return [] }
        return [SimulatedDelivery(receiver: .outsider(outsider.address), content: .ip(flow))]
    }

    // MARK: - Routers

    private func router(of network: String, at mac: MACAddress) -> RouterSpec? {
        state.routers.first { router in router.isUp && router.allInterfaces.contains { $0.network == network && $0.mac == mac } }
    }

    private mutating func route(_ flow: FlowKey, by router: RouterSpec, from network: String) -> Set<SimulatedDelivery> {
        let known = translations[router.id] ?? [:]
        let translated: FlowKey
        if let before = known[flow] {
            translated = before
        } else if let original = known.first(where: { Self.answer($0.value) == flow })?.key {
            translated = Self.answer(original)
        } else {
            guard Self.canBegin(flow), let new = translate(flow, router, from: network) else { return [] }
            translated = new
            translations[router.id, default: [:]][flow] = new
        }
        guard let (out, hop) = nextHop(translated.destination, router) else { return [] }
        let mac = state.ports.first { $0.network == out && $0.fixedIPs.contains { $0.address == hop } }?.mac
            ?? outsiders.first { $0.network == out && $0.address == hop }?.mac
        return mac.map { deliver(translated, in: out, nil, to: $0) } ?? []
    }

    private func translate(_ flow: FlowKey, _ router: RouterSpec, from network: String) -> FlowKey? {
        var new = flow
        let floating = router.gateway == nil ? [] : router.floatingIPs
        if let to = floating.first(where: { $0.external == flow.destination }) { new.destination = to.fixed }
        let isTurned = new.destination != flow.destination
        guard let (out, _) = nextHop(new.destination, router) else { return nil }
        guard let gateway = router.gateway, flow.source.version == .v4 else { return new }
        let external = gateway.interface.network
        if network == external, out != external { return new }
        if network != external, out != external, !isTurned { return new }
        if let own = floating.filter({ $0.fixed == flow.source }).map(\.external).min() {
            new.source = own
        } else if gateway.hasSNAT || isTurned, let own = gateway.interface.addresses.first(where: { $0.address.version == .v4 }) {
            new.source = own.address
        }
        return new
    }

    /// Returns where a router sends a packet; nil if the address is its own or unreachable.
    private func nextHop(_ address: IPAddress, _ router: RouterSpec) -> (network: String, hop: IPAddress)? {
        if router.allInterfaces.contains(where: { $0.addresses.contains { $0.address == address } }) { return nil }
        func connected(_ address: IPAddress) -> (String, Int)? {
            router.allInterfaces.flatMap { interface in interface.addresses.map { (interface.network, $0.prefix) } }
                .filter { $0.1.contains(address) }.max { $0.1.length < $1.1.length }.map { ($0.0, $0.1.length) }
        }
        let direct = connected(address)
        let route = router.routes.filter { $0.destination.contains(address) }.max { $0.destination.length < $1.destination.length }
        if let direct, direct.1 >= route?.destination.length ?? -1 { return (direct.0, address) }
        if let route, let next = connected(route.nextHop) { return (next.0, route.nextHop) }
        guard let gateway = router.gateway, let hop = gateway.nextHops.first(where: { $0.version == address.version }) else { return nil }
        return (gateway.interface.network, hop)
    }
}

extension RouterSpec {
    var allInterfaces: [RouterInterface] { interfaces + (gateway.map { [$0.interface] } ?? []) }
}

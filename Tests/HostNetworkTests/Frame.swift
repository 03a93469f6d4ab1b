import CloudCore
import Drivers
import HostModel

/// An Ethernet frame, written and read byte by byte. Nothing checks its content.
struct Frame: Hashable {
    var bytes: [UInt8]

    init(bytes: [UInt8]) { self.bytes = bytes }

    static let broadcast = MACAddress([255, 255, 255, 255, 255, 255])

    private init(_ type: UInt16, from source: MACAddress, to destination: MACAddress, _ body: [UInt8]) {
        bytes = destination.bytes + source.bytes + Self.big(type) + body
    }

    static func arp(from source: MACAddress, to destination: MACAddress = broadcast, claims mac: MACAddress, _ address: IPAddress, asks: IPAddress? = nil) -> Frame {
        let target = asks ?? address
        return Frame(
            0x0806, from: source, to: destination,
            [0, 1, 8, 0, 6, 4, 0, asks == nil ? 2 : 1] + mac.bytes + octets(address) + [0, 0, 0, 0, 0, 0] + octets(target))
    }

    /// Returns a UDP packet, a TCP SYN or an ICMP echo that contains the number, by which a test recognises it.
    static func ip(_ flow: FlowKey, from source: MACAddress, to destination: MACAddress, number: UInt32) -> Frame {
        let payload = big(UInt16(truncatingIfNeeded: number >> 16)) + big(UInt16(truncatingIfNeeded: number)) + Array("novella!".utf8)
        var body: [UInt8]
        let place: Int
        switch flow.proto {
        case IPProtocol.udp:
            body = big(flow.sourcePort) + big(flow.destinationPort) + big(UInt16(8 + payload.count)) + [0, 0] + payload
            place = 6
        case IPProtocol.tcp:
            body = big(flow.sourcePort) + big(flow.destinationPort) + [0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0x40, 0, 0, 0, 0, 0] + payload
            place = 16
        case IPProtocol.icmp, IPProtocol.icmp6:
            body = big(flow.destinationPort) + [0, 0] + big(flow.sourcePort) + [0, 1] + payload
            place = 2
        default:
            body = payload
            place = -1
        }
        if place >= 0 { seal(&body, at: place, flow) }
        return flow.source.version == .v4 ? ip4(flow, from: source, to: destination, body) : ip6(flow, from: source, to: destination, body)
    }

    static func neighbourAdvertisement(from address: IPAddress, target: IPAddress, mac: MACAddress, to destination: MACAddress, _ to: IPAddress) -> Frame {
        let flow = FlowKey(address, to, proto: IPProtocol.icmp6, to: 136 << 8)
        var body: [UInt8] = [136, 0, 0, 0, 0x20, 0, 0, 0] + octets(target) + [2, 1] + mac.bytes
        seal(&body, at: 2, flow)
        return ip6(flow, from: mac, to: destination, body)
    }

    static func routerAdvertisement(from address: IPAddress, mac: MACAddress, to destination: MACAddress, _ to: IPAddress) -> Frame {
        let flow = FlowKey(address, to, proto: IPProtocol.icmp6, to: 134 << 8)
        var body: [UInt8] = [134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0]
        seal(&body, at: 2, flow)
        return ip6(flow, from: mac, to: destination, body)
    }

    /// Returns a guest's question for routers.
    static func routerSolicitation(from mac: MACAddress) -> Frame {
        let flow = FlowKey(mac.address(in: IPPrefix(IPAddress(.v6, 0xfe80 << 112), 64)), IPAddress(.v6, 0xff02 << 112 | 2), proto: IPProtocol.icmp6, to: 133 << 8)
        var body: [UInt8] = [133, 0, 0, 0, 0, 0, 0, 0, 1, 1] + mac.bytes
        seal(&body, at: 2, flow)
        return ip6(flow, from: mac, to: MACAddress([0x33, 0x33, 0, 0, 0, 2]), body)
    }

    /// Returns a DHCPv6 message from a client to all servers.
    static func dhcp6(_ body: [UInt8], from mac: MACAddress) -> Frame {
        let flow = FlowKey(
            mac.address(in: IPPrefix(IPAddress(.v6, 0xfe80 << 112), 64)), IPAddress(.v6, 0xff02 << 112 | 0x10002), proto: IPProtocol.udp, from: 546, to: 547)
        var datagram = big(546) + big(547) + big(UInt16(8 + body.count)) + [0, 0] + body
        seal(&datagram, at: 6, flow)
        return ip6(flow, from: mac, to: MACAddress([0x33, 0x33, 0, 1, 0, 2]), datagram)
    }

    /// Returns a DHCP message from a client to everybody.
    static func dhcp(_ body: [UInt8], from mac: MACAddress) -> Frame {
        let flow = FlowKey(IPAddress(.v4, 0), IPAddress(.v4, 0xffff_ffff), proto: IPProtocol.udp, from: 68, to: 67)
        var datagram = big(68) + big(67) + big(UInt16(8 + body.count)) + [0, 0] + body
        seal(&datagram, at: 6, flow)
        return ip4(flow, from: mac, to: broadcast, datagram)
    }

    /// Returns a frame of another network, packed for a tunnel (VXLAN).
    static func vxlan(
        _ inner: Frame, network: UInt8, _ flow: FlowKey, from source: MACAddress, to destination: MACAddress
    ) -> Frame {
        let payload: [UInt8] = [8, 0, 0, 0, 0, 0, network, 0] + inner.bytes
        let head = big(flow.sourcePort) + big(flow.destinationPort) + big(UInt16(8 + payload.count)) + [0, 0]
        return ip4(flow, from: source, to: destination, head + payload)
    }

    /// Returns this IPv6 packet in two fragments.
    ///
    /// - Parameters:
    ///   - count: the bytes of the first fragment, a multiple of eight.
    ///   - options: whether eight bytes of options without a meaning come before the body.
    func fragments(after count: Int, options: Bool = false) -> [Frame] {
        let body = (options ? [bytes[20], 0, 1, 4, 0, 0, 0, 0] : []) + bytes[54...]
        return [(0, 1, body[..<count]), (count, 0, body[count...])].map { place, more, part in
            let header = [options ? 60 : bytes[20], 0] + Self.big(UInt16(place + more)) + [0, 0, 0, 9]
            let length = Self.big(UInt16(header.count + part.count))
            return Frame(bytes: Array(bytes[..<18]) + length + [44] + Array(bytes[21..<54]) + header + Array(part))
        }
    }

    private static func ip4(_ flow: FlowKey, from source: MACAddress, to destination: MACAddress, _ body: [UInt8]) -> Frame {
        var header: [UInt8] = [0x45, 0] + big(UInt16(20 + body.count)) + [0, 1, 0, 0, 64, flow.proto, 0, 0] + octets(flow.source) + octets(flow.destination)
        header.replaceSubrange(10..<12, with: big(checksum(header)))
        return Frame(0x0800, from: source, to: destination, header + body)
    }

    private static func ip6(_ flow: FlowKey, from source: MACAddress, to destination: MACAddress, _ body: [UInt8]) -> Frame {
        Frame(0x86dd, from: source, to: destination, [0x60, 0, 0, 0] + big(UInt16(body.count)) + [flow.proto, 255] + octets(flow.source) + octets(flow.destination) + body)
    }

    private static func seal(_ body: inout [UInt8], at place: Int, _ flow: FlowKey) {
        var pseudo = octets(flow.source) + octets(flow.destination) + [0, flow.proto] + big(UInt16(body.count))
        if flow.proto == IPProtocol.icmp { pseudo = [] }
        body.replaceSubrange(place..<place + 2, with: big(checksum(pseudo + body)))
    }

    private static func checksum(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for at in stride(from: 0, to: bytes.count, by: 2) { sum += UInt32(bytes[at]) << 8 | UInt32(at + 1 < bytes.count ? bytes[at + 1] : 0) }
        while sum >> 16 > 0 { sum = sum & 0xffff + sum >> 16 }
        return ~UInt16(truncatingIfNeeded: sum)
    }

    private static func big(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)] }

    static func octets(_ address: IPAddress) -> [UInt8] {
        stride(from: address.version.bits - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: address.value >> UInt128($0)) }
    }

    // MARK: - Reading

    /// The body of a DHCP server's answer; nil for other frames.
    var dhcpOffer: [UInt8]? {
        guard type == 0x0800, bytes.count > 14 + 28 + 240, bytes[23] == 17, bytes[34] == 0, bytes[35] == 67, bytes[37] == 68 else { return nil }
        return Array(bytes[42...])
    }

    /// The body of a DHCPv6 server's answer; nil for other frames.
    var dhcp6Answer: [UInt8]? {
        guard type == 0x86dd, bytes.count > 14 + 40 + 8, bytes[20] == 17, bytes[54] == 2, bytes[55] == 35 else { return nil }
        return Array(bytes[62...])
    }

    /// Returns the body of an ICMPv6 message of the type, or nil for other frames.
    func icmp6(_ type: UInt8) -> [UInt8]? {
        guard self.type == 0x86dd, bytes.count > 14 + 40 + 4, bytes[20] == 58, bytes[54] == type else { return nil }
        return Array(bytes[54...])
    }

    var sourceAddress: IPAddress { type == 0x0800 ? address(.v4, at: 26) : address(.v6, at: 22) }

    var destination: MACAddress { MACAddress(Array(bytes[0..<6])) }
    var source: MACAddress { MACAddress(Array(bytes[6..<12])) }
    var type: UInt16 { UInt16(bytes[12]) << 8 | UInt16(bytes[13]) }

    private func address(_ version: IPAddress.Version, at place: Int) -> IPAddress {
        IPAddress(version, bytes[place..<place + version.bits / 8].reduce(0) { $0 << 8 | UInt128($1) })
    }

    /// The flow and the number of a test's packet; nil for other frames.
    var probe: (flow: FlowKey, number: UInt32)? {
        let isVersion4 = type == 0x0800
        guard isVersion4 || type == 0x86dd, bytes.count > (isVersion4 ? 14 + 20 : 14 + 40) + 12 else { return nil }
        let version: IPAddress.Version = isVersion4 ? .v4 : .v6
        let body = isVersion4 ? 14 + 20 : 14 + 40
        let proto = bytes[isVersion4 ? 23 : 20]
        func word(_ place: Int) -> UInt16 { UInt16(bytes[body + place]) << 8 | UInt16(bytes[body + place + 1]) }
        var flow = FlowKey(
            address(version, at: isVersion4 ? 26 : 22), address(version, at: isVersion4 ? 30 : 38), proto: proto)
        let payload: Int
        switch proto {
        case IPProtocol.udp, IPProtocol.tcp:
            (flow.sourcePort, flow.destinationPort) = (word(0), word(2))
            payload = proto == IPProtocol.udp ? 8 : 20
        case IPProtocol.icmp, IPProtocol.icmp6:
            (flow.sourcePort, flow.destinationPort) = (word(4), word(0))
            payload = 8
        default: payload = 0
        }
        guard bytes.count >= body + payload + 12, Array(bytes[(body + payload + 4)..<(body + payload + 12)]) == Array("novella!".utf8) else { return nil }
        return (flow, UInt32(word(payload)) << 16 | UInt32(word(payload + 2)))
    }
}

import CloudCore
import HostModel

func address(_ text: String) -> IPAddress { IPAddress(text) ?? IPAddress(.v4, 0) }
func prefix(_ text: String) -> IPPrefix { IPPrefix(text, alone: true) ?? IPPrefix(IPAddress(.v4, 0), 0) }

/// Networks of two tenants behind a router, a provider's outside network, and guests with their groups.
enum Scene {
    static let red = "11111111-0000-4000-8000-00000000000a"
    static let blue = "11111111-0000-4000-8000-00000000000b"
    static let outside = "11111111-0000-4000-8000-00000000000c"
    static let router = "22222222-0000-4000-8000-00000000000a"
    static let open = "33333333-0000-4000-8000-00000000000a"
    static let closed = "33333333-0000-4000-8000-00000000000b"

    static func mac(_ number: Int) -> MACAddress { MACAddress([0x52, 0x54, 0, 0, UInt8(number >> 8), UInt8(truncatingIfNeeded: number)]) }

    static func redSubnet(v6: Bool = true) -> [SubnetSpec] {
        let four = SubnetSpec(id: "red4", prefix: prefix("10.1.0.0/24"), gateway: address("10.1.0.1"), dns: [address("10.1.0.53")])
        return v6 ? [four, SubnetSpec(id: "red6", prefix: prefix("2001:db8:1::/64"), gateway: address("2001:db8:1::1"))] : [four]
    }

    /// Returns port `number`: 10.1.0.number in the red network, 10.2.0.number in the blue one.
    static func port(_ number: Int, in network: String = red, groups: [String] = [open], isSecured: Bool = true, prefix name: String) -> PortSpec {
        let isRed = network == red
        return PortSpec(
            id: "44444444-0000-4000-8000-0000000000\(number < 16 ? "0" : "")\(String(number, radix: 16))", network: network, mac: mac(number),
            fixedIPs: isRed
                ? [FixedIP(address("10.1.0.\(number)"), subnet: "red4"), FixedIP(address("2001:db8:1::\(number)"), subnet: "red6")]
                : [FixedIP(address("10.2.0.\(number)"), subnet: "blue4")],
            isSecured: isSecured, groups: groups, tap: "\(name)tap\(number)")
    }

    static let anything = SecurityGroupSpec(
        id: open,
        rules: [IPAddress.Version.v4, .v6].flatMap { version in
            SecurityRule.Direction.allCases.map { SecurityRule(id: "open-\($0)-\(version)", $0, version) }
        })
    /// A group that lets everything out and nothing in.
    static let outOnly = SecurityGroupSpec(
        id: closed, rules: [IPAddress.Version.v4, .v6].map { SecurityRule(id: "closed-\($0)", .egress, $0) })

    static func state(_ generation: Int64, ports: [PortSpec], groups: [SecurityGroupSpec] = [anything, outOnly], service: Bool = true) -> HostNetworkState {
        HostNetworkState(
            generation: generation,
            networks: [
                NetworkSpec(
                    id: red, mtu: 1450, subnets: redSubnet(),
                    service: service ? DHCPService(mac: mac(0x102), addresses: [FixedIP(address("10.1.0.2"), subnet: "red4")]) : nil)
            ], ports: ports, groups: groups)
    }

    /// Returns a state that also has the blue network, the outside network and the router between them.
    static func routed(_ generation: Int64, ports: [PortSpec], bridge: String, floating: [FloatingIP] = [], hasSNAT: Bool = true, groups: [SecurityGroupSpec] = [anything, outOnly]) -> HostNetworkState {
        var state = state(generation, ports: ports, groups: groups, service: false)
        state.networks.append(
            NetworkSpec(id: blue, subnets: [SubnetSpec(id: "blue4", prefix: prefix("10.2.0.0/24"), gateway: address("10.2.0.1"))]))
        state.networks.append(NetworkSpec(id: outside, segment: .provider(bridge: bridge), subnets: [SubnetSpec(id: "out4", prefix: prefix("203.0.113.0/24"))]))
        state.routers = [
            RouterSpec(
                id: router,
                interfaces: [
                    RouterInterface(
                        id: "qr-red", network: red, mac: mac(0x201),
                        addresses: [InterfaceAddress(address("10.1.0.1"), 24), InterfaceAddress(address("2001:db8:1::1"), 64)]),
                    RouterInterface(id: "qr-blue", network: blue, mac: mac(0x202), addresses: [InterfaceAddress(address("10.2.0.1"), 24)]),
                ],
                gateway: ExternalGateway(
                    interface: RouterInterface(id: "qg", network: outside, mac: mac(0x203), addresses: [InterfaceAddress(address("203.0.113.10"), 24)]),
                    nextHops: [address("203.0.113.1")], hasSNAT: hasSNAT),
                floatingIPs: floating)
        ]
        return state
    }
}

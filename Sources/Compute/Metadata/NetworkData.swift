import CloudCore
import HostModel

/// The file `network_data.json`, which has a guest's cards, their addresses, and the name servers.
struct NetworkData {
    private let interfaces: [GuestCard]

    /// Takes the cards that have an address; the others are left out.
    init(_ interfaces: [GuestCard]) { self.interfaces = interfaces.filter { !$0.subnets.isEmpty } }

    private struct Network {
        var link: String
        var id: String
        var network: ID<Kind.Network>
        var subnet: GuestCard.Subnet
    }

    func write(_ json: inout JSONWriter) {
        let networks = interfaces.flatMap { interface in
            // There is one network of each IP version for a card. Readers of this file do not handle more.
            [IPAddress.Version.v4, .v6].compactMap { version in
                interface.subnets.first { $0.prefix.version == version }.map { (interface, $0) }
            }
        }.enumerated().map { number, part in
            Network(link: Self.link(part.0), id: "network\(number)", network: part.0.network, subnet: part.1)
        }
        json.object { json in
            guard !interfaces.isEmpty else { return }
            json.array("links", of: interfaces) { Self.write($1, &$0) }
            json.array("networks", of: networks) { Self.write($1, &$0) }
            json.array("services", of: Self.unique(networks.flatMap(\.subnet.dns))) { Self.write(dns: $1, &$0) }
        }
    }

    /// Returns the name of the device on the host. It has 14 characters, as in OpenStack.
    private static func link(_ interface: GuestCard) -> String { PortSpec.tap(of: interface.port.text) }

    private static func unique(_ addresses: [IPAddress]) -> [IPAddress] {
        var seen: Set<IPAddress> = []
        return addresses.filter { seen.insert($0).inserted }
    }

    private static func write(_ interface: GuestCard, _ json: inout JSONWriter) {
        json.object { json in
            json.member("id", link(interface))
            json.member("vif_id", interface.port)
            json.member("type", "bridge")
            // If there is DHCP, DHCP tells the guest the MTU.
            json.member("mtu", interface.subnets.contains(where: \.hasDHCP) ? nil : interface.mtu)
            json.member("ethernet_mac_address", interface.mac)
        }
    }

    private static func write(dns: IPAddress, _ json: inout JSONWriter) {
        json.object { json in
            json.member("type", "dns")
            json.member("address", dns.description)
        }
    }

    private static func write(_ network: Network, _ json: inout JSONWriter) {
        let subnet = network.subnet
        let version = subnet.prefix.version
        json.object { json in
            json.member("id", network.id)
            if subnet.hasDHCP, subnet.addressMode == nil {
                json.member("type", "ipv\(version.rawValue)_dhcp")
                json.member("link", network.link)
                json.member("network_id", network.network)
                return
            }
            json.member("type", "ipv\(version.rawValue)" + (subnet.addressMode.map { "_" + $0 } ?? ""))
            json.member("link", network.link)
            json.member("ip_address", subnet.address.description)
            json.member("netmask", mask(subnet.prefix))
            let all = IPPrefix(IPAddress(version, 0), 0)
            let routes = (subnet.gateway.map { [StaticRoute(to: all, by: $0)] } ?? []) + subnet.routes
            json.array("routes", of: routes) { json, route in
                json.object { json in
                    json.member("network", route.destination.first.description)
                    json.member("netmask", mask(route.destination))
                    json.member("gateway", route.nextHop.description)
                }
            }
            json.member("network_id", network.network)
            json.array("services", of: subnet.dns) { write(dns: $1, &$0) }
        }
    }

    static func mask(_ prefix: IPPrefix) -> String {
        let free = prefix.version.bits - prefix.length
        return IPAddress(prefix.version, free >= 128 ? 0 : ~UInt128(0) << UInt128(free)).description
    }
}

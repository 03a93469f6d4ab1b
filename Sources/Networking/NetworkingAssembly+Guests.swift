package import CloudCore
import Resources
package import SQL

/// A card of a server, and what its guest may know of the network behind it.
package struct GuestCard: Sendable, Hashable {
    package struct Subnet: Sendable, Hashable {
        package var address: IPAddress
        package var prefix: IPPrefix
        package var gateway: IPAddress?
        package var dns: [IPAddress]
        package var routes: [Route]
        package var hasDHCP: Bool
        /// The subnet's `ipv6_address_mode`.
        package var addressMode: String?
    }

    package struct Route: Sendable, Hashable {
        package var destination: IPPrefix
        package var nextHop: IPAddress
    }

    package var port: String
    package var network: String
    package var mac: String
    package var mtu: Int
    package var subnets: [Subnet]
    package var floatingIPs: [IPAddress]
}

/// What guests are told of themselves.
extension NetworkingAssembly {
    /// The server that has the address in the network; nil: none.
    package func server(at address: IPAddress, in network: String, tx: Transaction) throws -> String? {
        let addresses = AddressStore(world: networking.world)
        guard let port = try addresses.holder(of: address, on: ID(network), in: tx) else { return nil }
        return try ServerPortStore.server(of: ID(port), in: tx)
    }

    /// The cards of a server, in their order.
    package func guestCards(of server: String, in tx: Transaction) throws -> [GuestCard] {
        let addresses = AddressStore(world: networking.world)
        let ports = try ServerPortStore.ports(of: [server], addresses: addresses, in: tx)[server] ?? []
        let fixed = try addresses.addresses(ofPorts: ports.map(\.id), in: tx)
        let networks = Set(ports.map(\.network)).sorted()
        var ofNetworks = ListQuery()
        ofNetworks.filter("network_id", in: networks)
        let subnets = Dictionary(try ResourceStore<Subnet>().all(ofNetworks, in: tx).map { ($0.id.text, $0) }) { first, _ in first }
        let mtus = Dictionary(try ResourceStore<Network>().all(ListQuery(ids: networks), in: tx).map { ($0.id.text, Int($0.mtu)) }) { first, _ in first }
        return ports.map { port in
            GuestCard(
                port: port.id, network: port.network, mac: port.mac, mtu: mtus[port.network] ?? 1500,
                subnets: (fixed[port.id] ?? []).compactMap { Self.subnet($0, subnets[$0.subnetID.text]) },
                floatingIPs: port.addresses.filter(\.isFloating).compactMap { IPAddress($0.text) })
        }
    }

    private static func subnet(_ fixed: Port.FixedIP, _ subnet: Subnet?) -> GuestCard.Subnet? {
        guard let subnet, let prefix = subnet.cidr else { return nil }
        return GuestCard.Subnet(
            address: fixed.address, prefix: prefix, gateway: subnet.gateway, dns: subnet.nameservers.items,
            routes: subnet.routes.items.map { GuestCard.Route(destination: $0.destination, nextHop: $0.nexthop) }, hasDHCP: subnet.hasDHCP,
            addressMode: subnet.addressMode)
    }
}

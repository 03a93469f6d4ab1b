package import CloudCore
package import HostModel
import Resources
package import SQL

/// The facts about its networks that a guest is told.
extension NetworkingAssembly {
    /// Returns the server that has the address in the network; nil for none.
    package func server(at address: IPAddress, in network: ID<Kind.Network>, tx: Transaction) throws -> ID<Kind.Server>? {
        let addresses = AddressStore(world: networking.world)
        guard let port = try addresses.holder(of: address, on: network, in: tx) else { return nil }
        return try ServerPortStore.server(of: ID(port), in: tx)
    }

    /// Returns the network cards of a server, in their order.
    package func guestCards(of server: ID<Kind.Server>, in tx: Transaction) throws -> [GuestCard] {
        let addresses = AddressStore(world: networking.world)
        let ports = try ServerPortStore.ports(of: [server], in: tx)[server] ?? []
        let fixed = try addresses.addresses(ofPorts: ports.map(\.id.text), in: tx)
        let networks = Set(ports.map(\.network.text)).sorted()
        var ofNetworks = ListQuery()
        ofNetworks.filter("network_id", in: networks)
        let subnets = Dictionary(try ResourceStore<Subnet>().all(ofNetworks, in: tx).map { ($0.id.text, $0) }) { first, _ in first }
        let mtus = Dictionary(try ResourceStore<Network>().all(ListQuery(ids: networks), in: tx).map { ($0.id.text, Int($0.mtu)) }) { first, _ in first }
        return ports.map { port in
            GuestCard(
                port: port.id, network: port.network, mac: port.mac, mtu: mtus[port.network.text] ?? 1500,
                subnets: (fixed[port.id.text] ?? []).compactMap { Self.subnet($0, subnets[$0.subnetID.text]) },
                floatingIPs: port.addresses.filter(\.isFloating).compactMap { IPAddress($0.text) })
        }
    }

    private static func subnet(_ fixed: Port.FixedIP, _ subnet: Subnet?) -> GuestCard.Subnet? {
        guard let subnet, let prefix = subnet.cidr else { return nil }
        var told = GuestCard.Subnet(address: fixed.address, prefix: prefix, gateway: subnet.gateway)
        (told.dns, told.hasDHCP, told.addressMode) = (subnet.nameservers.items, subnet.hasDHCP, subnet.addressMode)
        told.routes = subnet.routes.items.map { StaticRoute(to: $0.destination, by: $0.nexthop) }
        return told
    }
}

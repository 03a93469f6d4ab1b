import CloudCore
import Resources
import SQL

/// The cloud's own ports on hosts: each host with guests of a network serves DHCP itself, from a port of its own.
///
/// This corresponds to a DHCP agent on every host in the reference. Guests get their addresses even on a host that is
/// cut off from the others.
struct HostPortService: Sendable {
    let networking: NetworkingContext

    private var ports: PortService { PortService(networking: networking) }
    private var addresses: AddressStore { AddressStore(world: networking.world) }

    /// The UUID namespace (RFC 9562: DNS) for the host's part of a DHCP port's device id. The id has the reference's
    /// form: `dhcp`, the UUID that follows from the host's name, and the network's id.
    private static let namespace = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

    /// Creates, changes or deletes a network's DHCP port on a host, as the network's subnets and the guests there
    /// demand.
    func renew(_ network: ID<Network.Noun>, on host: String, in tx: Transaction) throws {
        guard !host.isEmpty else { return }
        let present = try PortStore.dhcpPort(on: network, host: host, in: tx)
        let hasGuests = try PortStore.hasGuests(on: network, host: host, in: tx)
        let subnets = hasGuests ? try served(network, in: tx) : []
        guard !subnets.isEmpty else {
            if let present { try ports.discard(present, in: tx) }
            return
        }
        if let present, let port = try ports.store.find(present, in: tx) {
            var fixed = try addresses.addresses(ofPorts: [present.text], in: tx)[present.text] ?? []
            for old in fixed where !subnets.contains(where: { $0.id == old.subnetID }) { try addresses.remove(old, in: tx) }
            networking.touch([.host(host)], in: tx)
            fixed.removeAll { old in !subnets.contains { $0.id == old.subnetID } }
            try give(port, subnets, &fixed, in: tx)
            if fixed.isEmpty { try ports.discard(present, in: tx) }
        } else {
            try make(on: network, host, subnets, in: tx)
        }
    }

    /// Does so on every host that has ports of the network.
    func renew(_ network: ID<Network.Noun>, in tx: Transaction) throws {
        for host in try PortStore.hosts(of: network, in: tx) { try renew(network, on: host, in: tx) }
    }

    private func served(_ network: ID<Network.Noun>, in tx: Transaction) throws -> [Subnet] {
        var query = ListQuery()
        query.filter("network_id", .equals, network)
        query.filter("enable_dhcp", .equals, true)
        query.sort = [("created_at", true)]
        return try ResourceStore<Subnet>().all(query, in: tx)
    }

    private func make(on network: ID<Network.Noun>, _ host: String, _ subnets: [Subnet], in tx: Transaction) throws {
        var port = Port()
        port.networkID = network
        port.standard.projectID = try NetworkStore.project(of: network, in: tx) ?? ""
        port.deviceID = "dhcp\(UUIDText.derived(from: host, in: Self.namespace))-\(network)"
        port.deviceOwner = Port.dhcp
        port.host = host
        let made = try ports.make(port, [], in: tx)
        var fixed: [Port.FixedIP] = []
        try give(made, subnets, &fixed, in: tx)
        if fixed.isEmpty { try ports.discard(made.id, in: tx) }
    }

    /// Gives the port one address of each subnet. A full subnet gives none: its guests came first.
    private func give(_ port: Port, _ subnets: [Subnet], _ fixed: inout [Port.FixedIP], in tx: Transaction) throws {
        for subnet in subnets where !fixed.contains(where: { $0.subnetID == subnet.id }) {
            var free = try addresses.free(in: subnet, tx: tx)
            if subnet.isAutomatic, let mac = port.mac, let cidr = subnet.cidr { free = mac.address(in: cidr) }
            guard let address = free else { continue }
            let one = Port.FixedIP(subnetID: subnet.id, address: address)
            try addresses.insert(one, of: port.id, on: port.networkID, at: fixed.count, in: tx)
            fixed.append(one)
        }
    }
}

import CloudCore
import Resources
import SQL

/// Chooses the addresses of a port and stores them, in the transaction that creates or changes the port.
struct AddressAllocator: Sendable {
    let store: AddressStore

    private func subnets(of network: ID<Network.Noun>, in tx: Transaction) throws -> [Subnet] {
        var query = ListQuery()
        query.filter("network_id", .equals, network)
        query.sort = [("created_at", true)]
        return try ResourceStore<Subnet>().all(query, in: tx)
    }

    /// Gives a new port its addresses.
    ///
    /// - Parameter requests: the wanted addresses; nil for one address of each IP version that the network has.
    /// - Returns: the addresses, in their order.
    @discardableResult
    func give(_ port: Port, _ requests: [AddressRequest]?, in tx: Transaction) throws -> [Port.FixedIP] {
        let subnets = try subnets(of: port.networkID, in: tx)
        var fixed: [Port.FixedIP] = []
        if let requests {
            for request in requests { try add(request, to: port, subnets, &fixed, in: tx) }
            if requests.isEmpty { return [] }
        } else {
            let usable = subnets.filter { $0.serves(port.deviceOwner) && !$0.isAutomatic }
            for version in [Int64(4), 6] {
                let candidates = usable.filter { $0.version == version }
                guard !candidates.isEmpty else { continue }
                try add(oneOf: candidates, to: port, &fixed, in: tx)
            }
        }
        if !Port.routerOwners.contains(port.deviceOwner) {
            for subnet in subnets where subnet.isAutomatic && !fixed.contains(where: { $0.subnetID == subnet.id }) {
                try addAutomatic(subnet, to: port, &fixed, in: tx)
            }
        }
        return fixed
    }

    /// Keeps the addresses that are requested again, releases the others, and adds the new ones.
    func change(_ port: Port, from old: Port, _ requests: [AddressRequest], in tx: Transaction) throws {
        let subnets = try subnets(of: port.networkID, in: tx)
        var left = old.fixedIPs
        var kept: [Port.FixedIP] = []
        var new: [AddressRequest] = []
        for request in requests.sorted(by: { $0.address != nil && $1.address == nil }) {
            let found = left.firstIndex { fixed in
                request.address.map { $0 == fixed.address } ?? (request.subnetID == fixed.subnetID)
            }
            if let found { kept.append(left.remove(at: found)) } else { new.append(request) }
        }
        // Guests form these addresses themselves, so they stay unless the port gives up all addresses.
        let automatic = Set(subnets.filter(\.isAutomatic).map(\.id))
        for fixed in left where !automatic.contains(fixed.subnetID) || requests.isEmpty { try store.remove(fixed, in: tx) }
        kept += requests.isEmpty ? [] : left.filter { automatic.contains($0.subnetID) }
        for request in new { try add(request, to: port, subnets, &kept, in: tx) }
    }

    func giveAutomatic(_ port: Port, of subnet: Subnet, in tx: Transaction) throws {
        var fixed = try store.addresses(ofPorts: [port.id.text], in: tx)[port.id.text] ?? []
        try addAutomatic(subnet, to: port, &fixed, in: tx)
    }

    /// Replaces the addresses that a guest forms from its MAC address, after that address changed.
    func renewAutomatic(_ port: Port, in tx: Transaction) throws {
        var fixed = port.fixedIPs
        for subnet in try subnets(of: port.networkID, in: tx) where subnet.isAutomatic {
            for old in fixed where old.subnetID == subnet.id { try store.remove(old, in: tx) }
            fixed.removeAll { $0.subnetID == subnet.id }
            try addAutomatic(subnet, to: port, &fixed, in: tx)
        }
    }

    // MARK: One address

    private func add(
        _ request: AddressRequest, to port: Port, _ subnets: [Subnet], _ fixed: inout [Port.FixedIP], in tx: Transaction
    ) throws {
        let isOfRouter = Port.routerOwners.contains(port.deviceOwner)
        let subnet = try subnet(of: request, port, subnets)
        guard let address = request.address else {
            if subnet.isAutomatic, !isOfRouter { return try addAutomatic(subnet, to: port, &fixed, in: tx) }
            return try add(oneOf: [subnet], to: port, &fixed, in: tx)
        }
        if subnet.isAutomatic, !isOfRouter, let cidr = subnet.cidr, port.mac?.address(in: cidr) != address {
            throw CloudError.invalidInput(
                "IPv6 address \(address) can not be directly assigned to a port on subnet \(subnet.id) as the subnet is configured for automatic addresses")
        }
        if try store.isTaken(address, in: subnet.id, tx: tx) {
            throw CloudError.inUse(
                "IpAddressInUse", "Unable to complete operation for network \(port.networkID). The IP address \(address) is in use.")
        }
        try write(Port.FixedIP(subnetID: subnet.id, address: address), to: port, &fixed, in: tx)
    }

    private func subnet(of request: AddressRequest, _ port: Port, _ subnets: [Subnet]) throws -> Subnet {
        guard let id = request.subnetID else {
            guard let address = request.address,
                let subnet = subnets.first(where: { $0.cidr.map { SubnetPlan.mayHave(address, of: $0) } ?? false })
            else {
                throw CloudError.networking(
                    .badRequest, "InvalidIpForNetwork",
                    "IP address \(request.address?.description ?? "") is not a valid IP for any of the subnets on the specified network.")
            }
            return subnet
        }
        guard let subnet = subnets.first(where: { $0.id == id }) else {
            throw CloudError.invalidInput(
                "Failed to create port on network \(port.networkID), because fixed_ips included invalid subnet \(id)")
        }
        if let address = request.address, let cidr = subnet.cidr, !SubnetPlan.mayHave(address, of: cidr) {
            throw CloudError.networking(
                .badRequest, "InvalidIpForSubnet", "IP address \(address) is not a valid IP for the specified subnet.")
        }
        return subnet
    }

    private func add(oneOf subnets: [Subnet], to port: Port, _ fixed: inout [Port.FixedIP], in tx: Transaction) throws {
        for subnet in subnets {
            if let address = try store.free(in: subnet, tx: tx) {
                return try write(Port.FixedIP(subnetID: subnet.id, address: address), to: port, &fixed, in: tx)
            }
        }
        throw CloudError.inUse("IpAddressGenerationFailure", "No more IP addresses available on network \(port.networkID).")
    }

    private func addAutomatic(_ subnet: Subnet, to port: Port, _ fixed: inout [Port.FixedIP], in tx: Transaction) throws {
        guard let cidr = subnet.cidr, let mac = port.mac else { return }
        let address = mac.address(in: cidr)
        guard !fixed.contains(where: { $0.address == address }) else { return }
        try write(Port.FixedIP(subnetID: subnet.id, address: address), to: port, &fixed, in: tx)
    }

    private func write(_ one: Port.FixedIP, to port: Port, _ fixed: inout [Port.FixedIP], in tx: Transaction) throws {
        try store.insert(one, of: port.id, on: port.networkID, at: fixed.count, in: tx)
        fixed.append(one)
    }
}

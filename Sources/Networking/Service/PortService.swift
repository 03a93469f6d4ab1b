import Access
import CloudCore
import HTTPKit
import Resources
import SQL

struct PortService: NetworkingService {
    typealias R = Port
    let networking: NetworkingContext

    private var hostPorts: HostPortService { HostPortService(networking: networking) }
    private var groups: SecurityGroupService { SecurityGroupService(networking: networking) }
    private var allocator: AddressAllocator { AddressAllocator(store: AddressStore(world: networking.world)) }

    // MARK: Who sees it: its project, and its network's owner

    func targets(of rows: [Port], for caller: Principal, in tx: Transaction) throws -> [PolicyTarget] {
        let networks = try NetworkLookup(rows.map(\.networkID.text), for: caller, in: tx)
        return rows.map { port in
            var target = Self.target(port)
            networks[port.networkID]?.mark(&target)
            target.set("network_device", to: port.deviceOwner.hasPrefix("network:"))
            target.set("compute_device", to: port.deviceOwner.hasPrefix("compute:"))
            return target
        }
    }

    func visible(to caller: Principal) -> (sql: String, arguments: [SQLValue]) {
        NetworkStore.ownOrOnOwn(caller.project)
    }

    func loadParts(of rows: inout [Port], for caller: Principal, in tx: Transaction) throws {
        let ids = rows.map(\.id.text)
        let addresses = try allocator.store.addresses(ofPorts: ids, in: tx)
        let groups = try PortStore.groups(ofPorts: ids, in: tx)
        for at in rows.indices {
            rows[at].fixedIPs = addresses[rows[at].id.text] ?? []
            rows[at].securityGroups = groups[rows[at].id.text] ?? []
        }
    }

    func filter(
        _ name: String, _ values: [String], _ list: inout ListQuery, by caller: Principal, in tx: Transaction
    ) throws {
        if name == "security_groups" {
            list.raw.append(PortStore.withGroups(values))
        } else {
            list.raw += try PortStore.withAddresses(values)
        }
    }

    // MARK: Creating

    func prepare(_ port: inout Port, _ given: Given<Port>, by caller: Principal, in tx: Transaction) throws {
        let network = try NetworkLookup.require(port.networkID, by: caller, networking, in: tx)
        if !given.has(\.portSecurity) { port.portSecurity = network.portSecurity }
    }

    func willCreate(_ port: inout Port, _ given: Given<Port>, by caller: Principal, in tx: Transaction) throws {
        try checkDevice(port, by: caller)
        try giveMAC(&port, in: tx)
        port.status = Port.status(boundTo: port.host)
        port.options.items.removeAll { $0.value == nil }
        try checkPairs(&port)
        port.securityGroups = try groups(of: port, given, by: caller, in: tx)
        try checkSecurity(port)
    }

    func didCreate(_ port: Port, _ given: Given<Port>, by caller: Principal, in tx: Transaction) throws {
        try PortStore.setGroups(port.securityGroups, of: port.id, in: tx)
        try allocator.give(port, given.addresses, in: tx)
        if !port.isOfCloud { try hostPorts.renew(port.networkID, on: port.host, in: tx) }
    }

    /// Creates a port that the cloud itself needs, without a policy check and without a quota.
    ///
    /// - Parameter requests: the wanted addresses; nil for one of each IP version that the network has.
    func make(_ wanted: Port, _ requests: [AddressRequest]?, in tx: Transaction) throws -> Port {
        var port = wanted
        port.id = networking.newID()
        port.portSecurity = false
        (port.standard.createdAt, port.standard.updatedAt) = (networking.world.now, networking.world.now)
        try insert(&port, requests, in: tx)
        return port
    }

    /// Inserts a port with its addresses and groups, without a policy check.
    func insert(_ port: inout Port, _ requests: [AddressRequest]?, in tx: Transaction) throws {
        try giveMAC(&port, in: tx)
        try store.insert(port, in: tx)
        networking.touch(Port.touches(from: nil, to: port), in: tx)
        try PortStore.setGroups(port.securityGroups, of: port.id, in: tx)
        port.fixedIPs = try allocator.give(port, requests, in: tx)
    }

    /// Stores a port that the cloud itself changed. The parts of both ports must be loaded if they changed.
    func change(_ changed: Port, from old: Port, in tx: Transaction) throws {
        var port = changed
        stamp(&port)
        try save(port, over: old, in: tx)
    }

    private func giveMAC(_ port: inout Port, in tx: Transaction) throws {
        if let mac = port.mac {
            guard try !PortStore.hasMAC(mac, on: port.networkID, except: port.id, in: tx) else {
                throw CloudError.inUse(
                    "MacAddressInUse", "Unable to complete operation for network \(port.networkID). The mac address \(mac) is in use.")
            }
            return
        }
        for _ in 0..<Self.macAttempts {
            let mac = MACAddress(Self.macBase + networking.world.random.bytes(3))
            if try !PortStore.isKnown(mac, in: tx) {
                port.mac = mac
                return
            }
        }
        throw CloudError.networking(.unavailable, "MacAddressGenerationFailure", "Unable to generate unique mac on network \(port.networkID).")
    }

    private static let macBase: [UInt8] = [0xfa, 0x16, 0x3e]
    private static let macAttempts = 64

    // MARK: Changing

    func willUpdate(
        _ port: inout Port, from old: Port, _ given: Given<Port>, by caller: Principal, in tx: Transaction
    ) throws {
        if (port.deviceID, port.deviceOwner, port.host) != (old.deviceID, old.deviceOwner, old.host) { try checkFree(old, in: tx) }
        if (port.deviceID, port.deviceOwner) != (old.deviceID, old.deviceOwner) {
            for port in [old, port] { try checkDevice(port, by: caller) }
        }
        if port.host != old.host { port.status = Port.status(boundTo: port.host) }
        // A null asks for a new address.
        if port.mac != old.mac {
            if old.isOfCloud || !old.host.isEmpty && !old.deviceID.isEmpty {
                throw CloudError.inUse("PortBound", "Unable to complete operation on port \(port.id), port is already bound.")
            }
            try giveMAC(&port, in: tx)
        }
        if given.has(\.options) {
            port.options = Self.merged(old.options, port.options)
            guard port.options.items.count <= Limits.thing.dhcpOptions.most else {
                throw CloudError.overQuota(["extra_dhcp_opt"])
            }
        }
        try checkPairs(&port)
        if given.groups != nil { port.securityGroups = try groups(of: port, given, by: caller, in: tx) }
        try checkSecurity(port)
    }

    func didUpdate(
        _ port: Port, from old: Port, _ given: Given<Port>, by caller: Principal, in tx: Transaction
    ) throws {
        if port.securityGroups != old.securityGroups { try PortStore.setGroups(port.securityGroups, of: port.id, in: tx) }
        if given.addresses != nil || port.mac != old.mac { networking.touch([.port(port.id)], in: tx) }
        if let asked = given.addresses {
            try allocator.change(port, from: old, asked, in: tx)
        } else if port.mac != old.mac {
            try allocator.renewAutomatic(port, in: tx)
        }
        if port.host != old.host, !port.isOfCloud {
            for host in [old.host, port.host] { try hostPorts.renew(port.networkID, on: host, in: tx) }
        }
    }

    /// Refuses to attach or detach a router's port here: the router's own API does that, and checks the owner and the
    /// router's other ports.
    private func checkDevice(_ port: Port, by caller: Principal) throws {
        guard port.isOfRouter, !port.deviceID.isEmpty, !networking.seesAll(caller) else { return }
        throw CloudError.inUse(
            "DeviceNotOwnedByTenant", "The following device_id \(port.deviceID) is not owned by your tenant or matches another tenants router.")
    }

    /// Refuses a change of a server's port here: the server's own API attaches and detaches it, and the rows would
    /// otherwise be wrong.
    private func checkFree(_ port: Port, in tx: Transaction) throws {
        guard let server = try ServerPortStore.server(of: port.id, in: tx) else { return }
        throw CloudError.inUse(
            "PortInUse",
            "Unable to complete operation on port \(port.id) for network \(port.networkID). Port already has an attached device \(server).")
    }

    /// Returns the options after an update: new ones replace those with the same name and IP version, a null removes
    /// one, the others stay.
    private static func merged(_ old: Listed<DHCPOption>, _ new: Listed<DHCPOption>) -> Listed<DHCPOption> {
        let kept = old.items.filter { option in !new.items.contains { $0.name == option.name && $0.version == option.version } }
        return Listed(kept + new.items.filter { $0.value != nil })
    }

    // MARK: Deleting

    func willDelete(_ port: Port, by caller: Principal, in tx: Transaction) throws {
        guard !port.isOfRouter else {
            throw CloudError.inUse(
                "ServicePortInUse",
                "Port \(port.id) cannot be deleted directly via the port API: has device owner \(port.deviceOwner).")
        }
        try detach(port.id, in: tx)
    }

    /// Disconnects every floating IP from a port.
    private func detach(_ id: ID<Port.Noun>, in tx: Transaction) throws {
        networking.touch(Set(try FloatingIPStore.detach(port: id, in: tx).map(Touch.router)), in: tx)
    }

    func didDelete(_ port: Port, by caller: Principal, in tx: Transaction) throws {
        if !port.isOfCloud { try hostPorts.renew(port.networkID, on: port.host, in: tx) }
    }

    /// Deletes a port that the cloud itself created.
    func discard(_ id: ID<Port.Noun>, in tx: Transaction) throws {
        networking.touch(try TouchStore.touches(ofPort: id, in: tx), in: tx)
        try detach(id, in: tx)
        try TagStore.set([], of: id.text, in: tx)
        try store.delete(id, in: tx)
    }

    /// Gives the existing ports of a network an address of a subnet whose addresses guests form themselves.
    func giveAutomatic(_ subnet: Subnet, in tx: Transaction) throws {
        var ports = ListQuery()
        ports.filter("network_id", .equals, subnet.networkID)
        for port in try store.all(ports, in: tx) where !Port.routerOwners.contains(port.deviceOwner) {
            try allocator.giveAutomatic(port, of: subnet, in: tx)
            networking.touch([.port(port.id)], in: tx)
        }
    }

    // MARK: Checks

    private func groups(
        of port: Port, _ given: Given<Port>, by caller: Principal, in tx: Transaction
    ) throws -> [String] {
        guard let asked = given.groups else {
            guard port.portSecurity, !port.isOfCloud, !port.projectID.isEmpty else { return [] }
            return [try groups.ensureDefault(of: port.projectID, in: tx).text]
        }
        let ids = Array(Set(asked)).sorted()
        try groups.checkUsable(ids, for: port.projectID, by: caller, in: tx)
        try groups.checkAlike(ids, in: tx)
        return ids
    }

    private func checkSecurity(_ port: Port) throws {
        guard !port.portSecurity else { return }
        if !port.securityGroups.isEmpty {
            throw CloudError.inUse(
                "PortSecurityPortHasSecurityGroup",
                "Port has security group associated. Cannot disable port security or IP address until security group is removed.")
        }
        if !port.pairs.items.isEmpty {
            throw CloudError.inUse(
                "AddressPairAndPortSecurityRequired", "Port Security must be enabled in order to have allowed address pairs on a port.")
        }
    }

    /// Bounds the address pairs of a port: each is a rule of the firewall on a host that other projects' guests share.
    private func checkPairs(_ port: inout Port) throws {
        let most = Limits.thing.addressPairs.most
        if port.pairs.items.count > most {
            throw CloudError.networking(
                .badRequest, "AllowedAddressPairExhausted",
                "The number of allowed address pair exceeds the maximum \(most).")
        }
        for at in port.pairs.items.indices where port.pairs.items[at].mac == nil { port.pairs.items[at].mac = port.mac }
        guard Set(port.pairs.items).count == port.pairs.items.count else {
            throw CloudError.networking(
                .badRequest, "DuplicateAddressPairInRequest", "Request contains duplicate address pair.")
        }
    }
}

import Access
import CloudCore
import HTTPKit
import Resources
import SQL

struct SubnetService: NetworkingService {
    typealias R = Subnet
    let networking: NetworkingContext

    private var addresses: AddressStore { AddressStore(world: networking.world) }
    private static let mostNameservers = Limits.thing.nameservers.most
    private static let mostRoutes = Limits.thing.hostRoutes.most

    // MARK: Who sees it: who sees its network

    func targets(of rows: [Subnet], for caller: Principal, in tx: Transaction) throws -> [PolicyTarget] {
        let networks = try NetworkLookup(rows.map(\.networkID.text), for: caller, in: tx)
        return rows.map { subnet in
            var target = Self.target(subnet)
            networks[subnet.networkID]?.mark(&target)
            return target
        }
    }

    func visible(to caller: Principal) -> (sql: String, arguments: [SQLValue]) {
        let (granted, arguments) = SharingStore.granted("network", to: caller.project, column: "network_id")
        let own = NetworkStore.ownOrOnOwn(caller.project)
        return ("\(own.sql) OR \(granted)", own.arguments + arguments)
    }

    func filter(_ name: String, _ values: [String], _ list: inout ListQuery, by caller: Principal, in tx: Transaction) throws {
        var (sql, arguments) = SharingStore.sharedCondition(caller.project, column: "network_id")
        if name == "router:external" { (sql, arguments) = NetworkStore.partsOfExternal }
        list.raw.append((Bool.isTrue(values) ? sql : "NOT (\(sql))", arguments))
    }

    func loadParts(of rows: inout [Subnet], for caller: Principal, in tx: Transaction) throws {
        let networks = try NetworkLookup(rows.map(\.networkID.text), for: caller, in: tx)
        for at in rows.indices { rows[at].isExternal = networks[rows[at].networkID]?.isExternal ?? false }
    }

    // MARK: Writing

    func prepare(_ subnet: inout Subnet, _ given: Given<Subnet>, by caller: Principal, in tx: Transaction) throws {
        _ = try NetworkLookup.require(subnet.networkID, by: caller, networking, in: tx)
    }

    func willCreate(_ subnet: inout Subnet, _ given: Given<Subnet>, by caller: Principal, in tx: Transaction) throws {
        guard let version = IPAddress.Version(rawValue: subnet.version) else { throw CloudError.invalidInput("ip_version must be 4 or 6") }
        try SubnetPoolService(networking: networking).cut(&subnet, given, by: caller, in: tx)
        guard let cidr = subnet.cidr else {
            throw CloudError.badNetworkingRequest("subnets", "a subnetpool must be specified in the absence of a cidr")
        }
        guard cidr.version == version else {
            throw CloudError.invalidInput("cidr '\(cidr)' does not match the ip_version '\(version.rawValue)'")
        }
        try SubnetPlan.check(cidr, hasDHCP: subnet.hasDHCP)
        try checkModes(subnet, cidr)
        if !given.has(\.gateway) { subnet.gateway = SubnetPlan.usualGateway(of: cidr) }
        if !given.sets(\.pools) {
            subnet.pools = Listed(SubnetPlan.usualPools(of: cidr, without: subnet.gateway))
        } else {
            try SubnetPlan.check(subnet.pools.items, in: cidr)
        }
        try checkParts(subnet, cidr)
        try checkOverlap(subnet, cidr, in: tx)
        if version == .v6, let mtu = try NetworkStore.mtu(of: subnet.networkID, in: tx), mtu < 1280 {
            throw CloudError.inUse("NetworkMTUSubnetConflict", "Invalid MTU \(mtu) on network \(subnet.networkID), minimum is 1280.")
        }
    }

    func didCreate(_ subnet: Subnet, _ given: Given<Subnet>, by caller: Principal, in tx: Transaction) throws {
        try touch(subnet, in: tx)
        // Guests that are already connected receive the new prefix too.
        if subnet.isAutomatic { try PortService(networking: networking).giveAutomatic(subnet, in: tx) }
        try HostPortService(networking: networking).renew(subnet.networkID, in: tx)
    }

    func willUpdate(_ subnet: inout Subnet, from old: Subnet, _ given: Given<Subnet>, by caller: Principal, in tx: Transaction) throws {
        guard let cidr = subnet.cidr else { return }
        if given.has(\.pools) { try SubnetPlan.check(subnet.pools.items, in: cidr) }
        if subnet.hasDHCP != old.hasDHCP {
            try SubnetPlan.check(cidr, hasDHCP: subnet.hasDHCP)
            if !subnet.hasDHCP, subnet.advertisement != nil || subnet.addressMode != nil { throw Self.modesNeedDHCP }
        }
        try checkParts(subnet, cidr)
        if let gateway = old.gateway, subnet.gateway != gateway,
            let port = try AddressStore.routerPort(with: gateway, of: subnet.id, in: tx)
        {
            throw CloudError.inUse("GatewayIpInUse", "Current gateway ip \(gateway) already in use by port \(port). Unable to update.")
        }
    }

    func willDelete(_ subnet: Subnet, by caller: Principal, in tx: Transaction) throws {
        let users = try addresses.users(of: subnet.id, in: tx)
        let stays = { (owner: String) in
            !Port.automaticOwners.contains(owner) && (!subnet.isAutomatic || Port.routerOwners.contains(owner))
        }
        if users.contains(where: { stays($0.owner) }) {
            throw CloudError.inUse(
                "SubnetInUse",
                "Unable to complete operation on subnet \(subnet.id): One or more ports have an IP allocation from this subnet.")
        }
        try AddressStore.removeAll(of: subnet.id, in: tx)
        networking.touch(Set(users.map { .port(ID($0.port)) }), in: tx)
        try touch(subnet, in: tx)
    }

    func didUpdate(_ subnet: Subnet, from old: Subnet, _ given: Given<Subnet>, by caller: Principal, in tx: Transaction) throws {
        if subnet.hasDHCP != old.hasDHCP { try HostPortService(networking: networking).renew(subnet.networkID, in: tx) }
    }

    func didDelete(_ subnet: Subnet, by caller: Principal, in tx: Transaction) throws {
        try HostPortService(networking: networking).renew(subnet.networkID, in: tx)
    }

    private func touch(_ subnet: Subnet, in tx: Transaction) throws {
        try SharingStore.touch(network: subnet.networkID.text, at: networking.world.now, in: tx)
    }

    // MARK: Checks

    private func checkParts(_ subnet: Subnet, _ cidr: IPPrefix) throws {
        if let gateway = subnet.gateway {
            guard SubnetPlan.mayBeGateway(gateway, of: cidr) else { throw CloudError.invalidInput("Gateway is not valid on subnet") }
            if let pool = subnet.pools.items.first(where: { $0.contains(gateway) }) {
                throw CloudError.inUse(
                    "GatewayConflictWithAllocationPools", "Gateway ip \(gateway) conflicts with allocation pool \(pool).")
            }
        }
        if subnet.nameservers.items.count > Self.mostNameservers {
            throw CloudError.networking(
                .badRequest, "DNSNameServersExhausted",
                "Unable to complete operation for \(subnet.id). The number of DNS nameservers exceeds the limit \(Self.mostNameservers).")
        }
        guard Set(subnet.nameservers.items).count == subnet.nameservers.items.count else {
            throw CloudError.badRequest("Invalid input for dns_nameservers. Reason: Duplicate nameserver.")
        }
        if subnet.routes.items.count > Self.mostRoutes {
            throw CloudError.networking(
                .badRequest, "HostRoutesExhausted",
                "Unable to complete operation for \(subnet.id). The number of host routes exceeds the limit \(Self.mostRoutes).")
        }
        for route in subnet.routes.items where route.destination.version != cidr.version || route.nexthop.version != cidr.version {
            throw CloudError.invalidInput("'\(route.destination)' does not match the ip_version '\(subnet.version)'")
        }
        guard Set(subnet.routes.items).count == subnet.routes.items.count else {
            throw CloudError.badRequest("Invalid input for host_routes. Reason: Duplicate hostroute.")
        }
        for type in subnet.serviceTypes.items where !type.contains(":") || type.count > 255 {
            throw CloudError.networking(
                .badRequest, "InvalidSubnetServiceType", "Subnet service type \(type.prefix(255)) does not correspond to a valid device owner.")
        }
    }

    private static let modesNeedDHCP = CloudError.badNetworkingRequest(
        "subnets", "ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False")

    private func checkModes(_ subnet: Subnet, _ cidr: IPPrefix) throws {
        guard subnet.advertisement != nil || subnet.addressMode != nil else { return }
        guard cidr.version == .v6 else { throw CloudError.invalidInput("ipv6_ra_mode and ipv6_address_mode are not valid when ip_version is 4") }
        guard subnet.hasDHCP else { throw Self.modesNeedDHCP }
        if let advertisement = subnet.advertisement, let mode = subnet.addressMode, advertisement != mode {
            throw CloudError.invalidInput(
                "ipv6_ra_mode set to '\(advertisement)' with ipv6_address_mode set to '\(mode)' is not valid. If both attributes are set, they must be the same value")
        }
        let mode = subnet.addressMode ?? subnet.advertisement
        if mode != "dhcpv6-stateful", cidr.length != 64 {
            throw CloudError.invalidInput("Invalid CIDR \(cidr) for IPv6 address mode. OpenStack uses the EUI-64 address format, which requires the prefix to be /64")
        }
    }

    private func checkOverlap(_ subnet: Subnet, _ cidr: IPPrefix, in tx: Transaction) throws {
        for other in try SubnetStore.prefixes(on: subnet.networkID, in: tx) where cidr.overlaps(other.prefix) {
            throw CloudError.invalidInput(
                "Requested subnet with cidr: \(cidr) for network: \(subnet.networkID) overlaps with another subnet (\(other.id))")
        }
    }
}

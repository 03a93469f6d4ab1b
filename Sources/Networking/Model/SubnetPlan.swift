import CloudCore

/// The default layout of a subnet's addresses, and the checks of a layout that a body gives.
enum SubnetPlan {
    static func check(_ cidr: IPPrefix, hasDHCP: Bool) throws {
        if cidr.version == .v6, cidr.first.value == 0 { throw CloudError.invalidInput("IPv6 subnet '::' is not supported") }
        if cidr.version == .v4, cidr.first.value == 0 { throw CloudError.invalidInput("First IP '0.0.0.0' of network is not supported") }
        if hasDHCP, cidr.length > cidr.version.bits - 2 {
            throw CloudError.invalidInput("Subnet has a prefix length that is incompatible with DHCP service enabled")
        }
        if cidr.length == 0 { throw CloudError.invalidInput("0 is not allowed as CIDR prefix length") }
        if cidr.first.isMulticast { throw CloudError.invalidInput("Multicast IP subnet is not supported if enable_dhcp is True") }
        if cidr.first.isLoopback { throw CloudError.invalidInput("Loopback IP subnet is not supported if enable_dhcp is True") }
    }

    static func usualGateway(of cidr: IPPrefix) -> IPAddress { isTiny(cidr) ? cidr.first : cidr.first + 1 }

    /// Tells whether the prefix is too small for a network address and a broadcast address (RFC 3021).
    private static func isTiny(_ cidr: IPPrefix) -> Bool { cidr.length >= cidr.version.bits - 1 }

    /// Returns the addresses that hosts may have: all but the network's own address and IPv4's broadcast address.
    private static func hosts(of cidr: IPPrefix) -> AddressRange {
        if isTiny(cidr) { return AddressRange(first: cidr.first, last: cidr.last) }
        return AddressRange(first: cidr.first + 1, last: cidr.version == .v4 ? cidr.last + -1 : cidr.last)
    }

    static func mayHave(_ address: IPAddress, of cidr: IPPrefix) -> Bool { hosts(of: cidr).contains(address) }

    static func mayBeGateway(_ address: IPAddress, of cidr: IPPrefix) -> Bool {
        guard address.version == cidr.version else { return false }
        if cidr.version == .v6, address.isLinkLocal { return true }
        // A host reaches a gateway outside the subnet by a route of its own.
        if !cidr.contains(address) { return true }
        return mayHave(address, of: cidr) || (cidr.version == .v6 && address == cidr.first)
    }

    static func usualPools(of cidr: IPPrefix, without gateway: IPAddress?) -> [AddressRange] {
        let all = hosts(of: cidr)
        guard let gateway, all.contains(gateway) else { return [all] }
        var pools: [AddressRange] = []
        if gateway > all.first { pools.append(AddressRange(first: all.first, last: gateway + -1)) }
        if gateway < all.last { pools.append(AddressRange(first: gateway + 1, last: all.last)) }
        return pools
    }

    static func check(_ pools: [AddressRange], in cidr: IPPrefix) throws {
        let all = hosts(of: cidr)
        for pool in pools {
            guard pool.first.version == cidr.version, pool.last.version == cidr.version, pool.first <= pool.last else {
                throw CloudError.networking(.badRequest, "InvalidAllocationPool", "The allocation pool \(pool) is not valid.")
            }
            guard all.contains(pool.first), all.contains(pool.last) else {
                throw CloudError.networking(
                    .badRequest, "OutOfBoundsAllocationPool", "The allocation pool \(pool) spans beyond the subnet cidr \(cidr).")
            }
        }
        let sorted = pools.sorted { $0.first < $1.first }
        for (one, next) in zip(sorted, sorted.dropFirst()) where one.overlaps(next) {
            throw CloudError.inUse(
                "OverlappingAllocationPools", "Found overlapping allocation pools: \(one) \(next) for subnet \(cidr).")
        }
    }
}

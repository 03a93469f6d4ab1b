import Access
import CloudCore
import HTTPKit
import Resources
import SQL

struct SubnetPoolService: NetworkingService {
    typealias R = SubnetPool
    let networking: NetworkingContext

    func loadParts(of rows: inout [SubnetPool], for caller: Principal, in tx: Transaction) throws {
        try SharingStore.load(&rows, for: caller, in: tx)
    }

    /// Checks all pools of a request together, so that each address scope is read once.
    func willCreate(together pools: inout [SubnetPool], by caller: Principal, in tx: Transaction) throws {
        // Merging and comparing them is work, also if it turns out that they are too many.
        let count = pools.reduce(0) { $0 + $1.prefixes.items.count }
        if count > Limits.thing.scopePrefixes.most { throw CloudError.overQuota(["subnetpool_prefix"]) }
        for at in pools.indices {
            guard let first = pools[at].prefixes.items.first else {
                throw CloudError.networking(.badRequest, "EmptySubnetPoolPrefixList", "Empty subnet pool prefix list.")
            }
            pools[at].version = first.version.rawValue
            try settle(&pools[at])
        }
        try checkScopes(pools, by: caller, in: tx)
    }

    func willCreate(
        _ pool: inout SubnetPool, _ given: Given<SubnetPool>, by caller: Principal, in tx: Transaction
    ) throws {
        guard let first = pool.prefixes.items.first else { return }
        if !given.has(\.shownLeast) { pool.leastLength = first.version == .v4 ? 8 : 64 }
        if !given.has(\.shownMost) { pool.mostLength = Int64(first.version.bits) }
        if !given.has(\.shownUsual) { pool.usualLength = pool.leastLength }
        try checkBounds(pool)
        if pool.isDefault { try checkDefault(pool, in: tx) }
    }

    func didCreate(_ pool: SubnetPool, _ given: Given<SubnetPool>, by caller: Principal, in tx: Transaction) throws {
        try SharingStore.setForAll(pool, RBACPolicy.shared, pool.isShared, id: networking.world.random.uuid(), in: tx)
    }

    func willUpdate(_ pool: inout SubnetPool, from old: SubnetPool, _ given: Given<SubnetPool>, by caller: Principal, in tx: Transaction) throws {
        if let id = old.scopeID {
            let scope = try scopes.require(id, by: caller, in: tx)
            guard scope.projectID == caller.project || networking.isAdmin(caller) else {
                throw CloudError.networking(
                    .badRequest, "IllegalSubnetPoolUpdate",
                    "Illegal subnetpool update : subnetpool \(pool.id) cannot be updated when associated with shared address scope \(id).")
            }
        }
        try settle(&pool)
        for prefix in old.prefixes.items where !pool.prefixes.items.contains(where: { $0.contains(prefix) }) {
            throw CloudError.networking(
                .badRequest, "IllegalSubnetPoolPrefixUpdate",
                "Illegal update to prefixes: Existing prefixes must be a subset of the new prefixes.")
        }
        try checkBounds(pool)
        if pool.isDefault, !old.isDefault { try checkDefault(pool, in: tx) }
        if pool.scopeID != old.scopeID || pool.prefixes != old.prefixes { try checkScopes([pool], by: caller, in: tx) }
    }

    func willDelete(_ pool: SubnetPool, by caller: Principal, in tx: Transaction) throws {
        if try SubnetPoolStore.isUsed(pool.id, in: tx) {
            throw CloudError.networking(
                .badRequest, "SubnetPoolDeleteError", "Unable to delete subnet pool: Subnet pool has existing allocations.")
        }
    }

    // MARK: Checks

    /// Merges the prefixes of a pool into the fewest, and checks that they have one IP version and are not too many.
    private func settle(_ pool: inout SubnetPool) throws {
        let prefixes = pool.prefixes.items
        guard prefixes.allSatisfy({ $0.version.rawValue == pool.version }) else {
            throw CloudError.networking(.badRequest, "PrefixVersionMismatch", "Cannot mix IPv4 and IPv6 prefixes in a subnet pool.")
        }
        pool.prefixes.items = PrefixMath.compact(prefixes)
        if pool.prefixes.items.count > Limits.thing.prefixes.most { throw CloudError.overQuota(["subnetpool_prefix"]) }
    }

    private var scopes: AddressScopeService { AddressScopeService(networking: networking) }

    private func checkBounds(_ pool: SubnetPool) throws {
        let bounds = [
            ("min_prefixlen", pool.leastLength, "max_prefixlen", pool.mostLength), ("max_prefixlen", pool.mostLength, "prefixlen", pool.version == 4 ? 32 : 128),
            ("default_prefixlen", pool.usualLength, "max_prefixlen", pool.mostLength), ("min_prefixlen", pool.leastLength, "default_prefixlen", pool.usualLength),
        ]
        for (type, value, base, limit) in bounds where value > limit {
            throw CloudError.networking(
                .badRequest, "IllegalSubnetPoolPrefixBounds", "Illegal prefix bounds: \(type)=\(value), \(base)=\(limit).")
        }
    }

    private func checkDefault(_ pool: SubnetPool, in tx: Transaction) throws {
        if try SubnetPoolStore.hasDefault(version: pool.version, except: pool.id, in: tx) {
            throw CloudError.invalidInput(
                "A default subnetpool for this IP family has already been set. Only one default may exist per IP family")
        }
    }

    /// Refuses pools of one scope that have an address in common, including the pools of this request.
    private func checkScopes(_ pools: [SubnetPool], by caller: Principal, in tx: Transaction) throws {
        for (id, new) in Dictionary(grouping: pools.filter { $0.scopeID != nil }, by: \.scopeID) {
            guard let id else { continue }
            let scope = try scopes.require(id, by: caller, in: tx)
            if let wrong = new.first(where: { $0.version != scope.version }) {
                throw CloudError.networking(
                    .badRequest, "IllegalSubnetPoolIpVersionAssociationToAddressScope",
                    "Illegal subnetpool association: subnetpool \(wrong.id) cannot associate with address scope \(id) because subnetpool ip_version is not \(scope.version).")
            }
            var query = ListQuery()
            query.filter("address_scope_id", .equals, id)
            let ids = Set(new.map(\.id))
            let others = try store.all(query, in: tx).filter { !ids.contains($0.id) }
            let prefixes = (others + new).flatMap(\.prefixes.items)
            // All of them are compared when one of them changes.
            if prefixes.count > Limits.thing.scopePrefixes.most { throw CloudError.overQuota(["address_scope_prefix"]) }
            if PrefixMath.haveOverlap(prefixes) {
                throw CloudError.inUse(
                    "AddressScopePrefixConflict",
                    "Failed to associate address scope: subnetpools within an address scope must have unique prefixes.")
            }
        }
    }
}

// MARK: - Cutting subnets

extension SubnetPoolService {
    /// Gives a new subnet a prefix from the pool that its body names, if it names one.
    func cut(_ subnet: inout Subnet, _ given: Given<Subnet>, by caller: Principal, in tx: Transaction) throws {
        guard let pool = try pool(of: subnet, given, by: caller, in: tx) else {
            subnet.poolID = nil
            return try checkAffinity(subnet, in: tx)
        }
        guard pool.version == subnet.version else {
            throw CloudError.badNetworkingRequest(
                "subnets", "Cannot allocate IPv\(subnet.version) subnet from IPv\(pool.version) subnet pool")
        }
        subnet.poolID = pool.id
        try checkAffinity(subnet, in: tx)
        let taken = try SubnetPoolStore.taken(from: pool.id, in: tx)
        if let cidr = subnet.cidr {
            guard pool.prefixes.items.contains(where: { $0.contains(cidr) }), !taken.contains(where: { $0.prefix.overlaps(cidr) }) else {
                throw CloudError.networking(
                    .badRequest, "SubnetAllocationError",
                    "Failed to allocate subnet: Cannot allocate requested subnet from the available set of prefixes.")
            }
            try checkLength(Int64(cidr.length), pool)
        } else {
            let length = given.prefixLength ?? pool.usualLength
            try checkLength(length, pool)
            guard let free = PrefixMath.firstFree(of: Int(length), in: pool.prefixes.items, without: taken.map(\.prefix)) else {
                throw CloudError.networking(
                    .badRequest, "SubnetAllocationError", "Failed to allocate subnet: Insufficient prefix space to allocate subnet size /\(length).")
            }
            subnet.cidr = free
        }
        if let quota = pool.quotaOfProject, let cidr = subnet.cidr {
            let used = taken.filter { $0.project == subnet.projectID }.map { PrefixMath.weight($0.prefix) }.reduce(0, +)
            if used + PrefixMath.weight(cidr) > Double(quota) {
                throw CloudError.inUse("SubnetPoolQuotaExceeded", "Per-project subnet pool prefix quota exceeded.")
            }
        }
    }

    private func pool(
        of subnet: Subnet, _ given: Given<Subnet>, by caller: Principal, in tx: Transaction
    ) throws -> SubnetPool? {
        if given.usesDefaultPool {
            guard subnet.poolID == nil else {
                throw CloudError.badNetworkingRequest("subnets", "subnetpool_id and use_default_subnetpool cannot both be specified")
            }
            var query = ListQuery()
            query.filter("is_default", .equals, true)
            query.filter("ip_version", .equals, subnet.version)
            narrow(&query, to: caller)
            guard let pool = try store.all(query, in: tx).first else {
                throw CloudError.badNetworkingRequest("subnets", "No default subnetpool found for IPv\(subnet.version)")
            }
            return pool
        }
        guard let id = subnet.poolID, !id.text.isEmpty else { return nil }
        if id.text == "prefix_delegation" {
            throw CloudError.badNetworkingRequest("subnets", "Prefix delegation is not available")
        }
        return try require(id, by: caller, in: tx)
    }

    private func checkAffinity(_ subnet: Subnet, in tx: Transaction) throws {
        let others = try SubnetStore.pools(on: subnet.networkID, version: subnet.version, in: tx)
        guard others.allSatisfy({ $0 == subnet.poolID?.text }) else {
            throw CloudError.networking(
                .badRequest, "NetworkSubnetPoolAffinityError",
                "Subnets hosted on the same network must be allocated from the same subnet pool.")
        }
    }

    private func checkLength(_ length: Int64, _ pool: SubnetPool) throws {
        if length < pool.leastLength {
            throw CloudError.networking(
                .badRequest, "MinPrefixSubnetAllocationError",
                "Unable to allocate subnet with prefix length \(length), minimum allowed prefix is \(pool.leastLength).")
        }
        if length > pool.mostLength {
            throw CloudError.networking(
                .badRequest, "MaxPrefixSubnetAllocationError",
                "Unable to allocate subnet with prefix length \(length), maximum allowed prefix is \(pool.mostLength).")
        }
    }
}

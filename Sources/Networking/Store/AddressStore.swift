import CloudCore
import Resources
import SQL

/// The allocated addresses. Each is a row, whose key prevents that two ports get the same address.
struct AddressStore: Sendable {
    let world: World

    /// The number of random tries before the rows are searched for a gap.
    private static let probes = 8

    func isTaken(_ address: IPAddress, in subnet: ID<Subnet.Noun>, tx: Transaction) throws -> Bool {
        try tx.row("SELECT 1 FROM networking_ip_allocation WHERE subnet_id = ? AND ip = ?", subnet, address.key) != nil
    }

    func insert(_ fixed: Port.FixedIP, of port: ID<Port.Noun>, on network: ID<Network.Noun>, at position: Int, in tx: Transaction) throws {
        try tx.execute(
            """
            INSERT INTO networking_ip_allocation (subnet_id, ip, next_ip, address, port_id, network_id, position)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """, fixed.subnetID, fixed.address.key, (fixed.address + 1).key, fixed.address.description, port, network, position)
    }

    func remove(_ fixed: Port.FixedIP, in tx: Transaction) throws {
        try tx.execute("DELETE FROM networking_ip_allocation WHERE subnet_id = ? AND ip = ?", fixed.subnetID, fixed.address.key)
    }

    /// Returns the addresses of ports, each port's in its own order.
    func addresses(ofPorts ids: [String], in tx: Transaction) throws -> [String: [Port.FixedIP]] {
        var found: [String: [Port.FixedIP]] = [:]
        for row in try tx.rows(
            among: ids, "SELECT port_id, subnet_id, ip FROM networking_ip_allocation WHERE port_id IN", "ORDER BY position, ip")
        {
            guard let address = IPAddress(key: try row.value(at: 2)) else { throw SQLError.misuse("an address that is none") }
            found[try row.value(at: 0), default: []].append(Port.FixedIP(subnetID: try row.value(at: 1), address: address))
        }
        return found
    }

    /// Returns the port that has an address of a network.
    func holder(of address: IPAddress, on network: ID<Network.Noun>, in tx: Transaction) throws -> String? {
        try tx.value("SELECT port_id FROM networking_ip_allocation WHERE network_id = ? AND ip = ?", network, address.key)
    }

    static func removeAll(of subnet: ID<Subnet.Noun>, in tx: Transaction) throws {
        try tx.execute("DELETE FROM networking_ip_allocation WHERE subnet_id = ?", subnet)
    }

    /// Returns the port with which a router has an address of a subnet.
    static func routerPort(with address: IPAddress, of subnet: ID<Subnet.Noun>, in tx: Transaction) throws -> String? {
        try tx.value(
            """
            SELECT p.id FROM networking_ip_allocation a JOIN networking_port p ON p.id = a.port_id
            WHERE a.subnet_id = ? AND a.ip = ? AND p.device_owner = ?
            """, subnet, address.key, Port.routerInterface)
    }

    /// Returns the ports with addresses of a subnet, each with its owner.
    func users(of subnet: ID<Subnet.Noun>, in tx: Transaction) throws -> [(port: String, owner: String)] {
        try tx.rows(
            """
            SELECT DISTINCT p.id, p.device_owner FROM networking_ip_allocation a JOIN networking_port p ON p.id = a.port_id
            WHERE a.subnet_id = ?
            """, subnet
        ).map { (try $0.value(at: 0), try $0.value(at: 1)) }
    }

    /// Returns the number of addresses of pools, at most `UInt128.max`.
    static func count(_ pools: [AddressRange]) -> UInt128 {
        pools.reduce(UInt128(0)) { sum, pool in
            let (added, overflow) = sum.addingReportingOverflow(pool.count)
            return overflow ? .max : added
        }
    }

    /// Counts the allocated addresses of each subnet.
    ///
    /// - Parameter within: a condition, as SQL over the allocations; nil for all.
    static func used(within: (sql: String, arguments: [SQLValue])?, in tx: Transaction) throws -> [String: Int64] {
        var used: [String: Int64] = [:]
        for row in try tx.rows(
            "SELECT subnet_id, count(*) FROM networking_ip_allocation WHERE \(within?.sql ?? "1 = 1") GROUP BY subnet_id",
            arguments: within?.arguments ?? [])
        {
            used[try row.value(at: 0)] = try row.value(at: 1)
        }
        return used
    }

    // MARK: Choosing

    /// Returns a free address of a subnet's pools; nil if there is none.
    ///
    /// A few random places are tried first. That succeeds nearly always unless the pool is almost full, costs the same
    /// in a /8 as in a /28, and keeps concurrent requests from wanting the same address. After that the index finds the
    /// next gap behind a random place. A list of all addresses of a subnet is never built.
    func free(in subnet: Subnet, tx: Transaction) throws -> IPAddress? {
        let pools = subnet.pools.items
        let total = Self.count(pools)
        guard total > 0 else { return nil }
        for _ in 0..<Self.probes {
            let address = Self.address(at: draw(below: total), of: pools)
            if address != subnet.gateway, try !isTaken(address, in: subnet.id, tx: tx) { return address }
        }
        let start = Self.address(at: draw(below: total), of: pools)
        for range in Self.ranges(of: pools, from: start) {
            if let gap = try gap(in: range, of: subnet, tx: tx) { return gap }
        }
        return nil
    }

    private func draw(below limit: UInt128) -> UInt128 {
        world.random.bytes(16).reduce(UInt128(0)) { $0 << 8 | UInt128($1) } % limit
    }

    private static func address(at position: UInt128, of pools: [AddressRange]) -> IPAddress {
        var left = position
        for pool in pools {
            if left < pool.count { return IPAddress(pool.first.version, pool.first.value + left) }
            left -= pool.count
        }
        return pools[0].first
    }

    /// Returns all of the pools as ranges, beginning at a place in one of them.
    private static func ranges(of pools: [AddressRange], from start: IPAddress) -> [AddressRange] {
        guard let at = pools.firstIndex(where: { $0.contains(start) }) else { return pools }
        let first = AddressRange(first: start, last: pools[at].last)
        let rest = Array(pools[(at + 1)...] + pools[..<at])
        return [first] + rest + (start == pools[at].first ? [] : [AddressRange(first: pools[at].first, last: start + -1)])
    }

    /// Returns the first address of a range that is free and not the gateway.
    private func gap(in range: AddressRange, of subnet: Subnet, tx: Transaction) throws -> IPAddress? {
        var from = range.first
        while from <= range.last {
            if try isTaken(from, in: subnet.id, tx: tx) {
                // This finds the first address whose successor is free. The index has both in order, so the query reads
                // one run of neighbours.
                let key: String? = try tx.value(
                    """
                    SELECT a.next_ip FROM networking_ip_allocation a WHERE a.subnet_id = ? AND a.ip >= ? AND NOT EXISTS
                      (SELECT 1 FROM networking_ip_allocation b WHERE b.subnet_id = a.subnet_id AND b.ip = a.next_ip)
                    ORDER BY a.ip LIMIT 1
                    """, subnet.id, from.key)
                guard let next = key.flatMap({ IPAddress(key: $0) }), next <= range.last, next > from else { return nil }
                from = next
            }
            if from != subnet.gateway { return from }
            guard from < range.last else { return nil }
            from = from + 1
        }
        return nil
    }
}

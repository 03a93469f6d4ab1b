import CloudCore
import Resources
import SQL

/// Queries about routers across tables. A router's interfaces are the ports that name it as their device.
enum RouterStore {
    static func interfaces(of router: ID<Router.Noun>, in tx: Transaction) throws -> [ID<Port.Noun>] {
        try tx.rows("SELECT id FROM networking_port WHERE device_id = ? AND device_owner = ? ORDER BY id", router, Port.routerInterface)
            .map { try $0.value(at: 0) }
    }

    /// Returns the router's interface on a network that has an address of the IP version.
    static func interface(
        of router: ID<Router.Noun>, on network: ID<Network.Noun>, version: IPAddress.Version, in tx: Transaction
    ) throws -> Port? {
        let id: ID<Port.Noun>? = try tx.value(
            """
            SELECT p.id FROM networking_port p JOIN networking_ip_allocation a ON a.port_id = p.id
            WHERE p.device_id = ? AND p.device_owner = ? AND p.network_id = ? AND length(a.ip) = ? ORDER BY p.id
            """, router, Port.routerInterface, network, version.bits / 4)
        return try id.flatMap { try ResourceStore<Port>().find($0, in: tx) }
    }

    static func networks(ofPorts ids: [String], in tx: Transaction) throws -> [String: ID<Network.Noun>] {
        var found: [String: ID<Network.Noun>] = [:]
        for row in try tx.rows(among: ids, "SELECT id, network_id FROM networking_port WHERE id IN") {
            found[try row.value(at: 0)] = try row.value(at: 1)
        }
        return found
    }

    static func prefixes(_ subnets: [String], in tx: Transaction) throws -> [(id: String, prefix: IPPrefix)] {
        try tx.rows(among: Array(Set(subnets)), "SELECT id, cidr FROM networking_subnet WHERE id IN")
            .map { (try $0.value(at: 0), try $0.value(at: 1)) }
    }

    static func hasFloatingIPs(_ router: ID<Router.Noun>, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT 1 FROM networking_floating_ip WHERE router_id = ? LIMIT 1", router) != nil
    }

    /// Tells whether floating IPs lead through a router to a subnet.
    static func leadsTo(_ subnet: ID<Subnet.Noun>, _ router: ID<Router.Noun>, in tx: Transaction) throws -> Bool {
        try tx.row(
            """
            SELECT 1 FROM networking_floating_ip f JOIN networking_ip_allocation a ON a.port_id = f.port_id
            WHERE f.router_id = ? AND a.subnet_id = ? AND a.address = f.fixed_address LIMIT 1
            """, router, subnet) != nil
    }

    /// Tells whether a network is shared with this very project. Sharing with all projects does not allow a router's
    /// interface.
    static func isSharedWith(_ project: String, _ network: ID<Network.Noun>, in tx: Transaction) throws -> Bool {
        try tx.row(
            "SELECT 1 FROM networking_rbac_policy WHERE object_id = ? AND action = ? AND target = ?", network, RBACPolicy.shared, project) != nil
    }

    static func touch(_ id: ID<Router.Noun>, at now: Timestamp, in tx: Transaction) throws {
        try tx.execute("UPDATE networking_router SET revision_number = revision_number + 1, updated_at = ? WHERE id = ?", now, id)
    }

    /// Returns the routers that join a subnet to an external network, first the one that is the subnet's gateway.
    static func routers(from subnet: Subnet, to network: ID<Network.Noun>, in tx: Transaction) throws -> [ID<Router.Noun>] {
        try tx.rows(
            """
            SELECT r.id, a.ip FROM networking_ip_allocation a
            JOIN networking_port p ON p.id = a.port_id AND p.device_owner = ?
            JOIN networking_router r ON r.id = p.device_id
            JOIN networking_port g ON g.id = r.gateway_port_id
            WHERE a.subnet_id = ? AND g.network_id = ? ORDER BY CASE WHEN a.ip = ? THEN 0 ELSE 1 END, r.id
            """, Port.routerInterface, subnet.id, network, subnet.gateway?.key ?? ""
        ).map { try $0.value(at: 0) }
    }
}

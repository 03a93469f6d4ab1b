package import CloudCore
import Compute
package import HostModel
package import SQL

/// Networking in one table of a test's database, with one network that every project has.
package struct MemoryNetworks: NetworkingNeed {
    package init() {}

    package static let network = ID<Kind.Network>("11111111-1111-4111-8111-111111111111")
    package static let schema = Schema(
        service: "test-networks",
        [
            Migration(
                1, "ports",
                "CREATE TABLE test_port (id TEXT NOT NULL, server TEXT NOT NULL, host TEXT NOT NULL, given INTEGER NOT NULL, PRIMARY KEY (id))")
        ])

    package func plan(_ wish: NetworkWish, groups: [String], for principal: Principal) async throws -> NetworkPlan {
        let project = principal.projectID ?? ID("")
        if wish == .nothing { return NetworkPlan(projectID: project, ports: [], securityGroups: []) }
        let items: [NetworkWish.Item?] = wish.items.isEmpty ? [nil] : wish.items
        let ports = try items.enumerated().map { place, item in
            if let network = item?.network, network != Self.network {
                throw CloudError.notFound("Network \(network) could not be found.")
            }
            let id = item?.port ?? ID(UUIDText.derived(from: "port-\(place)-\(principal.auditIDs)", in: Self.network.text))
            return NetworkPlan.Port(id: id, network: Self.network, address: item?.address, tag: item?.tag, isGiven: item?.port != nil)
        }
        return NetworkPlan(projectID: project, ports: ports, securityGroups: groups.isEmpty ? [ID("default")] : groups.map { ID($0) })
    }

    package func freePorts(of project: ID<Kind.Project>, in tx: Transaction) throws -> Int? { nil }

    package func ensurePorts(
        _ plan: NetworkPlan, server: ID<Kind.Server>, host: String, in tx: Transaction
    ) throws -> [ServerPort] {
        for port in plan.ports {
            try tx.execute("DELETE FROM test_port WHERE id = ?", port.id)
            try tx.execute("INSERT INTO test_port (id, server, host, given) VALUES (?, ?, ?, ?)", port.id, server, host, port.isGiven)
        }
        return plan.ports.map { Self.port($0.id) }
    }

    private static func port(_ id: ID<Kind.Port>) -> ServerPort {
        ServerPort(
            id: id, network: network, networkName: "test", mac: "fa:16:3e:00:00:01",
            addresses: [.init(text: "10.0.0.5", subnet: ID("22222222-2222-4222-8222-222222222222"), isFloating: false)])
    }

    package func bind(server: ID<Kind.Server>, to host: String, in tx: Transaction) throws {
        try tx.execute("UPDATE test_port SET host = ? WHERE server = ?", host, server)
    }

    package func awaitWiring(of server: ID<Kind.Server>, on host: String) async throws {}
    package func releasePorts(of server: ID<Kind.Server>, in tx: Transaction) throws {
        try tx.execute("DELETE FROM test_port WHERE server = ?", server)
    }

    package func releasePort(_ id: ID<Kind.Port>, of server: ID<Kind.Server>, in tx: Transaction) throws {
        try tx.execute("DELETE FROM test_port WHERE id = ? AND server = ?", id, server)
    }

    package func ports(of servers: [ID<Kind.Server>], in tx: Transaction) throws -> [ID<Kind.Server>: [ServerPort]] {
        var ports: [ID<Kind.Server>: [ServerPort]] = [:]
        for server in servers {
            let ids: [ID<Kind.Port>] = try tx.rows("SELECT id FROM test_port WHERE server = ? ORDER BY id", server).map { try $0.value(at: 0) }
            if !ids.isEmpty { ports[server] = ids.map(Self.port) }
        }
        return ports
    }

    package func servers(withAddress range: TextRange, most: Int, in tx: Transaction) throws -> [ID<Kind.Server>]? {
        nil
    }

    package func securityGroups(
        of servers: [ID<Kind.Server>], in tx: Transaction
    ) throws -> [ID<Kind.Server>: [ServerSecurityGroup]] { [:] }
    package func addSecurityGroup(_ name: String, to server: ID<Kind.Server>, for principal: Principal) async throws {}
    package func removeSecurityGroup(_ name: String, from server: ID<Kind.Server>, for principal: Principal) async throws {}

    package struct Port: Sendable, Hashable {
        package var id: String
        package var server: String
        /// The host of the port; empty for a port that is not bound.
        package var host: String
    }

    /// Returns all ports in the order of their ids.
    package func ports(in tx: Transaction) throws -> [Port] {
        try tx.rows("SELECT id, server, host FROM test_port ORDER BY id").map { row in
            Port(id: try row.value(at: 0), server: try row.value(at: 1), host: try row.value(at: 2))
        }
    }
}

import CloudCore
import Compute
import HostModel
import Networking
import SQL

/// The part of Networking that Compute needs.
struct NetworkingForCompute: NetworkingNeed {
    let networking: NetworkingAssembly
    let keeper: NetworkKeeper

    func plan(_ wish: NetworkWish, groups: [String], for principal: Principal) async throws -> NetworkPlan {
        try await networking.plan(wish, groups: groups, for: principal)
    }

    func freePorts(of project: ID<Kind.Project>, in tx: Transaction) throws -> Int? { try networking.freePorts(of: project, in: tx) }

    func ensurePorts(_ plan: NetworkPlan, server: ID<Kind.Server>, host: String, in tx: Transaction) throws -> [ServerPort] {
        try networking.ensurePorts(plan, server: server, host: host, in: tx)
    }

    func bind(server: ID<Kind.Server>, to host: String, in tx: Transaction) throws {
        try networking.bindPorts(of: server, to: host, in: tx)
    }

    func awaitWiring(of server: ID<Kind.Server>, on host: String) async throws { try await keeper.wire(server, on: host) }

    func releasePorts(of server: ID<Kind.Server>, in tx: Transaction) throws { try networking.releasePorts(of: server, in: tx) }

    func releasePort(_ id: ID<Kind.Port>, of server: ID<Kind.Server>, in tx: Transaction) throws {
        try networking.releasePorts(of: server, only: id, in: tx)
    }

    func ports(of servers: [ID<Kind.Server>], in tx: Transaction) throws -> [ID<Kind.Server>: [ServerPort]] {
        try networking.ports(of: servers, in: tx)
    }

    func servers(withAddress range: TextRange, most: Int, in tx: Transaction) throws -> [ID<Kind.Server>]? {
        try networking.servers(withAddress: range, most: most, in: tx)
    }

    func securityGroups(of servers: [ID<Kind.Server>], in tx: Transaction) throws -> [ID<Kind.Server>: [ServerSecurityGroup]] {
        try networking.securityGroups(of: servers, in: tx)
    }

    func addSecurityGroup(_ name: String, to server: ID<Kind.Server>, for principal: Principal) async throws {
        try await networking.addSecurityGroup(name, to: server, for: principal)
    }

    func removeSecurityGroup(_ name: String, from server: ID<Kind.Server>, for principal: Principal) async throws {
        try await networking.removeSecurityGroup(name, from: server, for: principal)
    }
}

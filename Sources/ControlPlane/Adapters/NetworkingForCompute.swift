import CloudCore
import Compute
import Networking
import SQL

/// What Compute asks of Networking.
struct NetworkingForCompute: NetworkingNeed {
    let networking: NetworkingAssembly
    let keeper: NetworkKeeper

    func plan(_ wish: NetworkWish, for principal: Principal) async throws -> NetworkPlan {
        let wanted: ServerNetworkWish = switch wish.kind {
        case .automatic: .automatic
        case .nothing: .nothing
        case .listed:
            .listed(wish.items.map { .init(network: $0.network, port: $0.port, address: $0.address, tag: $0.tag, holder: $0.holder) })
        }
        let plan = try await networking.plan(wanted, groups: wish.securityGroups, for: principal)
        return NetworkPlan(
            projectID: plan.projectID,
            ports: plan.ports.map { .init(id: $0.id, network: $0.network, address: $0.address, tag: $0.tag, isGiven: $0.isGiven) },
            securityGroups: plan.securityGroups)
    }

    func freePorts(of project: String, in tx: Transaction) throws -> Int? { try networking.freePorts(of: project, in: tx) }

    func ensurePorts(_ plan: NetworkPlan, server: String, host: String, in tx: Transaction) throws -> [ServerPort] {
        let wanted = ServerNetworkPlan(
            projectID: plan.projectID,
            ports: plan.ports.map { .init(id: $0.id, network: $0.network, address: $0.address, tag: $0.tag, isGiven: $0.isGiven) },
            securityGroups: plan.securityGroups)
        return try networking.ensurePorts(wanted, server: server, host: host, in: tx).map(ServerPort.init)
    }

    func bind(server: String, to host: String, in tx: Transaction) throws { try networking.bindPorts(of: server, to: host, in: tx) }

    func awaitWiring(of server: String, on host: String) async throws { try await keeper.wire(server, on: host) }

    func releasePorts(of server: String, in tx: Transaction) throws { try networking.releasePorts(of: server, in: tx) }

    func releasePort(_ id: String, of server: String, in tx: Transaction) throws {
        try networking.releasePorts(of: server, only: id, in: tx)
    }

    func ports(of servers: [String], in tx: Transaction) throws -> [String: [ServerPort]] {
        try networking.ports(of: servers, in: tx).mapValues { $0.map(ServerPort.init) }
    }

    func securityGroups(of servers: [String], in tx: Transaction) throws -> [String: [SecurityGroupFacts]] {
        try networking.securityGroups(of: servers, in: tx).mapValues { groups in
            groups.map { SecurityGroupFacts(id: $0.id, name: $0.name, description: $0.description, projectID: $0.projectID) }
        }
    }

    func addSecurityGroup(_ name: String, to server: String, for principal: Principal) async throws {
        try await networking.addSecurityGroup(name, to: server, for: principal)
    }

    func removeSecurityGroup(_ name: String, from server: String, for principal: Principal) async throws {
        try await networking.removeSecurityGroup(name, from: server, for: principal)
    }
}

extension ServerPort {
    fileprivate init(_ port: PluggedPort) {
        self.init(
            id: port.id, network: port.network, networkName: port.networkName, mac: port.mac,
            addresses: port.addresses.map { .init(text: $0.text, subnet: $0.subnet, isFloating: $0.isFloating) }, isActive: port.isActive,
            tag: port.tag)
    }
}

import CloudCore
import HostModel
import Resources
import SQL

/// Looks up the networks that a server wants, as Nova does with Neutron. It creates nothing yet, but refuses what
/// cannot be had while the user still waits for the answer. The messages are Nova's.
struct ServerNetworkPlanner: Sendable {
    let networking: NetworkingContext

    private var addresses: AddressStore { AddressStore(world: networking.world) }

    private struct Usable {
        let id: String
        let isExternal: Bool
        let isShared: Bool
        let portSecurity: Bool
        let prefixes: [IPPrefix]
    }

    func plan(_ wish: NetworkWish, groups: [String], for caller: Principal, in tx: Transaction) throws -> NetworkPlan {
        let ids = try securityGroups(groups, for: caller, in: tx)
        var ports: [NetworkPlan.Port] = []
        switch wish {
        case .nothing: break
        case .automatic:
            if let network = try automatic(for: caller, in: tx) { ports.append(try port(.init(), on: network, for: caller, groups: ids)) }
        case .listed(let items):
            for item in items {
                let port = try item.port.map { try given($0, item, for: caller, in: tx) } ?? made(item, groups: ids, for: caller, in: tx)
                if ports.contains(where: { $0.id == port.id }) { throw Self.inUse(port.id) }
                ports.append(port)
            }
        }
        try checkQuota(ports.filter { !$0.isGiven }.count, caller.project, in: tx)
        return NetworkPlan(projectID: ID(caller.project), ports: ports, securityGroups: ids.map { ID($0) })
    }

    // MARK: Networks

    private func made(
        _ item: NetworkWish.Item, groups: [String], for caller: Principal, in tx: Transaction
    ) throws -> NetworkPlan.Port {
        let network: Usable
        if let id = item.network {
            var one = ListQuery(ids: [id.text])
            NetworkService(networking: networking).narrow(&one, to: caller)
            guard let found = try networks(one.clause, for: caller, in: tx).first else {
                throw CloudError.notFound("Network \(id.text.prefix(64)) could not be found.")
            }
            network = found
        } else {
            guard let found = try automatic(for: caller, in: tx) else { throw CloudError.badRequest("No network is there for the project.") }
            network = found
        }
        if let text = item.address {
            guard let address = IPAddress(text), network.prefixes.contains(where: { SubnetPlan.mayHave(address, of: $0) }) else {
                throw CloudError.badRequest(
                    "Fixed IP \(text.prefix(64)) is not a valid ip address for network \(network.id).")
            }
            if try addresses.holder(of: address, on: ID(network.id), in: tx) != nil {
                throw CloudError(.conflict, "Fixed IP address \(address) is already in use.", code: "FixedIpAlreadyInUse")
            }
        }
        return try port(item, on: network, for: caller, groups: groups)
    }

    /// Returns the network that a server gets by default: the only one that is the project's own or shared with it; nil
    /// for none.
    ///
    /// - Throws: `CloudError.conflict` if there are several.
    private func automatic(for caller: Principal, in tx: Transaction) throws -> Usable? {
        let found = try networks(NetworkStore.automatic(for: caller.project), for: caller, in: tx)
        guard found.count <= 1 else {
            throw CloudError(
                .conflict, "Multiple possible networks found, use a Network ID to be more specific.", code: "NetworkAmbiguous")
        }
        return found.first
    }

    private func networks(
        _ condition: (sql: String, arguments: [SQLValue]), for caller: Principal, in tx: Transaction
    ) throws -> [Usable] {
        let found = try NetworkStore.firstTwo(condition, in: tx)
        let ids = found.map(\.id)
        let shared = try SharingStore.shared(ids, for: caller.project, in: tx)
        let prefixes = try SubnetStore.prefixes(onNetworks: ids, in: tx)
        return found.map { network in
            Usable(
                id: network.id, isExternal: network.isExternal, isShared: shared.contains(network.id),
                portSecurity: network.portSecurity, prefixes: prefixes[network.id] ?? [])
        }
    }

    private func port(
        _ item: NetworkWish.Item, on network: Usable, for caller: Principal, groups: [String]
    ) throws -> NetworkPlan.Port {
        if network.prefixes.isEmpty {
            throw CloudError.badRequest("Network \(network.id) requires a subnet in order to boot instances on.")
        }
        if network.isExternal, !network.isShared, !networking.isAdmin(caller) {
            throw CloudError.forbidden("It is not allowed to create an interface on external network \(network.id)")
        }
        if !network.portSecurity, !groups.isEmpty {
            throw CloudError.badRequest(
                "Network requires port_security_enabled and subnet associated in order to apply security groups.")
        }
        return NetworkPlan.Port(
            id: ID(networking.world.random.uuid()), network: ID(network.id), address: item.address, tag: item.tag, isGiven: false)
    }

    // MARK: Ports

    private func given(
        _ id: ID<Kind.Port>, _ item: NetworkWish.Item, for caller: Principal, in tx: Transaction
    ) throws -> NetworkPlan.Port {
        let found = try ResourceStore<Port>().find(id, in: tx)
        guard let port = found, port.projectID == caller.project || networking.seesAll(caller) else {
            throw CloudError.notFound("Port id \(id.text.prefix(64)) could not be found.")
        }
        guard port.projectID == caller.project else { throw CloudError.badRequest("Port \(id) not usable for the instance's project.") }
        let server = try ServerPortStore.server(of: port.id, in: tx)
        let isHolders = item.holder != nil && server == item.holder && port.deviceID == item.holder?.text
        guard isHolders || (port.deviceID.isEmpty && server == nil) else { throw Self.inUse(id) }
        guard try !(addresses.addresses(ofPorts: [id.text], in: tx)[id.text] ?? []).isEmpty else {
            throw CloudError.badRequest("Port \(id) requires a FixedIP in order to be used.")
        }
        return NetworkPlan.Port(id: id, network: port.networkID, tag: item.tag, isGiven: true)
    }

    static func inUse(_ port: ID<Kind.Port>) -> CloudError { .conflict("Port \(port) is still in use.") }

    private func checkQuota(_ needed: Int, _ project: String, in tx: Transaction) throws {
        guard needed > 0, let free = try freePorts(of: project, in: tx), free < needed else { return }
        throw CloudError.forbidden("Maximum number of ports exceeded")
    }

    /// Returns how many ports the quota leaves; nil for any number.
    func freePorts(of project: String, in tx: Transaction) throws -> Int? {
        guard let limit = try QuotaStore.limits(of: project, in: tx).first(where: { $0.resource == "port" }), limit.limit >= 0 else {
            return nil
        }
        return Int(max(0, limit.limit - (try QuotaStore.used(limit.resource, project, in: tx))))
    }

    // MARK: Security groups

    /// Returns the ids of the wanted security groups.
    ///
    /// - Parameter wanted: ids or names of groups of the project or shared with it.
    /// - Throws: `CloudError.badRequest` for a group that does not exist, `.conflict` for a name that several groups
    ///   have.
    func securityGroups(_ wanted: [String], for caller: Principal, in tx: Transaction) throws -> [String] {
        // A port has the default group anyway, which may not exist before the project's first port.
        if wanted == [SecurityGroupService.defaultName] { return [] }
        var ids: [String] = []
        for name in wanted {
            guard let id = try securityGroup(name, for: caller.project, in: tx) else { throw CloudError.badRequest("Security group \(name.prefix(255)) not found.") }
            if !ids.contains(id) { ids.append(id) }
        }
        return ids
    }

    func securityGroup(_ name: String, for project: String, in tx: Transaction) throws -> String? {
        if try SecurityGroupStore.usable([name], for: project, in: tx).contains(name) { return name }
        let own = try SecurityGroupStore.named(name, of: project, in: tx)
        let found = try own.isEmpty ? SecurityGroupStore.named(name, sharedWith: project, in: tx) : own
        guard found.count <= 1 else {
            throw CloudError.conflict("Multiple security groups found matching '\(name.prefix(255))'. Use an ID to be more specific.")
        }
        return found.first
    }
}

import CloudCore
import HostModel
import Resources
import SQL

/// The ports of servers. Each function runs in the transaction of the caller that changes the server.
struct ServerPortService: Sendable {
    let networking: NetworkingContext

    private var ports: PortService { PortService(networking: networking) }
    private var hostPorts: HostPortService { HostPortService(networking: networking) }
    private var addresses: AddressStore { AddressStore(world: networking.world) }

    // MARK: Making and taking

    /// Creates or takes the ports of a plan. A second call changes nothing.
    ///
    /// - Returns: the plan's ports, in its order.
    func ensure(_ plan: NetworkPlan, server: ID<Kind.Server>, host: String, in tx: Transaction) throws -> [ServerPort] {
        networking.changed(in: tx)
        let owner = "compute:" + (try networking.hosts.host(host, in: tx)?.zone ?? Self.usualZone)
        for planned in plan.ports {
            let found = try ports.store.find(planned.id, in: tx)
            if let port = found {
                try take(port, for: server, owner, host, isGiven: planned.isGiven, in: tx)
            } else if planned.isGiven {
                throw CloudError.notFound("Port id \(planned.id) could not be found.")
            } else {
                try make(planned, plan, for: server, owner, host, in: tx)
            }
            try ServerPortStore.add(planned, to: server, in: tx)
        }
        for network in Set(plan.ports.map(\.network)).sorted() { try hostPorts.renew(network, on: host, in: tx) }
        let all = try ServerPortStore.ports(of: [server], in: tx)[server] ?? []
        return plan.ports.compactMap { planned in all.first { $0.id == planned.id } }
    }

    private static let usualZone = "nova"

    private func make(
        _ planned: NetworkPlan.Port, _ plan: NetworkPlan, for server: ID<Kind.Server>, _ owner: String, _ host: String,
        in tx: Transaction
    ) throws {
        guard let network = try ResourceStore<Network>().find(planned.network, in: tx) else {
            throw CloudError.notFound("Network \(planned.network) could not be found.")
        }
        var port = Port()
        port.id = planned.id
        port.networkID = network.id
        port.standard.projectID = plan.projectID.text
        (port.standard.createdAt, port.standard.updatedAt) = (networking.world.now, networking.world.now)
        (port.deviceID, port.deviceOwner, port.host) = (server.text, owner, host)
        port.status = Port.status(boundTo: host)
        port.portSecurity = network.portSecurity
        if port.portSecurity {
            port.securityGroups = try plan.securityGroups.isEmpty
                ? [SecurityGroupService(networking: networking).ensureDefault(of: plan.projectID.text, in: tx).text] : plan.securityGroups.map(\.text)
        }
        try QuotaStore.claim("port", for: plan.projectID.text, in: tx)
        try ports.insert(&port, planned.address.flatMap { IPAddress($0) }.map { [AddressRequest(address: $0)] }, in: tx)
    }

    private func take(
        _ found: Port, for server: ID<Kind.Server>, _ owner: String, _ host: String, isGiven: Bool, in tx: Transaction
    ) throws {
        guard found.deviceID == server.text || (isGiven && found.deviceID.isEmpty) else { throw ServerNetworkPlanner.inUse(found.id) }
        guard (found.deviceID, found.deviceOwner, found.host) != (server.text, owner, host) else { return }
        var port = found
        (port.deviceID, port.deviceOwner, port.host) = (server.text, owner, host)
        if port.host != found.host { port.status = Port.status(boundTo: host) }
        try ports.change(port, from: found, in: tx)
    }

    // MARK: Moving and giving back

    func bind(server: ID<Kind.Server>, to host: String, in tx: Transaction) throws {
        networking.changed(in: tx)
        let entries = try ServerPortStore.entries(of: server, in: tx)
        for entry in entries where entry.host != host {
            guard let found = try ports.store.find(entry.port, in: tx) else { continue }
            var port = found
            port.host = host
            port.status = Port.status(boundTo: host)
            try ports.change(port, from: found, in: tx)
        }
        try renew(entries, and: host, in: tx)
    }

    /// Deletes the ports that were created for the server, and frees those that were given to it.
    ///
    /// - Parameter only: the one port to release; nil for all ports of the server.
    func release(_ only: ID<Kind.Port>?, of server: ID<Kind.Server>, in tx: Transaction) throws {
        networking.changed(in: tx)
        let entries = try ServerPortStore.entries(of: server, in: tx).filter { only == nil || $0.port == only }
        for entry in entries {
            if entry.isGiven { try free(entry.port, in: tx) } else { try ports.discard(entry.port, in: tx) }
        }
        try renew(entries, and: nil, in: tx)
    }

    private func free(_ id: ID<Port.Noun>, in tx: Transaction) throws {
        try ServerPortStore.remove(id, in: tx)
        guard let found = try ports.store.find(id, in: tx) else { return }
        var port = found
        (port.deviceID, port.deviceOwner, port.host, port.status) = ("", "", "", Port.down)
        try ports.change(port, from: found, in: tx)
    }

    private func renew(_ entries: [ServerPortStore.Entry], and host: String?, in tx: Transaction) throws {
        for (network, entries) in Dictionary(grouping: entries, by: \.network).sorted(by: { $0.key.text < $1.key.text }) {
            for host in Set(entries.map(\.host) + (host.map { [$0] } ?? [])).sorted() { try hostPorts.renew(network, on: host, in: tx) }
        }
    }

    // MARK: Security groups

    /// Adds a security group to the ports of a server.
    ///
    /// - Throws: `CloudError.notFound` for a group that does not exist, `.badRequest` for a port that can have none.
    func addGroup(_ name: String, to server: ID<Kind.Server>, for caller: Principal, in tx: Transaction) throws {
        let group = try group(name, for: caller, in: tx)
        for entry in try ServerPortStore.entries(of: server, in: tx) {
            guard let port = try ports.store.find(entry.port, in: tx) else { continue }
            guard port.portSecurity, try addresses.addresses(ofPorts: [port.id.text], in: tx)[port.id.text] != nil else {
                throw CloudError.badRequest(
                    "Network requires port_security_enabled and subnet associated in order to apply security groups.")
            }
            let present = try PortStore.groups(ofPorts: [port.id.text], in: tx)[port.id.text] ?? []
            if !present.contains(group) { try setGroups(present + [group], from: present, of: port, in: tx) }
        }
    }

    func removeGroup(_ name: String, from server: ID<Kind.Server>, for caller: Principal, in tx: Transaction) throws {
        let group = try group(name, for: caller, in: tx)
        var wasThere = false
        for entry in try ServerPortStore.entries(of: server, in: tx) {
            let present = try PortStore.groups(ofPorts: [entry.port.text], in: tx)[entry.port.text] ?? []
            guard present.contains(group), let port = try ports.store.find(entry.port, in: tx) else { continue }
            wasThere = true
            try setGroups(present.filter { $0 != group }, from: present, of: port, in: tx)
        }
        guard wasThere else {
            throw CloudError.notFound("Security group \(group) is not associated with the instance \(server)")
        }
    }

    private func group(_ name: String, for caller: Principal, in tx: Transaction) throws -> String {
        if name == SecurityGroupService.defaultName {
            return try SecurityGroupService(networking: networking).ensureDefault(of: caller.project, in: tx).text
        }
        guard let id = try ServerNetworkPlanner(networking: networking).securityGroup(name, for: caller.project, in: tx) else {
            throw CloudError.notFound("Security group \(name.prefix(255)) not found for project \(caller.project).")
        }
        return id
    }

    private func setGroups(_ groups: [String], from present: [String], of port: Port, in tx: Transaction) throws {
        try PortStore.setGroups(groups, of: port.id, in: tx)
        var (old, new) = (port, port)
        (old.securityGroups, new.securityGroups) = (present, groups)
        try ports.change(new, from: old, in: tx)
    }
}

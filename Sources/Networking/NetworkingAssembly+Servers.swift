package import CloudCore
package import HostModel
package import SQL

/// What whoever makes servers asks of Networking. What changes something takes the caller's open transaction, so that the server and
/// its ports are made together or not at all.
extension NetworkingAssembly {
    private var serverPorts: ServerPortService { ServerPortService(networking: networking) }
    private var planner: ServerNetworkPlanner { ServerNetworkPlanner(networking: networking) }

    /// Looks up what is wanted, before anything is made.
    ///
    /// - Parameter groups: names or ids of security groups; empty for the project's default group.
    /// - Throws: `CloudError.notFound` for a network or a port that is not there, `.badRequest` for what cannot be had, `.conflict` for a
    ///   port or an address that is in use and for a choice that is not clear, `.forbidden` for an external network and above the quota
    ///   of ports. Its code is the reference's word where callers tell two cases of one kind apart.
    package func plan(_ wish: NetworkWish, groups: [String], for caller: Principal) async throws -> NetworkPlan {
        try await networking.read { tx in try planner.plan(wish, groups: groups, for: caller, in: tx) }
    }

    /// How many ports the project's quota leaves; nil for any number.
    package func freePorts(of project: ID<Kind.Project>, in tx: Transaction) throws -> Int? {
        try planner.freePorts(of: project.text, in: tx)
    }

    /// Makes or takes the ports of a plan and binds them to a host. Their ids are the plan's, so the same again changes nothing.
    ///
    /// - Returns: they in the plan's order.
    package func ensurePorts(
        _ plan: NetworkPlan, server: ID<Kind.Server>, host: String, in tx: Transaction
    ) throws -> [ServerPort] {
        try serverPorts.ensure(plan, server: server, host: host, in: tx)
    }

    /// Binds all ports of a server to a host.
    package func bindPorts(of server: ID<Kind.Server>, to host: String, in tx: Transaction) throws {
        try serverPorts.bind(server: server, to: host, in: tx)
    }

    /// Ports that were made for the server go; those that were given are free again.
    ///
    /// - Parameter only: one port; nil for all of the server's.
    package func releasePorts(of server: ID<Kind.Server>, only: ID<Kind.Port>? = nil, in tx: Transaction) throws {
        try serverPorts.release(only, of: server, in: tx)
    }

    /// The ports of each server that has some, in their order: a few statements, however many servers.
    package func ports(of servers: [ID<Kind.Server>], in tx: Transaction) throws -> [ID<Kind.Server>: [ServerPort]] {
        try ServerPortStore.ports(of: servers, addresses: AddressStore(world: networking.world), in: tx)
    }

    /// The security groups that the ports of each server have, each once, by name.
    package func securityGroups(
        of servers: [ID<Kind.Server>], in tx: Transaction
    ) throws -> [ID<Kind.Server>: [ServerSecurityGroup]] {
        try ServerPortStore.groups(of: servers, in: tx)
    }

    /// - Parameter name: or its id.
    /// - Throws: `CloudError.notFound`, `.conflict` for a name that several have.
    package func addSecurityGroup(_ name: String, to server: ID<Kind.Server>, for caller: Principal) async throws {
        try await networking.write { tx in try serverPorts.addGroup(name, to: server, for: caller, in: tx) }
    }

    /// - Throws: `CloudError.notFound`, also when no port of the server has it.
    package func removeSecurityGroup(_ name: String, from server: ID<Kind.Server>, for caller: Principal) async throws {
        try await networking.write { tx in try serverPorts.removeGroup(name, from: server, for: caller, in: tx) }
    }
}

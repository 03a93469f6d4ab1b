package import CloudCore
package import HostModel
package import SQL

/// The interface for the service that creates servers. A function that changes rows takes the caller's open
/// transaction, so that the server and its ports are created together or not at all.
extension NetworkingAssembly {
    private var serverPorts: ServerPortService { ServerPortService(networking: networking) }
    private var planner: ServerNetworkPlanner { ServerNetworkPlanner(networking: networking) }

    /// Looks up what a server wants of networks, before anything is created.
    ///
    /// - Parameter groups: names or ids of security groups; empty for the project's default group.
    /// - Throws: `CloudError.notFound` for a network or a port that does not exist, `.badRequest` for a request that
    ///   cannot be met, `.conflict` for a port or an address that is in use and for an ambiguous choice, `.forbidden`
    ///   for an external network and if the quota of ports is exceeded. The error's code is the reference's word where
    ///   callers must tell two cases of one kind apart.
    package func plan(_ wish: NetworkWish, groups: [String], for caller: Principal) async throws -> NetworkPlan {
        try await networking.read { tx in try planner.plan(wish, groups: groups, for: caller, in: tx) }
    }

    /// Returns how many ports the project's quota leaves; nil for any number.
    package func freePorts(of project: ID<Kind.Project>, in tx: Transaction) throws -> Int? {
        try planner.freePorts(of: project.text, in: tx)
    }

    /// Creates or takes the ports of a plan and binds them to a host. The plan has their ids, so a second call changes
    /// nothing.
    ///
    /// - Returns: the ports in the plan's order.
    package func ensurePorts(
        _ plan: NetworkPlan, server: ID<Kind.Server>, host: String, in tx: Transaction
    ) throws -> [ServerPort] {
        try serverPorts.ensure(plan, server: server, host: host, in: tx)
    }

    /// Binds all ports of a server to a host.
    package func bindPorts(of server: ID<Kind.Server>, to host: String, in tx: Transaction) throws {
        try serverPorts.bind(server: server, to: host, in: tx)
    }

    /// Deletes the ports that were created for the server, and frees those that were given to it.
    ///
    /// - Parameter only: the one port to release; nil for all ports of the server.
    package func releasePorts(of server: ID<Kind.Server>, only: ID<Kind.Port>? = nil, in tx: Transaction) throws {
        try serverPorts.release(only, of: server, in: tx)
    }

    /// Returns the ports of each server that has some, in their order, in a few statements for any number of servers.
    package func ports(of servers: [ID<Kind.Server>], in tx: Transaction) throws -> [ID<Kind.Server>: [ServerPort]] {
        try ServerPortStore.ports(of: servers, in: tx)
    }

    /// Returns the servers that have an address in a range of texts, fixed or floating; nil if there are more than
    /// `most`.
    package func servers(withAddress range: TextRange, most: Int, in tx: Transaction) throws -> [ID<Kind.Server>]? {
        try ServerPortStore.servers(withAddress: range, most: most, in: tx)
    }

    /// Returns the distinct security groups of each server's ports, by name.
    package func securityGroups(
        of servers: [ID<Kind.Server>], in tx: Transaction
    ) throws -> [ID<Kind.Server>: [ServerSecurityGroup]] {
        try ServerPortStore.groups(of: servers, in: tx)
    }

    /// Adds a security group to the ports of a server.
    ///
    /// - Parameter name: the group's name or id.
    /// - Throws: `CloudError.notFound`; `.conflict` for a name that several groups have.
    package func addSecurityGroup(_ name: String, to server: ID<Kind.Server>, for caller: Principal) async throws {
        try await networking.write { tx in try serverPorts.addGroup(name, to: server, for: caller, in: tx) }
    }

    /// Removes a security group from the ports of a server.
    ///
    /// - Throws: `CloudError.notFound`, also if no port of the server has the group.
    package func removeSecurityGroup(_ name: String, from server: ID<Kind.Server>, for caller: Principal) async throws {
        try await networking.write { tx in try serverPorts.removeGroup(name, from: server, for: caller, in: tx) }
    }
}

package import CloudCore

/// The ports that a server is to have. Their ids are chosen beforehand, so that a repeated creation gives the same
/// ports.
package struct NetworkPlan: Sendable, Hashable, Codable {
    package struct Port: Sendable, Hashable, Codable {
        package var id: ID<Kind.Port>
        package var network: ID<Kind.Network>
        package var address: String?
        package var tag: String?
        /// Whether the port existed before, and stays when the server is deleted.
        package var isGiven: Bool

        package init(
            id: ID<Kind.Port>, network: ID<Kind.Network>, address: String? = nil, tag: String? = nil, isGiven: Bool
        ) {
            self.id = id
            self.network = network
            self.address = address
            self.tag = tag
            self.isGiven = isGiven
        }
    }

    package var projectID: ID<Kind.Project>
    package var ports: [Port]
    /// The security groups of the ports that are created; empty for the project's default group.
    package var securityGroups: [ID<Kind.SecurityGroup>]

    package init(projectID: ID<Kind.Project>, ports: [Port], securityGroups: [ID<Kind.SecurityGroup>]) {
        self.projectID = projectID
        self.ports = ports
        self.securityGroups = securityGroups
    }

    /// Returns the same plan for another server, with new ids for the ports that are created.
    package func again(_ world: World) -> NetworkPlan {
        var plan = self
        for place in plan.ports.indices where !plan.ports[place].isGiven {
            plan.ports[place].id = ID(world.random.uuid())
        }
        return plan
    }
}

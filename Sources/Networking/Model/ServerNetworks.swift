/// What the user of a server wants of networks.
package enum ServerNetworkWish: Sendable, Hashable {
    /// The one network that the project has or that is shared with it; none where there is none.
    case automatic
    case nothing
    /// In this order.
    case listed([Item])

    /// A port that is there, or a network to make one on, perhaps with an address. With neither it is any network.
    package struct Item: Sendable, Hashable {
        package var network: String?
        package var port: String?
        package var address: String?
        package var tag: String?
        /// The server whose port it may still be when it is asked for; nil for none.
        package var holder: String?

        package init(network: String? = nil, port: String? = nil, address: String? = nil, tag: String? = nil, holder: String? = nil) {
            self.network = network
            self.port = port
            self.address = address
            self.tag = tag
            self.holder = holder
        }
    }
}

/// The ports that a server is to have: their ids are known before there is a row.
package struct ServerNetworkPlan: Sendable, Hashable {
    package struct Port: Sendable, Hashable {
        package var id: String
        package var network: String
        package var address: String?
        package var tag: String?
        /// Whether it was there before, and stays when the server goes.
        package var isGiven: Bool

        package init(id: String, network: String, address: String?, tag: String?, isGiven: Bool) {
            self.id = id
            self.network = network
            self.address = address
            self.tag = tag
            self.isGiven = isGiven
        }
    }

    package var projectID: String
    package var ports: [Port]
    /// Ids. Empty: the project's default group.
    package var securityGroups: [String]

    package init(projectID: String, ports: [Port], securityGroups: [String]) {
        self.projectID = projectID
        self.ports = ports
        self.securityGroups = securityGroups
    }
}

/// A port of a server, as whoever shows the server or makes its machine needs it.
package struct PluggedPort: Sendable, Hashable {
    package struct Address: Sendable, Hashable {
        package var text: String
        /// Empty for a floating one.
        package var subnet: String
        package var isFloating: Bool
    }

    package var id: String
    package var network: String
    package var networkName: String
    package var mac: String
    /// The port's own in their order, then those that lead to them.
    package var addresses: [Address]
    package var isActive: Bool
    package var tag: String?
}

/// A security group that a server's ports have.
package struct PluggedGroup: Sendable, Hashable {
    package var id: String
    package var name: String
    package var description: String
    package var projectID: String
}

package import CloudCore

/// A port of a server, with the facts that views and machines need.
package struct ServerPort: Sendable, Hashable, Codable {
    package struct Address: Sendable, Hashable, Codable {
        package var text: String
        /// The subnet of the address; empty for a floating IP.
        package var subnet: ID<Kind.Subnet>
        package var isFloating: Bool

        package init(text: String, subnet: ID<Kind.Subnet>, isFloating: Bool) {
            self.text = text
            self.subnet = subnet
            self.isFloating = isFloating
        }

        package var version: Int { text.utf8.contains(UInt8(ascii: ":")) ? 6 : 4 }
    }

    package var id: ID<Kind.Port>
    package var network: ID<Kind.Network>
    package var networkName: String
    package var mac: String
    /// The port's own addresses in their order, then the floating IPs that lead to them.
    package var addresses: [Address]
    package var isActive: Bool
    package var tag: String?

    package init(
        id: ID<Kind.Port>, network: ID<Kind.Network>, networkName: String, mac: String, addresses: [Address] = [],
        isActive: Bool = true
    ) {
        self.id = id
        self.network = network
        self.networkName = networkName
        self.mac = mac
        self.addresses = addresses
        self.isActive = isActive
    }

    /// The machine's card that ends in the port.
    package var card: NIC { NIC(id: id.text, mac: mac.lowercased(), tap: PortSpec.tap(of: id.text)) }
}

/// A security group of a server's ports.
package struct ServerSecurityGroup: Sendable, Hashable {
    package var id: ID<Kind.SecurityGroup>
    package var name: String
    package var description: String
    package var projectID: ID<Kind.Project>

    package init(id: ID<Kind.SecurityGroup>, name: String, description: String, projectID: ID<Kind.Project>) {
        self.id = id
        self.name = name
        self.description = description
        self.projectID = projectID
    }
}

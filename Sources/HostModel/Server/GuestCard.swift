package import CloudCore

/// A card of a server, with the facts that its guest may know about the network behind it.
package struct GuestCard: Sendable, Hashable {
    package struct Subnet: Sendable, Hashable {
        package var address: IPAddress
        package var prefix: IPPrefix
        package var gateway: IPAddress?
        package var dns: [IPAddress] = []
        /// The routes besides the one through the gateway.
        package var routes: [StaticRoute] = []
        package var hasDHCP = true
        /// The value of OpenStack's `ipv6_address_mode`.
        package var addressMode: String?

        package init(address: IPAddress, prefix: IPPrefix, gateway: IPAddress? = nil) {
            self.address = address
            self.prefix = prefix
            self.gateway = gateway
        }
    }

    package var port: ID<Kind.Port>
    package var network: ID<Kind.Network>
    package var mac: String
    package var mtu: Int
    /// The subnets in which the port has an address, in the port's order.
    package var subnets: [Subnet]
    package var floatingIPs: [IPAddress]

    package init(
        port: ID<Kind.Port>, network: ID<Kind.Network>, mac: String, mtu: Int, subnets: [Subnet],
        floatingIPs: [IPAddress] = []
    ) {
        self.port = port
        self.network = network
        self.mac = mac
        self.mtu = mtu
        self.subnets = subnets
        self.floatingIPs = floatingIPs
    }
}

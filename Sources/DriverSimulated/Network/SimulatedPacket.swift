package import CloudCore
package import Drivers
import HostModel

/// A packet as its sender writes it. All its claims may be false.
package struct SimulatedPacket: Hashable, Sendable {
    package enum Sender: Hashable, Sendable {
        case port(String)
        /// A machine outside the cloud, in a provider's network.
        case outsider(network: String)
    }

    package enum Content: Hashable, Sendable {
        case ip(FlowKey)
        /// A request or a reply with the claim "`address` is at `mac`".
        case arp(mac: MACAddress, address: IPAddress, isRequest: Bool)
        /// A neighbour advertisement from one address about another.
        case neighbourAdvertisement(from: IPAddress, target: IPAddress)
        case routerAdvertisement(from: IPAddress)
    }

    package var sender: Sender
    package var sourceMAC: MACAddress
    /// The destination; nil for all in the network.
    package var destinationMAC: MACAddress?
    package var content: Content

    package init(from sender: Sender, mac: MACAddress, to destination: MACAddress?, _ content: Content) {
        self.sender = sender
        self.sourceMAC = mac
        self.destinationMAC = destination
        self.content = content
    }
}

/// A receiver of a packet, with the contents as it sees them.
package struct SimulatedDelivery: Hashable, Sendable {
    package enum Receiver: Hashable, Sendable {
        case port(String)
        case outsider(IPAddress)
    }

    package var receiver: Receiver
    package var content: SimulatedPacket.Content

    package init(receiver: Receiver, content: SimulatedPacket.Content) {
        self.receiver = receiver
        self.content = content
    }
}

/// A machine in a provider's network.
package struct SimulatedOutsider: Hashable, Sendable {
    package var network: String
    package var mac: MACAddress
    package var address: IPAddress

    package init(network: String, mac: MACAddress, address: IPAddress) {
        self.network = network
        self.mac = mac
        self.address = address
    }
}

package import CloudCore
package import Drivers
import HostModel

/// A packet as somebody sends it: all that he claims may be untrue.
package struct SimulatedPacket: Hashable, Sendable {
    package enum Sender: Hashable, Sendable {
        case port(String)
        /// A machine that is none of the cloud's, in a network of the provider's.
        case outsider(network: String)
    }

    package enum Content: Hashable, Sendable {
        case ip(FlowKey)
        /// A request or an answer: "`address` is at `mac`".
        case arp(mac: MACAddress, address: IPAddress, isRequest: Bool)
        /// A neighbour advertisement from one address about another.
        case neighbourAdvertisement(from: IPAddress, target: IPAddress)
        case routerAdvertisement(from: IPAddress)
    }

    package var sender: Sender
    package var sourceMAC: MACAddress
    /// Nil: to all in the network.
    package var destinationMAC: MACAddress?
    package var content: Content

    package init(from sender: Sender, mac: MACAddress, to destination: MACAddress?, _ content: Content) {
        self.sender = sender
        self.sourceMAC = mac
        self.destinationMAC = destination
        self.content = content
    }
}

/// Somebody who got a packet, and what he saw of it.
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

/// A machine of the provider's network.
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

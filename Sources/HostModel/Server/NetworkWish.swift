package import CloudCore

/// What the user of a server wants of networks.
package enum NetworkWish: Sendable, Hashable {
    /// The one network that the project has or that is shared with it; none where there is none.
    case automatic
    case nothing
    /// In this order.
    case listed([Item])

    /// A port that is there, or a network to make one on, perhaps with an address. With neither it is any network.
    package struct Item: Sendable, Hashable {
        package var network: ID<Kind.Network>?
        package var port: ID<Kind.Port>?
        package var address: String?
        package var tag: String?
        /// The server whose port it may still be when it is asked for; nil for none.
        package var holder: ID<Kind.Server>?

        package init(
            network: ID<Kind.Network>? = nil, port: ID<Kind.Port>? = nil, address: String? = nil, tag: String? = nil,
            holder: ID<Kind.Server>? = nil
        ) {
            self.network = network
            self.port = port
            self.address = address
            self.tag = tag
            self.holder = holder
        }
    }

    /// The items of a list; none for any other wish.
    package var items: [Item] { if case .listed(let items) = self { items } else { [] } }
}

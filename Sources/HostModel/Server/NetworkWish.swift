package import CloudCore

/// The networks that a user wants for a server.
package enum NetworkWish: Sendable, Hashable {
    /// The only network that the project has or that is shared with it; no network if there is none.
    case automatic
    case nothing
    /// The listed networks and ports, in this order.
    case listed([Item])

    /// An existing port, or a network for a new port, perhaps with an address. If both are nil, any network will do.
    package struct Item: Sendable, Hashable {
        package var network: ID<Kind.Network>?
        package var port: ID<Kind.Port>?
        package var address: String?
        package var tag: String?
        /// The server to which the port may still belong; nil for none.
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

    /// The items of a list; empty for any other wish.
    package var items: [Item] { if case .listed(let items) = self { items } else { [] } }
}

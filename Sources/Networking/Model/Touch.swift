import CloudCore

/// A thing of which a commit changed something that hosts are told. Its text is a key of Networking's topic.
///
/// A commit names things and not hosts, so that it stays small. The keeper finds the hosts in the rows as they are
/// afterwards. So a host that a thing leaves is named itself: no row tells later that it was there.
enum Touch: Hashable, Sendable {
    /// A host, by its name.
    case host(String)
    /// A network with its subnets: every host with ports of it.
    case network(ID<Network.Noun>)
    /// A port's addresses: its host, and every host with a rule for one of the port's groups.
    case port(ID<Port.Noun>)
    /// The addresses in a security group: every host with a rule for the group.
    case members(String)
    /// The rules of a security group: every host with ports that have the group.
    case rules(String)
    /// The addresses of an address group: every host with a rule for it.
    case addresses(ID<AddressGroup.Noun>)
    /// A router: its host.
    case router(ID<Router.Noun>)

    /// The key: the kind, `/`, and the id or the name.
    var key: String {
        switch self {
        case .host(let name): "host/\(name)"
        case .network(let id): "network/\(id)"
        case .port(let id): "port/\(id)"
        case .members(let id): "members/\(id)"
        case .rules(let id): "rules/\(id)"
        case .addresses(let id): "addresses/\(id)"
        case .router(let id): "router/\(id)"
        }
    }
}

extension Port {
    /// Returns what a change of a port touches besides its addresses.
    ///
    /// - Parameters:
    ///   - old: the port before; nil for a new port.
    ///   - new: the port afterwards; nil for a deleted port.
    static func touches(from old: Port?, to new: Port?) -> Set<Touch> {
        guard let port = new ?? old else { return [] }
        var touches = Set([old, new].compactMap { $0 }.map { Touch.host($0.host) })
        let isSeen = ![old, new].allSatisfy { $0?.host.isEmpty ?? true }
        if isSeen, old?.host != new?.host || old?.mac != new?.mac { touches.insert(.network(port.networkID)) }
        if old?.securityGroups != new?.securityGroups || old?.pairs != new?.pairs {
            touches.formUnion([old, new].compactMap { $0?.securityGroups }.joined().map(Touch.members))
        }
        return touches
    }
}

extension Network {
    static func touches(from old: Network?, to new: Network?) -> Set<Touch> {
        // A new network has no ports, and a deleted one has none left.
        old != nil ? Set([new?.id].compactMap { $0 }.map(Touch.network)) : []
    }
}

extension Subnet {
    static func touches(from old: Subnet?, to new: Subnet?) -> Set<Touch> {
        Set([old, new].compactMap { $0 }.map { .network($0.networkID) })
    }
}

extension SecurityGroupRule {
    static func touches(from old: SecurityGroupRule?, to new: SecurityGroupRule?) -> Set<Touch> {
        Set([old, new].compactMap { $0 }.map { .rules($0.groupID.text) })
    }
}

extension AddressGroup {
    static func touches(from old: AddressGroup?, to new: AddressGroup?) -> Set<Touch> {
        // No rule names a group that is new or about to be deleted.
        old?.addresses == new?.addresses || old == nil ? [] : Set([new?.id].compactMap { $0 }.map(Touch.addresses))
    }
}

extension Router {
    static func touches(from old: Router?, to new: Router?) -> Set<Touch> {
        Set([old, new].compactMap { $0 }.map { .host($0.host) })
    }
}

extension FloatingIP {
    static func touches(from old: FloatingIP?, to new: FloatingIP?) -> Set<Touch> {
        Set([old, new].compactMap { $0?.routerID }.map(Touch.router))
    }
}

import Access
import CloudCore
import HTTPKit
import Resources
import SQL

struct NetworkService: NetworkingService {
    typealias R = Network
    let networking: NetworkingContext

    private static let usualMTU: [String: Int64] = ["vxlan": 1450, "geneve": 1442, "gre": 1458]
    /// The VXLAN numbers that projects' networks get (RFC 7348: 24 bits).
    private static let segments: ClosedRange<Int64> = 1...16_777_215
    private static let probes = 32

    static func target(_ network: Network) -> PolicyTarget {
        var target: PolicyTarget = ["project_id": network.projectID, "tenant_id": network.projectID]
        target.set("shared", to: network.isShared)
        target.set("router:external", to: network.isExternal)
        return target
    }

    func loadParts(of rows: inout [Network], for caller: Principal, in tx: Transaction) throws {
        try SharingStore.load(&rows, for: caller, in: tx)
        var subnets: [String: [String]] = [:]
        var scopes: [String: [IPAddress.Version: String]] = [:]
        for subnet in try SubnetStore.ofNetworks(rows.map(\.id.text), in: tx) {
            subnets[subnet.networkID, default: []].append(subnet.id)
            if let scope = subnet.scopeID, let version = subnet.version { scopes[subnet.networkID, default: [:]][version] = scope }
        }
        for at in rows.indices {
            rows[at].subnets = subnets[rows[at].id.text] ?? []
            rows[at].scopes = scopes[rows[at].id.text] ?? [:]
        }
    }

    func willCreate(_ network: inout Network, _ given: Given<Network>, by caller: Principal, in tx: Transaction) throws {
        try placeSegment(&network, in: tx)
        try checkMTU(&network, given)
        if network.isDefault { try checkDefault(network, in: tx) }
    }

    func didCreate(_ network: Network, _ given: Given<Network>, by caller: Principal, in tx: Transaction) throws {
        try SharingStore.setForAll(network, RBACPolicy.shared, network.isShared, id: networking.world.random.uuid(), in: tx)
        try SharingStore.setForAll(network, RBACPolicy.external, network.isExternal, id: networking.world.random.uuid(), in: tx)
    }

    func willUpdate(_ network: inout Network, from old: Network, _ given: Given<Network>, by caller: Principal, in tx: Transaction) throws {
        guard network.type == old.type, network.physicalNetwork == old.physicalNetwork else {
            throw CloudError.invalidInput("Plugin does not support updating provider attributes")
        }
        if network.segmentID != old.segmentID { try checkSegment(network, in: tx) }
        try checkMTU(&network, given)
        if network.isDefault, !old.isDefault { try checkDefault(network, in: tx) }
        if old.isShared, !network.isShared { try checkUnsharing(network, in: tx) }
        if old.isExternal, !network.isExternal {
            if try PortStore.hasGateways(on: network.id, in: tx) {
                throw CloudError.inUse(
                    "ExternalNetworkInUse",
                    "External network \(network.id) cannot be updated to be made non-external, since it has existing gateway ports.")
            }
        }
    }

    func didUpdate(_ network: Network, from old: Network, _ given: Given<Network>, by caller: Principal, in tx: Transaction) throws {
        if network.isShared != old.isShared {
            try SharingStore.setForAll(network, RBACPolicy.shared, network.isShared, id: networking.world.random.uuid(), in: tx)
        }
        if network.isExternal, !old.isExternal {
            try SharingStore.setForAll(network, RBACPolicy.external, true, id: networking.world.random.uuid(), in: tx)
        } else if old.isExternal, !network.isExternal {
            try SharingStore.removeExternal(network.id, in: tx)
        }
    }

    func willDelete(_ network: Network, by caller: Principal, in tx: Transaction) throws {
        // Floating IPs that lead nowhere are deleted together with their network.
        var unused = ListQuery()
        unused.filter("network_id", .equals, network.id)
        unused.filter("port_id", .equals, nil as String?)
        let floating = FloatingIPService(networking: networking)
        for one in try floating.store.all(unused, in: tx) { try floating.remove(one, by: caller, in: tx) }
        let ports = try PortStore.owners(on: network.id, in: tx)
        if ports.contains(where: { !Port.automaticOwners.contains($0.owner) }) {
            throw CloudError.inUse(
                "NetworkInUse",
                "Unable to complete operation on network \(network.id). There are one or more ports still in use on the network.")
        }
        let service = PortService(networking: networking)
        for port in ports { try service.discard(ID(port.id), in: tx) }
        for subnet in try SubnetStore.ids(on: network.id, in: tx) { try TagStore.set([], of: subnet, in: tx) }
        try SubnetStore.deleteAll(on: network.id, in: tx)
    }

    // MARK: Segments

    private func placeSegment(_ network: inout Network, in tx: Transaction) throws {
        guard !network.type.isEmpty else {
            guard network.physicalNetwork == nil, network.segmentID == nil else {
                throw CloudError.invalidInput("network_type required when other provider attributes specified")
            }
            network.type = "vxlan"
            network.segmentID = try freeSegment(in: tx)
            return
        }
        switch network.type {
        case "local":
            guard network.physicalNetwork == nil, network.segmentID == nil else {
                throw CloudError.invalidInput("a local network has neither a physical network nor a segmentation id")
            }
        case "flat":
            guard let physical = network.physicalNetwork, network.segmentID == nil else {
                throw CloudError.invalidInput("a flat network has a physical network and no segmentation id")
            }
            if try NetworkStore.hasFlat(on: physical, in: tx) {
                throw CloudError.inUse("FlatNetworkInUse", "Unable to create the flat network. Physical network \(physical) is in use.")
            }
        case "vlan":
            guard let physical = network.physicalNetwork else {
                throw CloudError.invalidInput("physical_network required for VLAN provider network")
            }
            if network.segmentID == nil { network.segmentID = try freeVLAN(on: physical, in: tx) } else { try checkSegment(network, in: tx) }
        case "vxlan":
            guard network.physicalNetwork == nil else { throw CloudError.invalidInput("provider:physical_network specified for vxlan network") }
            if network.segmentID == nil { network.segmentID = try freeSegment(in: tx) } else { try checkSegment(network, in: tx) }
        default: throw CloudError.invalidInput("network_type value '\(network.type)' not supported")
        }
    }

    private func checkSegment(_ network: Network, in tx: Transaction) throws {
        let range = network.type == "vlan" ? Self.vlans : Self.segments
        guard let segment = network.segmentID, range.contains(segment) else {
            throw CloudError.invalidInput("segmentation_id out of range (\(range.lowerBound) through \(range.upperBound))")
        }
        if try NetworkStore.hasSegment(segment, of: network.type, on: network.physicalNetwork, in: tx) {
            throw network.type == "vlan"
                ? CloudError.inUse(
                    "VlanIdInUse",
                    "Unable to create the network. The VLAN \(segment) on physical network \(network.physicalNetwork ?? "") is in use.")
                : CloudError.inUse("TunnelIdInUse", "Unable to create the network. The tunnel ID \(segment) is in use.")
        }
    }

    private func freeSegment(in tx: Transaction) throws -> Int64 {
        for _ in 0..<Self.probes {
            let drawn = networking.world.random.bytes(4).reduce(Int64(0)) { $0 << 8 | Int64($1) }
            let segment = Self.segments.lowerBound + drawn % Int64(Self.segments.count)
            if try !NetworkStore.hasTunnel(segment, in: tx) { return segment }
        }
        throw CloudError.networking(.unavailable, "NoNetworkAvailable", "Unable to create the network. No project network is available for allocation.")
    }

    /// The VLAN ids that networks may have (IEEE 802.1Q).
    private static let vlans: ClosedRange<Int64> = 1...4094

    /// Returns a free VLAN id of a physical network. The choice is random, so that two requests seldom want the same
    /// one.
    private func freeVLAN(on physical: String, in tx: Transaction) throws -> Int64 {
        let taken = try NetworkStore.vlans(on: physical, in: tx)
        let free = Self.vlans.filter { !taken.contains($0) }
        guard !free.isEmpty else {
            throw CloudError.networking(
                .unavailable, "NoNetworkAvailable", "Unable to create the network. No VLAN of physical network \(physical) is available for allocation.")
        }
        return free[networking.world.random.bytes(4).reduce(0) { $0 << 8 | Int($1) } % free.count]
    }

    // MARK: Checks

    private func checkMTU(_ network: inout Network, _ given: Given<Network>) throws {
        let most = Self.usualMTU[network.type] ?? 1500
        if network.mtu == 0 { network.mtu = most }
        guard given.has(\.mtu) else { return }
        guard network.mtu >= 68 else { throw CloudError.invalidInput("Requested MTU is too small, minimum value is 68") }
        guard network.mtu <= most else {
            throw CloudError.invalidInput("Requested MTU is too big, maximum is \(most)")
        }
    }

    private func checkDefault(_ network: Network, in tx: Transaction) throws {
        guard network.isExternal else { return }
        if try NetworkStore.hasDefaultExternal(except: network.id, in: tx) {
            throw CloudError.inUse("DefaultExternalNetworkExists", "A default external network already exists.")
        }
    }

    /// Refuses to stop sharing a network on which other projects have ports.
    private func checkUnsharing(_ network: Network, in tx: Transaction) throws {
        guard try PortStore.countUnsharedUsers(of: network, in: tx) == 0 else {
            throw CloudError.inUse(
                "InvalidSharedSetting", "Unable to reconfigure sharing settings for network \(network.name). Multiple projects are using it.")
        }
    }
}

extension Bool {
    /// Returns whether the last value of a filter is true.
    static func isTrue(_ values: [String]) -> Bool { Bool.sql(filter: values.last ?? "") == .integer(1) }
}

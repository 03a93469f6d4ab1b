import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// Adding subnets to routers and removing them.
extension RouterService {
    /// The interface that was added or removed.
    struct Interface: Sendable {
        var routerID: ID<Router.Noun>
        var projectID: String
        var portID: ID<Port.Noun>
        var networkID: ID<Network.Noun>
        var subnetIDs: [ID<Subnet.Noun>]
    }

    private struct Request {
        var portID: ID<Port.Noun>?
        var subnetID: ID<Subnet.Noun>?

        init(_ body: JSONObject) throws {
            for key in ["port_id", "subnet_id"] {
                guard let given = body[key] else { continue }
                guard let id = given.string, id.utf8.count == 36 else {
                    throw CloudError.badNetworkingRequest("router", "'\(given.text.prefix(64))' is not a valid UUID")
                }
                if key == "port_id" { portID = ID(id) } else { subnetID = ID(id) }
            }
            guard portID != nil || subnetID != nil else {
                throw CloudError.badNetworkingRequest("router", "Either subnet_id or port_id must be specified")
            }
        }
    }

    func addInterface(_ id: ID<Router.Noun>, _ body: JSONObject, by caller: Principal) async throws -> Interface {
        let request = try Request(body)
        guard request.portID == nil || request.subnetID == nil else {
            throw CloudError.badNetworkingRequest("router", "Cannot specify both subnet-id and port-id")
        }
        return try await networking.write { tx in
            let router = try authorised("add_router_interface", id, by: caller, in: tx)
            let port = try request.portID.map { try attach($0, to: router, by: caller, in: tx) }
                ?? plug(request.subnetID ?? ID(""), into: router, by: caller, in: tx)
            try RouterStore.touch(id, at: networking.world.now, in: tx)
            return Interface(
                routerID: id, projectID: port.projectID, portID: port.id, networkID: port.networkID,
                subnetIDs: request.subnetID.map { [$0] } ?? port.fixedIPs.map(\.subnetID))
        }
    }

    func removeInterface(_ id: ID<Router.Noun>, _ body: JSONObject, by caller: Principal) async throws -> Interface {
        let request = try Request(body)
        return try await networking.write { tx in
            let router = try authorised("remove_router_interface", id, by: caller, in: tx)
            var (port, subnets) = try interface(request, of: router, by: caller, in: tx)
            for subnet in subnets { try checkUnused(subnet, router, in: tx) }
            if port.fixedIPs.contains(where: { !subnets.contains($0.subnetID) }) {
                for fixed in port.fixedIPs where subnets.contains(fixed.subnetID) {
                    try AddressStore(world: networking.world).remove(fixed, in: tx)
                }
                networking.touch([.port(port.id)], in: tx)
                port.fixedIPs.removeAll { subnets.contains($0.subnetID) }
            } else {
                try ports.discard(port.id, in: tx)
            }
            try RouterStore.touch(id, at: networking.world.now, in: tx)
            return Interface(
                routerID: id, projectID: port.projectID, portID: port.id, networkID: port.networkID, subnetIDs: subnets)
        }
    }

    // MARK: In

    private func attach(_ id: ID<Port.Noun>, to router: Router, by caller: Principal, in tx: Transaction) throws -> Port {
        var port = try ports.require(id, by: caller, in: tx)
        guard port.projectID == caller.project || networking.seesAll(caller) else { throw CloudError.missing(Port.self, id.text) }
        guard port.deviceID.isEmpty else {
            throw CloudError.inUse(
                "PortInUse",
                "Unable to complete operation on port \(id) for network \(port.networkID). Port already has an attached device \(port.deviceID).")
        }
        port.fixedIPs = try AddressStore(world: networking.world).addresses(ofPorts: [id.text], in: tx)[id.text] ?? []
        guard !port.fixedIPs.isEmpty else { throw CloudError.badNetworkingRequest("router", "Router port must have at least one fixed IP") }
        guard port.fixedIPs.filter({ $0.address.version == .v4 }).count <= 1 else {
            throw CloudError.badNetworkingRequest("router", "Cannot have multiple IPv4 subnets on router port")
        }
        try checkOverlap(of: router, with: port.fixedIPs.map(\.subnetID), in: tx)
        networking.touch(try TouchStore.touches(ofPort: id, in: tx), in: tx)
        let old = port
        port.deviceID = router.id.text
        port.deviceOwner = Port.routerInterface
        port.host = router.host
        port.status = Port.status(boundTo: router.host)
        port.portSecurity = false
        port.standard.revision += 1
        try PortStore.setGroups([], of: id, in: tx)
        try ports.save(port, over: old, in: tx)
        return port
    }

    private func plug(_ id: ID<Subnet.Noun>, into router: Router, by caller: Principal, in tx: Transaction) throws -> Port {
        let subnet = try SubnetService(networking: networking).require(id, by: caller, in: tx)
        let network = try NetworkLookup.require(subnet.networkID, by: caller, networking, in: tx)
        guard let gateway = subnet.gateway else {
            throw CloudError.badNetworkingRequest("router", "Subnet for router interface must have a gateway IP")
        }
        let isAllowed = try subnet.projectID == caller.project || network.projectID == caller.project || networking.isAdmin(caller)
            || RouterStore.isSharedWith(caller.project, subnet.networkID, in: tx)
        guard isAllowed else {
            throw CloudError.badNetworkingRequest(
                "router", "Cannot add interface to router because subnet \(id) is not owned by project making the request")
        }
        if subnet.advertisement == nil, subnet.isAutomatic {
            throw CloudError.badNetworkingRequest(
                "router", "IPv6 subnet \(id) configured to receive RAs from an external router cannot be added to Neutron Router.")
        }
        try checkOverlap(of: router, with: [id], in: tx)
        let request = AddressRequest(subnetID: id, address: gateway)
        if subnet.version == 6, var port = try RouterStore.interface(of: router.id, on: subnet.networkID, version: .v6, in: tx) {
            // One port per network holds all its IPv6 prefixes.
            let allocator = AddressAllocator(store: AddressStore(world: networking.world))
            port.fixedIPs = try allocator.store.addresses(ofPorts: [port.id.text], in: tx)[port.id.text] ?? []
            let kept = port.fixedIPs.map { AddressRequest(subnetID: $0.subnetID, address: $0.address) }
            try allocator.change(port, from: port, kept + [request], in: tx)
            networking.touch([.port(port.id)], in: tx)
            return port
        }
        try QuotaStore.claim("port", for: router.projectID, in: tx)
        var port = Port()
        port.networkID = subnet.networkID
        port.standard.projectID = router.projectID
        port.deviceID = router.id.text
        port.deviceOwner = Port.routerInterface
        port.host = router.host
        port.status = Port.status(boundTo: router.host)
        return try ports.make(port, [request], in: tx)
    }

    // MARK: Out

    private func interface(
        _ request: Request, of router: Router, by caller: Principal, in tx: Transaction
    ) throws -> (port: Port, subnets: [ID<Subnet.Noun>]) {
        let ids = try RouterStore.interfaces(of: router.id, in: tx)
        let fixed = try AddressStore(world: networking.world).addresses(ofPorts: ids.map(\.text), in: tx)
        func load(_ id: ID<Port.Noun>) throws -> Port {
            var port = try ports.store.require(id, in: tx)
            port.fixedIPs = fixed[id.text] ?? []
            return port
        }
        if let id = request.portID {
            guard ids.contains(id) else {
                throw CloudError.networking(
                    .notFound, "RouterInterfaceNotFound", "Router \(router.id) does not have an interface with id \(id)")
            }
            let port = try load(id)
            if let subnet = request.subnetID, !port.fixedIPs.contains(where: { $0.subnetID == subnet }) {
                throw CloudError.networking(
                    .badRequest, "SubnetMismatchForPort", "Subnet on port \(id) does not match the requested subnet \(subnet).")
            }
            return (port, port.fixedIPs.map(\.subnetID))
        }
        let wanted = request.subnetID ?? ID("")
        guard let id = ids.first(where: { fixed[$0.text]?.contains { $0.subnetID == wanted } ?? false }) else {
            _ = try SubnetService(networking: networking).require(wanted, by: caller, in: tx)
            throw CloudError.networking(
                .notFound, "RouterInterfaceNotFoundForSubnet", "Router \(router.id) has no interface on subnet \(wanted)")
        }
        return (try load(id), [wanted])
    }

    private func checkUnused(_ subnet: ID<Subnet.Noun>, _ router: Router, in tx: Transaction) throws {
        guard let prefix = try RouterStore.prefixes([subnet.text], in: tx).first?.prefix else { return }
        if let route = router.routes.items.first(where: { prefix.contains($0.nexthop) }) {
            throw CloudError.inUse(
                "RouterInterfaceInUseByRoute",
                "Router interface for subnet \(subnet) on router \(router.id) cannot be deleted, as it is required by one or more routes (\(route.destination)).")
        }
        if try RouterStore.leadsTo(subnet, router.id, in: tx) {
            throw CloudError.inUse(
                "RouterInterfaceInUseByFloatingIP",
                "Router interface for subnet \(subnet) on router \(router.id) cannot be deleted, as it is required by one or more floating IPs.")
        }
    }
}

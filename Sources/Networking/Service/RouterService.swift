import Access
import CloudCore
import HTTPKit
import Resources
import SQL

struct RouterService: NetworkingService {
    typealias R = Router
    let networking: NetworkingContext

    var ports: PortService { PortService(networking: networking) }
    private var addresses: AddressStore { AddressStore(world: networking.world) }
    private static let mostRoutes = Limits.thing.routes.most

    func loadParts(of rows: inout [Router], for caller: Principal, in tx: Transaction) throws {
        let gateways = rows.compactMap { $0.gatewayPort?.text }
        let fixed = try addresses.addresses(ofPorts: gateways, in: tx)
        let networks = try RouterStore.networks(ofPorts: gateways, in: tx)
        for at in rows.indices {
            guard let port = rows[at].gatewayPort?.text, let network = networks[port] else {
                rows[at].gateway = nil
                continue
            }
            rows[at].gateway = Router.Gateway(networkID: network, snat: rows[at].snat, fixedIPs: fixed[port] ?? [])
        }
    }

    // MARK: Writing

    func willCreate(_ router: inout Router, _ given: Given<Router>, by caller: Principal, in tx: Transaction) throws {
        try refuseModes(given)
        try setGateway(of: &router, given.gateway, by: caller, in: tx)
    }

    func willUpdate(_ router: inout Router, from old: Router, _ given: Given<Router>, by caller: Principal, in tx: Transaction) throws {
        try refuseModes(given)
        if given.gateway != .keep { try setGateway(of: &router, given.gateway, by: caller, in: tx) }
        if given.has(\.routes) { try check(router.routes.items, of: router, in: tx) }
    }

    func willDelete(_ router: Router, by caller: Principal, in tx: Transaction) throws {
        let interfaces = try RouterStore.interfaces(of: router.id, in: tx)
        if !interfaces.isEmpty {
            throw CloudError.inUse(
                "RouterInUse",
                "Router \(router.id) has ports still attached: \(interfaces.map(\.text).joined(separator: ", "))")
        }
        var gone = router
        try clearGateway(of: &gone, in: tx)
        try save(gone, over: router, in: tx)
        if let port = router.gatewayPort { try ports.discard(port, in: tx) }
    }

    /// Refuses the modes `distributed` and `ha`: every router runs once, on the host of its gateway.
    private func refuseModes(_ given: Given<Router>) throws {
        for (mode, isOn) in [("distributed", given.isDistributed), ("ha", given.isHighlyAvailable)] where isOn == true {
            throw CloudError.badNetworkingRequest("router", "the attribute '\(mode)' cannot be true here")
        }
    }

    // MARK: Gateway

    private func setGateway(of router: inout Router, _ asked: Update<Router.GatewayRequest>, by caller: Principal, in tx: Transaction) throws {
        guard case .set(let asked) = asked else {
            if let port = router.gatewayPort {
                try clearGateway(of: &router, in: tx)
                try store.update(router, in: tx)
                try ports.discard(port, in: tx)
            }
            return
        }
        let (network, requests) = (asked.networkID, asked.addresses)
        router.snat = asked.snat
        try checkExternal(network, requests ?? [], by: caller, in: tx)
        if let port = router.gatewayPort, router.gateway?.networkID == network {
            if let requests, !requests.isEmpty, let old = try ports.store.find(port, in: tx) {
                var gateway = old
                gateway.fixedIPs = router.gateway?.fixedIPs ?? []
                try AddressAllocator(store: addresses).change(gateway, from: gateway, requests, in: tx)
                networking.touch([.port(port)], in: tx)
            }
            return
        }
        let old = router.gatewayPort
        try clearGateway(of: &router, in: tx)
        if let old {
            try store.update(router, in: tx)
            try ports.discard(old, in: tx)
        }
        var port = Port()
        port.networkID = network
        port.deviceID = router.id.text
        port.deviceOwner = Port.routerGateway
        port.host = router.host
        port.status = Port.status(boundTo: router.host)
        let made = try ports.make(port, requests.flatMap { $0.isEmpty ? nil : $0 }, in: tx)
        try checkOverlap(of: router, with: made.fixedIPs.map(\.subnetID), in: tx)
        router.gatewayPort = made.id
    }

    private func clearGateway(of router: inout Router, in tx: Transaction) throws {
        guard router.gatewayPort != nil else { return }
        if try RouterStore.hasFloatingIPs(router.id, in: tx) {
            throw CloudError.inUse(
                "RouterExternalGatewayInUseByFloatingIp",
                "Gateway cannot be updated for router \(router.id), since a gateway to external network \(router.gateway?.networkID.text ?? "") is required by one or more floating IPs.")
        }
        router.gatewayPort = nil
    }

    private func checkExternal(_ id: ID<Network.Noun>, _ requests: [AddressRequest], by caller: Principal, in tx: Transaction) throws {
        let network = try NetworkLookup.require(id, by: caller, networking, in: tx)
        guard network.isExternal else { throw CloudError.badNetworkingRequest("router", "Network \(id) is not an external network") }
        for gateway in try SubnetStore.gateways(on: id, in: tx) where requests.contains(where: { $0.address == gateway }) {
            throw CloudError.badNetworkingRequest("router", "External IP \(gateway) is the same as the gateway IP")
        }
    }

    // MARK: Routes

    /// Throws unless each next hop is on one of the router's networks and is not an address of the router itself.
    private func check(_ routes: [HostRoute], of router: Router, in tx: Transaction) throws {
        func wrong(_ routes: HostRoute, _ reason: String) -> CloudError {
            .networking(.badRequest, "InvalidRoutes", "Invalid format for routes: \(routes.json.text), \(reason)")
        }
        if routes.count > Self.mostRoutes {
            throw CloudError.networking(
                .badRequest, "RoutesExhausted",
                "Unable to complete operation for \(router.id). The number of routes exceeds the maximum \(Self.mostRoutes).")
        }
        guard Set(routes).count == routes.count else { throw CloudError.badRequest("Invalid input for routes. Reason: Duplicate hostroute.") }
        let ports = try RouterStore.interfaces(of: router.id, in: tx) + (router.gatewayPort.map { [$0] } ?? [])
        let own = try addresses.addresses(ofPorts: ports.map(\.text), in: tx).values.flatMap { $0 }
        let subnets = try RouterStore.prefixes(own.map(\.subnetID.text), in: tx)
        for route in routes {
            guard subnets.contains(where: { $0.prefix.contains(route.nexthop) }) else {
                throw wrong(route, "the nexthop is not connected with router")
            }
            guard !own.contains(where: { $0.address == route.nexthop }) else { throw wrong(route, "the nexthop is used by router") }
        }
    }

    /// Carries out `add_extraroutes` and `remove_extraroutes` on the routes that are stored at that moment.
    func changeRoutes(_ id: ID<Router.Noun>, _ body: JSONObject, adding: Bool, by caller: Principal) async throws -> Shown<Router> {
        guard let given = body["router"]?.object, let asked = given["routes"].flatMap(Listed<HostRoute>.init(json:)), given.count == 1 else {
            throw CloudError.badRequest("Invalid input for routes. Reason: a list of routes is expected.")
        }
        return try await networking.write { tx in
            var router = try authorised(adding ? "add_extraroutes" : "remove_extraroutes", id, by: caller, in: tx)
            let present = router.routes.items
            router.routes.items =
                adding ? present + asked.items.filter { !present.contains($0) } : present.filter { !asked.items.contains($0) }
            if adding { try check(router.routes.items, of: router, in: tx) }
            stamp(&router)
            try save(router, over: router, in: tx)
            return Shown(rows: [router])
        }
    }

    // MARK: Overlaps

    /// Throws if two networks of a router would have an address in common, since the router could not tell where to
    /// send packets for it.
    func checkOverlap(of router: Router, with subnets: [ID<Subnet.Noun>], in tx: Transaction) throws {
        let ports = try RouterStore.interfaces(of: router.id, in: tx) + (router.gatewayPort.map { [$0] } ?? [])
        let present = try addresses.addresses(ofPorts: ports.map(\.text), in: tx).values.flatMap { $0.map(\.subnetID.text) }
        if let twice = subnets.first(where: { present.contains($0.text) }) {
            throw CloudError.badNetworkingRequest("router", "Router already has a port on subnet \(twice)")
        }
        let known = try RouterStore.prefixes(present, in: tx)
        for new in try RouterStore.prefixes(subnets.map(\.text), in: tx) {
            guard let other = known.first(where: { $0.prefix.overlaps(new.prefix) }) else { continue }
            throw CloudError.badNetworkingRequest(
                "router", "Cidr \(new.prefix) of subnet \(new.id) overlaps with cidr \(other.prefix) of subnet \(other.id)")
        }
    }
}

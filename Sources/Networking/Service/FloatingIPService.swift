import Access
import CloudCore
import HTTPKit
import Resources
import SQL

struct FloatingIPService: NetworkingService {
    typealias R = FloatingIP
    let networking: NetworkingContext

    private var ports: PortService { PortService(networking: networking) }

    func loadParts(of rows: inout [FloatingIP], for caller: Principal, in tx: Transaction) throws {
        var details: [String: JSON] = [:]
        for port in try ResourceStore<Port>().all(ListQuery(ids: rows.compactMap { $0.portID?.text }), in: tx) {
            details[port.id.text] = [
                "name": .string(port.name), "network_id": .string(port.networkID.text), "mac_address": port.mac.json,
                "admin_state_up": .bool(port.isUp), "status": .string(port.status), "device_id": .string(port.deviceID),
                "device_owner": .string(port.deviceOwner),
            ]
        }
        for at in rows.indices { rows[at].details = rows[at].portID.flatMap { details[$0.text] } ?? .null }
    }

    func willCreate(_ floating: inout FloatingIP, _ given: Given<FloatingIP>, by caller: Principal, in tx: Transaction) throws {
        let network = try NetworkLookup.require(floating.networkID, by: caller, networking, in: tx)
        guard network.isExternal else {
            throw CloudError.badNetworkingRequest("floatingip", "Network \(floating.networkID) is not a valid external network")
        }
        if try !SubnetStore.hasIPv4(on: floating.networkID, in: tx) {
            throw CloudError.badNetworkingRequest("floatingip", "Network \(floating.networkID) does not contain any IPv4 subnet")
        }
        var port = Port()
        port.networkID = floating.networkID
        port.deviceID = floating.id.text
        port.deviceOwner = Port.floatingIP
        port.status = "N/A"
        var request = AddressRequest()
        request.subnetID = given.subnetID
        request.address = floating.address
        let isAnswered = request.subnetID != nil || request.address != nil
        let made = try ports.make(port, isAnswered ? [request] : nil, in: tx)
        guard let address = made.fixedIPs.first(where: { $0.address.version == .v4 })?.address else {
            throw CloudError.networking(
                .badRequest, "ExternalIpAddressExhausted",
                "Unable to find any IP address on external network \(floating.networkID).")
        }
        floating.address = address
        floating.ownPortID = made.id
        try associate(&floating, by: caller, in: tx)
    }

    func willUpdate(_ floating: inout FloatingIP, from old: FloatingIP, _ given: Given<FloatingIP>, by caller: Principal, in tx: Transaction) throws {
        guard given.has(\.portID) || given.has(\.fixedAddress) else { return }
        if !given.has(\.fixedAddress) { floating.fixedAddress = nil }
        try associate(&floating, by: caller, in: tx)
    }

    func didDelete(_ floating: FloatingIP, by caller: Principal, in tx: Transaction) throws {
        try ports.discard(floating.ownPortID, in: tx)
    }

    // MARK: What it leads to

    private func wrong(_ what: String) -> CloudError { .badNetworkingRequest("floatingip", what) }

    private func associate(_ floating: inout FloatingIP, by caller: Principal, in tx: Transaction) throws {
        guard let portID = floating.portID else {
            guard floating.fixedAddress == nil else { throw wrong("fixed_ip_address cannot be specified without a port_id") }
            (floating.routerID, floating.status) = (nil, "DOWN")
            return
        }
        let port = try ports.require(portID, by: caller, in: tx)
        guard port.projectID == floating.projectID || networking.isAdmin(caller) else {
            throw wrong("Cannot process floating IP association with Port \(portID), since that port is owned by a different project")
        }
        guard port.deviceOwner != Port.dhcp else { throw wrong("Port \(portID) is unable to be assigned a floating IP") }
        let fixed = try target(of: floating, port, in: tx)
        guard let subnet = try ResourceStore<Subnet>().find(fixed.subnetID, in: tx),
            let router = try RouterStore.routers(from: subnet, to: floating.networkID, in: tx).first
        else {
            throw CloudError.networking(
                .notFound, "ExternalGatewayForFloatingIPNotFound",
                "External network \(floating.networkID) is not reachable from subnet \(fixed.subnetID).  Therefore, cannot associate Port \(portID) with a Floating IP.")
        }
        if try FloatingIPStore.isTaken(fixed.address, of: portID, exceptBy: floating, in: tx) {
            throw CloudError.inUse(
                "FloatingIPPortAlreadyAssociated",
                "Cannot associate floating IP \(floating.address?.description ?? "") (\(floating.id)) with port \(portID) using fixed IP \(fixed.address), as that fixed IP already has a floating IP on external network \(floating.networkID).")
        }
        // It becomes active when the router's host reports it.
        (floating.fixedAddress, floating.routerID, floating.status) = (fixed.address, router, Port.down)
    }

    /// Returns the port's address that the floating IP is to lead to.
    private func target(of floating: FloatingIP, _ port: Port, in tx: Transaction) throws -> Port.FixedIP {
        let all = try AddressStore(world: networking.world).addresses(ofPorts: [port.id.text], in: tx)[port.id.text] ?? []
        if let wanted = floating.fixedAddress {
            guard wanted.version == .v4 else {
                throw wrong("Cannot process floating IP association with \(wanted), since that is not an IPv4 address")
            }
            guard let fixed = all.first(where: { $0.address == wanted }) else {
                throw wrong("Port \(port.id) does not have fixed ip \(wanted)")
            }
            return fixed
        }
        let candidates = all.filter { $0.address.version == .v4 }
        guard let fixed = candidates.first else {
            throw wrong("Cannot add floating IP to port \(port.id) that has no fixed IPv4 addresses")
        }
        guard candidates.count == 1 else {
            throw wrong(
                "Port \(port.id) has multiple fixed IPv4 addresses.  Must provide a specific IPv4 address when assigning a floating IP")
        }
        return fixed
    }
}

extension ListQuery {
    /// Creates a query for the rows with these ids.
    init(ids: [String]) {
        self.init()
        filter("id", in: Array(Set(ids)))
    }
}

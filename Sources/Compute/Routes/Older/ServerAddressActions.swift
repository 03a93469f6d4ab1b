import CloudCore
import HTTPKit
import HostModel

/// The actions on a server's addresses, which end with 2.43. Networking has the addresses.
struct ServerAddressActions: Sendable {
    static let network = Form(.either([.uuid, .whole(0 ... .max)])) { $0.string ?? $0.text }.inside("networkId")
    static let address = Form.givenAddress.inside("address")
    struct Floating: Sendable {
        var address = ""
        var fixed: String?
    }
    static let floating = Form.object(
        Floating(),
        [.required("address", \.address, .givenAddress), .optional("fixed_address", \.fixed, .givenAddress)])

    private let act: ServerActionCall
    private let apis: OtherAPIs
    private var id: ID<Kind.Server> { act.id }

    init(_ act: ServerActionCall) {
        self.act = act
        apis = OtherAPIs(act.servers.context.needs.others, act.call)
    }

    // MARK: Fixed

    private func refuseLocked() async throws {
        try act.servers.refuseLocked(try await act.view().server, by: act.caller)
    }

    func addFixed(network: String) async throws {
        try await refuseLocked()
        let missing = CloudError.notFound("Network \(network) could not be found for instance \(id).")
        guard let subnet = try await apis.list("subnets", [("network_id", network)]).first?["id"] else { throw missing }
        guard let port = try await apis.list("ports", [("device_id", id.text), ("network_id", network)]).first else { throw missing }
        do {
            try await apis.update(
                "ports", port["id"]?.string ?? "", ["fixed_ips": .array((port["fixed_ips"]?.array ?? []) + [["subnet_id": subnet]])])
        } catch let error as CloudError {
            throw error.asBadRequest()
        }
    }

    func removeFixed(_ address: String) async throws {
        try await refuseLocked()
        for port in try await apis.list("ports", [("device_id", id.text)]) {
            let all = port["fixed_ips"]?.array ?? []
            let rest = all.filter { $0["ip_address"]?.string != address }
            guard rest.count < all.count else { continue }
            try await apis.update("ports", port["id"]?.string ?? "", ["fixed_ips": .array(rest)])
            return
        }
        throw CloudError.badRequest("Fixed IP \(address) not found for instance \(id).")
    }

    // MARK: Floating

    private func find(_ address: String) async throws -> JSON {
        guard let found = try await apis.list("floatingips", [("floating_ip_address", address)]).first else {
            throw CloudError.notFound("floating IP not found")
        }
        return found
    }

    func addFloating(_ wanted: Floating) async throws {
        let (address, fixed) = (wanted.address, wanted.fixed)
        let view = try await act.view()
        let own = view.ports.flatMap { port in port.addresses.filter { !$0.isFloating }.map { (port: port.id, address: $0) } }
        guard !own.isEmpty else { throw CloudError.badRequest("No fixed IPs associated to instance") }
        guard let place = own.first(where: { fixed == nil ? $0.address.version == 4 : $0.address.text == fixed }) else {
            throw CloudError.badRequest(
                fixed != nil ? "Specified fixed address not assigned to instance"
                    : "Unable to associate floating IP \(address) to any fixed IPs for instance \(view.stored.id). Instance has no fixed IPv4 addresses to associate.")
        }
        let floating = try await find(address)
        do {
            try await apis.update(
                "floatingips", floating["id"]?.string ?? "",
                ["port_id": .string(place.port.text), "fixed_ip_address": .string(place.address.text)])
        } catch let error as CloudError where error.kind == .conflict || error.kind == .notFound {
            throw CloudError.badRequest(
                "Unable to associate floating IP \(address) to fixed IP \(place.address.text) for instance \(view.stored.id). Error: \(error.message)")
        }
    }

    func removeFloating(_ address: String) async throws {
        let view = try await act.view()
        let floating = try await find(address)
        guard let port = floating["port_id"]?.string, view.ports.contains(where: { $0.id.text == port }) else {
            throw CloudError.conflict("Floating IP \(address) is not associated with instance \(view.stored.id).")
        }
        try await apis.update("floatingips", floating["id"]?.string ?? "", ["port_id": .null])
    }
}

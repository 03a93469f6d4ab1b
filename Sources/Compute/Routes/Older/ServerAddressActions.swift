import CloudCore
import HTTPKit
import HostModel

/// Actions on a server's addresses, which 2.44 took out: addresses are Networking's.
struct ServerAddressActions: Sendable {
    let servers: ServerService

    static let names: Set<String> = ["addFixedIp", "removeFixedIp", "addFloatingIp", "removeFloatingIp"]
    private static let network = Form(.either([.uuid, .whole(0 ... .max)])) { $0.string ?? $0.text }.inside("networkId")
    private static let address = Form.givenAddress.inside("address")
    private struct Floating: Sendable {
        var address = ""
        var fixed: String?
    }
    private static let floating = Form.object(
        Floating(), [.required("address", \.address, .givenAddress), .optional("fixed_address", \.fixed, .givenAddress)])

    func act(_ name: String, _ id: ID<Kind.Server>, _ body: JSON, _ call: ComputeCall) async throws {
        let apis = OtherAPIs(servers.context.needs.others, call)
        switch name {
        case "addFixedIp":
            let network = try call.read(Self.network.inside(name), body)
            try servers.refuseLocked(try await servers.get(id, .addFixedIP, by: call.caller).server, by: call.caller)
            try await addFixed(id, network: network, apis)
        case "removeFixedIp":
            let address = try call.read(Self.address.inside(name), body)
            try servers.refuseLocked(try await servers.get(id, .removeFixedIP, by: call.caller).server, by: call.caller)
            try await removeFixed(id, address, apis)
        case "addFloatingIp":
            let floating = try call.read(Self.floating.inside(name), body)
            let view = try await servers.get(id, .addFloatingIP, by: call.caller)
            try await addFloating(view, floating.address, to: floating.fixed, apis)
        default:
            let address = try call.read(Self.address.inside(name), body)
            let view = try await servers.get(id, .removeFloatingIP, by: call.caller)
            try await removeFloating(view, address, apis)
        }
    }

    // MARK: Fixed

    private func addFixed(_ id: ID<Kind.Server>, network: String, _ apis: OtherAPIs) async throws {
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

    private func removeFixed(_ id: ID<Kind.Server>, _ address: String, _ apis: OtherAPIs) async throws {
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

    private func find(_ address: String, _ apis: OtherAPIs) async throws -> JSON {
        guard let found = try await apis.list("floatingips", [("floating_ip_address", address)]).first else {
            throw CloudError.notFound("floating IP not found")
        }
        return found
    }

    private func addFloating(_ view: ServerView, _ address: String, to fixed: String?, _ apis: OtherAPIs) async throws {
        let own = view.ports.flatMap { port in port.addresses.filter { !$0.isFloating }.map { (port: port.id, address: $0) } }
        guard !own.isEmpty else { throw CloudError.badRequest("No fixed IPs associated to instance") }
        guard let place = own.first(where: { fixed == nil ? $0.address.version == 4 : $0.address.text == fixed }) else {
            throw CloudError.badRequest(
                fixed != nil ? "Specified fixed address not assigned to instance"
                    : "Unable to associate floating IP \(address) to any fixed IPs for instance \(view.server.id). Instance has no fixed IPv4 addresses to associate.")
        }
        let floating = try await find(address, apis)
        do {
            try await apis.update(
                "floatingips", floating["id"]?.string ?? "",
                ["port_id": .string(place.port.text), "fixed_ip_address": .string(place.address.text)])
        } catch let error as CloudError where error.kind == .conflict || error.kind == .notFound {
            throw CloudError.badRequest(
                "Unable to associate floating IP \(address) to fixed IP \(place.address.text) for instance \(view.server.id). Error: \(error.message)")
        }
    }

    private func removeFloating(_ view: ServerView, _ address: String, _ apis: OtherAPIs) async throws {
        let floating = try await find(address, apis)
        guard let port = floating["port_id"]?.string, view.ports.contains(where: { $0.id.text == port }) else {
            throw CloudError.conflict("Floating IP \(address) is not associated with instance \(view.server.id).")
        }
        try await apis.update("floatingips", floating["id"]?.string ?? "", ["port_id": .null])
    }
}

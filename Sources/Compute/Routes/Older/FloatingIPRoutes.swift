import Access
import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/os-floating-ips` and `/os-floating-ip-pools`, which end with 2.35. Networking has the floating IPs.
struct FloatingIPRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let others: any OtherAPIsNeed

    private static let path = "/os-floating-ips/{floating_ip_id}"
    /// The pool of a request that names none.
    private static let usualPool = "nova"

    private struct New: Sendable {
        var pool: String?
    }
    private static let new = Form.object(New(), [.optional("pool", \.pool, .nullable(.string()))], open: true)

    var all: [Route] {
        [
            maker.route(.get, "/os-floating-ip-pools", .listFloatingIPPools, until: OtherAPIs.last) { call in
                let networks = try await OtherAPIs(others, call).list("networks", [("router:external", "true")])
                return .json { json in
                    json.array("floating_ip_pools", of: networks) { json, network in json.object { $0.member("name", Self.name(of: network)) } }
                }
            },
            maker.route(.get, "/os-floating-ips", .listFloatingIPs, until: OtherAPIs.last) { call in
                let apis = OtherAPIs(others, call)
                var views: [View] = []
                for address in try await apis.list("floatingips", [("project_id", call.caller.projectID)]) {
                    views.append(try await view(address, apis))
                }
                return try await .page(of: views.count) { [views] in
                    .json { json in
                        json.array("floating_ips", of: views) { json, view in json.object { view.write(&$0) } }
                    }
                }
            },
            maker.route(.post, "/os-floating-ips", .createFloatingIP, until: OtherAPIs.last) { call in
                let wanted = try call.read(Self.new, .object(try await call.call.body.jsonIfAny()))
                let apis = OtherAPIs(others, call)
                let network = try await pool(wanted.pool, apis)
                do {
                    return Self.answer(
                        try await view(try await apis.create("floatingips", ["floating_network_id": network["id"] ?? ""]), apis))
                } catch let error as CloudError where error.kind == .conflict {
                    // Networking answers with a conflict if the quota is used up, and if the pool is.
                    let text = wanted.pool.map { " in pool \($0)" } ?? ""
                    if error.code == "OverQuota" { throw CloudError.forbidden("IP allocation over quota\(text).") }
                    throw CloudError.notFound(text.isEmpty ? "No more floating IPs available." : "No more floating IPs\(text).")
                }
            },
            maker.route(.get, Self.path, .showFloatingIP, until: OtherAPIs.last) { call in
                let apis = OtherAPIs(others, call)
                return Self.answer(try await view(try await require(call, apis), apis))
            },
            maker.route(.delete, Self.path, .deleteFloatingIP, until: OtherAPIs.last) { call in
                let apis = OtherAPIs(others, call)
                try await apis.delete("floatingips", try await require(call, apis)["id"]?.string ?? "")
                return .accepted
            },
        ]
    }

    private func require(_ call: ComputeCall, _ apis: OtherAPIs) async throws -> JSON {
        let id = call.parameter("floating_ip_id")
        do {
            return try await apis.get("floatingips", id)
        } catch let error as CloudError where error.kind == .notFound {
            throw CloudError.notFound("Floating IP not found for ID \(id)")
        }
    }

    private func pool(_ wanted: String?, _ apis: OtherAPIs) async throws -> JSON {
        let name = wanted ?? Self.usualPool
        let networks = try await apis.list("networks", [("router:external", "true")])
        if let found = networks.first(where: { $0["id"]?.string == name || $0["name"]?.string == name }) { return found }
        guard wanted == nil, networks.count == 1 else { throw CloudError.notFound("Floating IP pool not found.") }
        return networks[0]
    }

    private static func name(of network: JSON) -> String {
        network["name"]?.string.flatMap { $0.isEmpty ? nil : $0 } ?? network["id"]?.string ?? ""
    }

    private struct View: Sendable {
        let address: JSON
        let pool: String
        let server: JSON

        func write(_ json: inout JSONWriter) {
            json.member("fixed_ip", address["fixed_ip_address"] ?? .null)
            json.member("id", address["id"] ?? "")
            json.member("instance_id", server)
            json.member("ip", address["floating_ip_address"] ?? "")
            json.member("pool", pool)
        }
    }

    private func view(_ address: JSON, _ apis: OtherAPIs) async throws -> View {
        let network = try await apis.get("networks", address["floating_network_id"]?.string ?? "")
        var server = JSON.null
        if let port = address["port_id"]?.string {
            let device = try await apis.get("ports", port)["device_id"]?.string ?? ""
            if !device.isEmpty { server = .string(device) }
        }
        return View(address: address, pool: Self.name(of: network), server: server)
    }

    private static func answer(_ view: View) -> Reply { .json { json in json.object("floating_ip") { view.write(&$0) } } }
}

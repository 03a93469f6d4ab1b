import Access
import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/os-networks` and `/os-tenant-networks`, which end with 2.35. Networking has the networks; the views
/// show only the id and the name.
struct NetworkViewRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let others: any OtherAPIsNeed

    private static let empty: [StaticString] = [
        "cidr", "netmask", "gateway", "broadcast", "dns1", "dns2", "cidr_v6", "gateway_v6", "netmask_v6",
    ]
    private static let emptyForAdministrators: [StaticString] = [
        "created_at", "updated_at", "deleted_at", "deleted", "injected", "bridge", "vlan", "vpn_public_address", "vpn_public_port",
        "vpn_private_address", "dhcp_start", "project_id", "host", "bridge_interface", "multi_host", "priority", "rxtx_base", "mtu",
        "dhcp_server", "enable_dhcp", "share_address",
    ]

    private typealias Write = @Sendable (JSON, ComputeCall, inout JSONWriter) -> Void

    var all: [Route] {
        routes("/os-networks", .listNetworkViews, .showNetworkView) { network, call, json in
            json.member("id", network["id"] ?? "")
            json.member("label", network["name"] ?? "")
            let names = Self.empty + (call.caller.isAdministrator ? Self.emptyForAdministrators : [])
            for name in names { json.member(name, nil as String?) }
        } + routes("/os-tenant-networks", .listTenantNetworks, .showTenantNetwork) { network, _, json in
            // The older API always shows this value if Networking is behind it.
            json.member("cidr", "None")
            json.member("id", network["id"] ?? "")
            json.member("label", network["name"] ?? "")
        }
    }

    private func routes(_ path: String, _ list: Action, _ show: Action, _ write: @escaping Write) -> [Route] {
        [
            maker.route(.get, path, list, until: OtherAPIs.last) { call in
                let found = try await OtherAPIs(others, call).list("networks")
                return try await .page("networks", of: found) { write($0, call, &$1) }
            },
            maker.route(.get, path + "/{network_id}", show, until: OtherAPIs.last) { call in
                do {
                    let network = try await OtherAPIs(others, call).get("networks", call.parameter("network_id"))
                    return .json { json in json.object("network") { write(network, call, &$0) } }
                } catch let error as CloudError where error.kind == .notFound {
                    throw CloudError.notFound("Network not found")
                }
            },
        ]
    }
}

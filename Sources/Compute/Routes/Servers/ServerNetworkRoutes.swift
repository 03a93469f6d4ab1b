import CloudCore
import HTTPKit
import HTTPTypes
import HostModel

/// The routes of a server's addresses, interfaces, password, topology and diagnostics.
struct ServerNetworkRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let servers: ServerService
    let actions: ServerActionService

    private static let interfaces = ServerRoutes.path + "/os-interface"

    var all: [Route] {
        [
            maker.route(.get, ServerRoutes.path + "/ips", nil) { call in
                let view = try await servers.get(call.call.id("server_id"), .listAddresses, by: call.caller)
                return .json { json in json.object("addresses") { ServerWire.addresses(view.ports, extended: false, &$0) } }
            },
            maker.route(.get, ServerRoutes.path + "/ips/{network}", nil) { call in
                let view = try await servers.get(call.call.id("server_id"), .showAddresses, by: call.caller)
                let name = call.parameter("network")
                guard view.ports.contains(where: { $0.networkName == name }) else {
                    throw CloudError.notFound("Instance is not a member of specified network")
                }
                return .json { ServerWire.addresses(view.ports, extended: false, only: name, &$0) }
            },
            maker.route(.get, Self.interfaces, nil) { call in
                let view = try await servers.get(call.call.id("server_id"), .listInterfaces, by: call.caller)
                return .json { json in
                    json.array("interfaceAttachments", of: view.ports) { json, port in json.object { Self.write(port, call.minor, &$0) } }
                }
            },
            maker.route(.post, Self.interfaces, nil) { call in try await attach(call) },
            maker.route(.get, Self.interfaces + "/{port_id}", nil) { call in
                let view = try await servers.get(call.call.id("server_id"), .showInterface, by: call.caller)
                let id = call.parameter("port_id")
                guard let port = view.ports.first(where: { $0.id.text == id }) else {
                    throw CloudError.notFound("Instance \(view.stored.id) does not have a port with id \(id)")
                }
                return Self.answer(port, call.minor)
            },
            maker.route(.delete, Self.interfaces + "/{port_id}", nil) { call in
                try await actions.detach(ID(call.parameter("port_id")), from: call.call.id("server_id"), by: call.caller)
                return .accepted
            },
            // A guest encrypts a password with its owner's public key and posts it to the metadata service.
            maker.route(.get, ServerRoutes.path + "/os-server-password", nil) { call in
                let server = try await servers.get(call.call.id("server_id"), .showPassword, by: call.caller).server
                return .json { $0.member("password", server.guestPassword ?? "") }
            },
            maker.route(.delete, ServerRoutes.path + "/os-server-password", nil) { call in
                _ = try await servers.change(call.call.id("server_id"), .clearPassword, by: call.caller) { server, _ in server.guestPassword = nil }
                return .noContent
            },
            // No machine is bound to parts of its host.
            maker.route(.get, ServerRoutes.path + "/topology", nil, since: 78, query: .noneSince78) { call in
                _ = try await servers.get(call.call.id("server_id"), .showTopology, by: call.caller)
                return .json { json in
                    json.array("nodes", of: [] as [String]) { $0.string($1) }
                    json.member("pagesize_kb", nil as Int?)
                }
            },
            maker.route(.get, ServerRoutes.path + "/diagnostics", nil) { call in
                let isUniform = call.minor >= Self.uniformSince
                let facts = try await actions.diagnostics(call.call.id("server_id"), isUniform: isUniform, by: call.caller)
                return isUniform ? Self.diagnostics(facts) : .json { $0.members(of: facts) }
            },
        ]
    }

    // MARK: Interfaces

    private struct Attachment: Sendable {
        var item = NetworkWish.Item()
    }
    private static let fixed = Form.array(Form.address.inside("ip_address"), 1...1).mapped { $0.first }
    private static let attachment = Form.object(
        Attachment(),
        [
            .optional(
                "interfaceAttachment", \.item,
                .object(
                    NetworkWish.Item(),
                    [
                        .optional("net_id", \.network, Form.uuid.mapped { ID($0) }),
                        .optional("port_id", \.port, Form.uuid.mapped { ID($0) }),
                        .optional("fixed_ips", \.address, fixed), .optional("tag", \.tag, .tag, since: 49),
                    ]))
        ])

    private func attach(_ call: ComputeCall) async throws -> Reply {
        let wanted = try call.read(Self.attachment, .object(try await call.call.body.jsonIfAny())).item
        if wanted.network != nil, wanted.port != nil {
            throw CloudError.badRequest("Must not input both network_id and port_id")
        }
        if wanted.address != nil, wanted.network == nil {
            throw CloudError.badRequest("Must input network_id when request IP address")
        }
        let port = try await actions.attach(wanted, to: call.call.id("server_id"), by: call.caller)
        return Self.answer(port, call.minor)
    }

    private static func answer(_ port: ServerPort, _ minor: Int) -> Reply {
        .json { json in json.object("interfaceAttachment") { write(port, minor, &$0) } }
    }

    private static func write(_ port: ServerPort, _ minor: Int, _ json: inout JSONWriter) {
        json.member("port_id", port.id)
        json.member("net_id", port.network)
        json.member("mac_addr", port.mac)
        json.member("port_state", port.isActive ? "ACTIVE" : "DOWN")
        json.array("fixed_ips", of: port.addresses.filter { !$0.isFloating }) { json, address in
            json.object { json in
                json.member("ip_address", address.text)
                json.member("subnet_id", address.subnet)
            }
        }
        if minor >= 70 { json.member("tag", port.tag) }
    }

    // MARK: Diagnostics

    private static let uniformSince = 48

    private static func diagnostics(_ facts: JSONObject) -> Reply {
        let words: [(String, JSON)] = [
            ("config_drive", false), ("state", "running"), ("driver", "libvirt"), ("hypervisor", nil), ("hypervisor_os", nil), ("uptime", nil),
            ("num_cpus", 0), ("num_disks", 0), ("num_nics", 0), ("memory_details", ["maximum": nil, "used": nil]), ("cpu_details", []),
            ("disk_details", []), ("nic_details", []),
        ]
        return .json { json in
            for (name, usual) in words {
                json.key(dynamic: name)
                json.value(facts[name] ?? usual)
            }
        }
    }
}

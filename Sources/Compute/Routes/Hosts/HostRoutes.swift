import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/os-hosts`, which end with 2.42. Services and hypervisors have the same information.
struct HostRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let hosts: HostService

    private static let path = "/os-hosts/{host_name}"
    private static let last = 42

    var all: [Route] {
        [
            maker.route(.get, "/os-hosts", .listHosts, until: Self.last) { call in
                var found = try await hosts.all()
                if let zone = call.query("zone"), !zone.isEmpty { found = found.filter { $0.zone == zone } }
                return try await .page("hosts", of: found) { host, json in
                    json.member("host_name", host.name)
                    json.member("service", "compute")
                    json.member("zone", host.zone)
                }
            },
            maker.route(.get, Self.path, .showHost, until: Self.last) { call in Self.answer(try await require(call)) },
            maker.route(.put, Self.path, .updateHost, until: Self.last) { call in try await update(call) },
        ]
            + [("startup", .startHost), ("shutdown", .shutdownHost), ("reboot", .rebootHost)].map { verb, action in
                maker.route(.get, "\(Self.path)/\(verb)", action, until: Self.last) { call in
                    _ = try await require(call)
                    throw CloudError(.notImplemented, "Virt driver does not implement host power management.")
                }
            }
    }

    private func require(_ call: ComputeCall) async throws -> ComputeHost {
        let name = call.parameter("host_name")
        guard let host = try await hosts.all().first(where: { $0.name == name }) else {
            throw CloudError.notFound("Compute host \(name) could not be found.")
        }
        return host
    }

    private struct Change: Sendable {
        var status: String?
        var maintenance: String?
    }
    private static let word = Form.oneOf(["enable", "disable", "Enable", "Disable", "ENABLE", "DISABLE"]).mapped { $0.lowercased() }
    private static let change = Form.object(
        Change(), [.optional("status", \.status, word), .optional("maintenance_mode", \.maintenance, word)],
        anyOf: ["status", "maintenance_mode"])

    private func update(_ call: ComputeCall) async throws -> Reply {
        let change = try await call.read(Self.change)
        let host = try await require(call)
        if change.maintenance != nil {
            throw CloudError(.notImplemented, "Virt driver does not implement host maintenance mode.")
        }
        let status = change.status ?? ""
        _ = try await hosts.change(host.name, .init(isDisabled: status == "disable"))
        return .json { json in
            json.member("host", host.name)
            json.member("status", status + "d")
        }
    }

    private static func answer(_ host: ComputeHost) -> Reply {
        let rows = [
            ("(total)", host.report.vcpus, host.report.memoryMiB, host.report.diskGiB),
            ("(used_now)", host.usage.vcpus, host.usage.memoryMiB, host.usage.diskGiB),
        ]
        return .json { json in
            json.array("host", of: rows) { json, row in
                json.object { json in
                    json.object("resource") { json in
                        json.member("host", host.name)
                        json.member("project", row.0)
                        json.member("cpu", row.1)
                        json.member("memory_mb", row.2)
                        json.member("disk_gb", row.3)
                    }
                }
            }
        }
    }
}

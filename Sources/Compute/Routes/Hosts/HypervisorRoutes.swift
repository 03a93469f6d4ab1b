import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/os-hypervisors`.
struct HypervisorRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let hosts: HostService

    private static let path = "/os-hypervisors/{hypervisor_id}"
    private static let uuidSince = 53
    /// The last microversion that shows the use of a hypervisor. Later, Placement shows it.
    private static let lastWithUsage = 87
    private static let listQuery = QueryShape(
        QueryShape.paged + [("hypervisor_hostname_pattern", .string(1...255, .domainName)), ("with_servers", .truth)],
        single: ["limit", "marker", "with_servers", "hypervisor_hostname_pattern"], closedSince: 53)
    private static let query = QueryShape([("with_servers", .truth)], closedSince: 53)

    var all: [Route] {
        [
            maker.route(.get, "/os-hypervisors", .listHypervisors, query: Self.listQuery) { call in try await list(call, detailed: false) },
            maker.route(.get, "/os-hypervisors/detail", .detailHypervisors, query: Self.listQuery) { call in
                try await list(call, detailed: true)
            },
            maker.route(.get, "/os-hypervisors/statistics", .hypervisorStatistics, until: Self.lastWithUsage) { call in
                Self.statistics(try await hosts.all().filter { !$0.isDisabled })
            },
            maker.route(.get, Self.path, .showHypervisor, query: Self.query) { call in
                let host = try await require(call)
                let servers = Self.withServers(call) ? try await hosts.servers(on: host.name) : nil
                return .json { json in
                    json.object("hypervisor") { write(host, servers, call, detailed: true, &$0) }
                }
            },
            maker.route(.get, Self.path + "/uptime", .hypervisorUptime, until: Self.lastWithUsage) { call in
                let host = try await require(call)
                guard let uptime = uptime(of: host) else {
                    throw CloudError(.notImplemented, "Virt driver does not implement uptime function.")
                }
                return .json { json in
                    json.object("hypervisor") { json in
                        Self.brief(host, call.minor, &json)
                        json.member("uptime", uptime)
                    }
                }
            },
            maker.route(.get, Self.path + "/search", .searchHypervisors, until: Self.uuidSince - 1) { call in
                let found = try await matching(call.parameter("hypervisor_id"))
                return try await .page("hypervisors", of: found) { Self.brief($0, call.minor, &$1) }
            },
            maker.route(.get, Self.path + "/servers", .hypervisorServers, until: Self.uuidSince - 1) { call in try await servers(call) },
        ]
    }

    private static func withServers(_ call: ComputeCall) -> Bool {
        call.minor >= uuidSince && call.query("with_servers").flatMap(Truth.strict) == true
    }

    private func require(_ call: ComputeCall) async throws -> ComputeHost {
        let id = call.parameter("hypervisor_id")
        if call.minor >= Self.uuidSince, UUIDText.normal(id) == nil { throw CloudError.badRequest("Invalid uuid \(id.prefix(255))") }
        let host = try await hosts.all().first { call.minor >= Self.uuidSince ? $0.report.id.text == id.lowercased() : String($0.number) == id }
        guard let host else { throw CloudError.notFound("Hypervisor with ID '\(id.prefix(255))' could not be found.") }
        return host
    }

    private func matching(_ pattern: String) async throws -> [ComputeHost] {
        let found = try await hosts.all().filter { $0.name.contains(pattern) }
        if found.isEmpty { throw CloudError.notFound("No hypervisor matching '\(pattern.prefix(255))' could be found.") }
        return found
    }

    // MARK: Lists

    private func list(_ call: ComputeCall, detailed: Bool) async throws -> Reply {
        var found: [ComputeHost]
        let pattern = call.minor >= Self.uuidSince ? call.query("hypervisor_hostname_pattern") : nil
        if let pattern {
            if call.call.query.has("limit") || call.call.query.has("marker") {
                throw CloudError.badRequest(
                    "Paging over hypervisors with the hypervisor_hostname_pattern query parameter is not supported.")
            }
            found = try await matching(pattern)
        } else {
            found = try await hosts.all()
            if call.minor >= 33 { found = try paged(found, try call.page()) { Self.id($0, call.minor) } }
        }
        var servers: [String: [(id: String, name: String)]] = [:]
        if Self.withServers(call) { for host in found { servers[host.name] = try await hosts.servers(on: host.name) } }
        return try await .page(of: found.count) { [found, servers] in
            .json { json in
                json.array("hypervisors", of: found) { json, host in
                    json.object { write(host, servers[host.name], call, detailed: detailed, &$0) }
                }
                guard call.minor >= 33, pattern == nil else { return }
                Links(call).next(
                    &json, "hypervisors_links", detailed ? "os-hypervisors/detail" : "os-hypervisors", call,
                    count: found.count,
                    last: found.last.map { Self.id($0, call.minor) })
            }
        }
    }

    private func servers(_ call: ComputeCall) async throws -> Reply {
        let found = try await matching(call.parameter("hypervisor_id"))
        var servers: [String: [(id: String, name: String)]] = [:]
        for host in found { servers[host.name] = try await hosts.servers(on: host.name) }
        return try await .page(of: found.count) { [servers] in
            .json { json in
                json.array("hypervisors", of: found) { json, host in
                    json.object { json in
                        Self.brief(host, call.minor, &json)
                        // An empty list is left out.
                        if let own = servers[host.name], !own.isEmpty { Self.servers(own, &json) }
                    }
                }
            }
        }
    }

    // MARK: Views

    private static func id(_ host: ComputeHost, _ minor: Int) -> String { minor >= uuidSince ? host.report.id.text : String(host.number) }

    private static func brief(_ host: ComputeHost, _ minor: Int, _ json: inout JSONWriter) {
        json.key("id")
        if minor >= uuidSince { json.string(host.report.id.text) } else { json.integer(Int64(host.number)) }
        json.member("hypervisor_hostname", host.name)
        json.member("state", host.isUp ? "up" : "down")
        json.member("status", host.isDisabled ? "disabled" : "enabled")
    }

    private static func servers(_ servers: [(id: String, name: String)], _ json: inout JSONWriter) {
        json.array("servers", of: servers) { json, server in
            json.object { json in
                json.member("name", server.name)
                json.member("uuid", server.id)
            }
        }
    }

    private func write(
        _ host: ComputeHost, _ servers: [(id: String, name: String)]?, _ call: ComputeCall, detailed: Bool, _ json: inout JSONWriter
    ) {
        Self.brief(host, call.minor, &json)
        // Before 2.75, an empty list is left out.
        if let servers, call.minor >= 75 || !servers.isEmpty { Self.servers(servers, &json) }
        guard detailed else { return }
        json.member("hypervisor_type", host.report.hypervisorType)
        json.member("hypervisor_version", host.report.hypervisorVersion)
        json.member("host_ip", host.report.address)
        json.object("service") { json in
            json.key("id")
            if call.minor >= Self.uuidSince { json.string(host.serviceID) } else { json.integer(Int64(host.number)) }
            json.member("host", host.name)
            json.member("disabled_reason", host.disabledReason)
        }
        guard call.minor <= Self.lastWithUsage else { return json.member("uptime", uptime(of: host)) }
        Self.amounts([host], &json)
        json.key("cpu_info")
        if call.minor >= 28 { json.value(host.report.processors) } else { json.string(host.report.processors.text) }
    }

    private static func amounts(_ hosts: [ComputeHost], _ json: inout JSONWriter) {
        func sum(_ amount: (ComputeHost) -> Int) -> Int { hosts.reduce(0) { $0 + amount($1) } }
        json.member("vcpus", sum(\.report.vcpus))
        json.member("memory_mb", sum(\.report.memoryMiB))
        json.member("local_gb", sum(\.report.diskGiB))
        json.member("vcpus_used", sum(\.usage.vcpus))
        json.member("memory_mb_used", sum(\.usage.memoryMiB))
        json.member("local_gb_used", sum(\.usage.diskGiB))
        json.member("free_ram_mb", sum { $0.report.memoryMiB - $0.usage.memoryMiB })
        json.member("free_disk_gb", sum { $0.report.diskGiB - $0.usage.diskGiB })
        json.member("current_workload", 0)
        json.member("running_vms", sum(\.usage.servers))
        json.member("disk_available_least", sum { $0.report.diskGiB - $0.usage.diskGiB })
    }

    private static func statistics(_ hosts: [ComputeHost]) -> Reply {
        .json { json in
            json.object("hypervisor_statistics") { json in
                json.member("count", hosts.count)
                amounts(hosts, &json)
            }
        }
    }

    /// Returns the uptime in the format of the host's own command; nil if the host is down or its boot time is unknown.
    private func uptime(of host: ComputeHost) -> String? {
        guard let booted = host.report.bootedAt, host.isUp else { return nil }
        let now = hosts.context.world.now
        let minutes = max(0, (now.seconds - booted.seconds) / 60)
        let clock = now.iso8601Seconds.dropFirst(11).prefix(8)
        let rest = "\(minutes / 60 % 24):\(minutes % 60 < 10 ? "0" : "")\(minutes % 60)"
        return " \(clock) up \(minutes / 1440) days, \(rest),  0 users,  load average: 0.00, 0.00, 0.00"
    }
}

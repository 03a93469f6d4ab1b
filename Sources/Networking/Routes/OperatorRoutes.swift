import Access
import CloudCore
import HTTPKit

struct OperatorRoutes: Sendable {
    let operators: OperatorService

    var all: [Route] {
        [
            .get("/v2.0/network-ip-availabilities") { call in
                let found = try await operators.availability(nil, call.query, by: call.caller())
                return .json { json in
                    json.array("network_ip_availabilities", of: found) { json, one in json.object { Self.write(one, &$0) } }
                }
            },
            .get("/v2.0/network-ip-availabilities/{id}") { call in
                let found = try await operators.availability(call.id("id"), call.query, by: call.caller())
                return .json { json in
                    json.object("network_ip_availability") { json in
                        if let one = found.first { Self.write(one, &json) }
                    }
                }
            },
            .get("/v2.0/agents") { call in
                let hosts = try await operators.hosts("get_agent", by: call.caller())
                return .json { json in json.array("agents", of: hosts) { json, host in json.object { Self.write(host, &$0) } } }
            },
            .get("/v2.0/agents/{id}") { call in
                let id = call[parameter: "id"]
                guard let host = try await operators.hosts("get_agent", by: call.caller()).first(where: { $0.id == id }) else {
                    throw CloudError.networking(.notFound, "AgentNotFound", "Agent \(id) could not be found.")
                }
                return .json { json in json.object("agent") { Self.write(host, &$0) } }
            },
            .get("/v2.0/availability_zones") { call in
                let hosts = try await operators.hosts("get_availability_zone", by: call.caller())
                let zones = Dictionary(grouping: hosts, by: \.zone).sorted { $0.key < $1.key }
                let lines = zones.flatMap { zone in ["network", "router"].map { (zone.key, $0, zone.value.contains(where: \.isAlive)) } }
                let wanted = lines.filter { line in
                    [("name", line.0), ("resource", line.1), ("state", line.2 ? "available" : "unavailable")].allSatisfy { name, value in
                        let asked = call.query.items.filter { $0.name == name }.map(\.value)
                        return asked.isEmpty || asked.contains(value)
                    }
                }
                return .json { json in
                    json.array("availability_zones", of: wanted) { json, line in
                        json.object { json in
                            json.member("name", line.0)
                            json.member("resource", line.1)
                            json.member("state", line.2 ? "available" : "unavailable")
                        }
                    }
                }
            },
        ]
    }

    private static func write(_ one: OperatorService.Availability, _ json: inout JSONWriter) {
        json.member("network_id", one.network.id)
        json.member("network_name", one.network.name)
        json.member("tenant_id", one.network.projectID)
        json.member("project_id", one.network.projectID)
        json.member("used_ips", one.subnets.map(\.used).reduce(0, +))
        json.member("total_ips", number(one.subnets.map(\.total).reduce(0, +)))
        json.array("subnet_ip_availability", of: one.subnets) { json, line in
            json.object { json in
                json.member("subnet_id", line.subnet.id)
                json.member("subnet_name", line.subnet.name)
                json.member("cidr", line.subnet.cidr?.description)
                json.member("ip_version", line.subnet.version)
                json.member("used_ips", line.used)
                json.member("total_ips", number(line.total))
            }
        }
    }

    /// A /64 has more addresses than 64 bits count.
    private static func number(_ value: Double) -> JSON { Int64(exactly: value).map(JSON.integer) ?? .number(value) }

    private static func write(_ host: NetworkHost, _ json: inout JSONWriter) {
        json.member("id", host.id)
        json.member("agent_type", "Novella agent")
        json.member("binary", "novella")
        json.member("topic", "N/A")
        json.member("host", host.name)
        json.member("admin_state_up", true)
        json.member("availability_zone", host.zone)
        json.member("alive", host.isAlive)
        json.member("description", nil as String?)
        json.object("configurations") { _ in }
    }
}

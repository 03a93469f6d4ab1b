import Access
import CloudCore
import HTTPKit
import Resources

struct OperatorRoutes: Sendable {
    let operators: OperatorService

    private static let list = ViewList(
        plural: "network_ip_availabilities", key: "network_id", filters: ["network_id", "network_name", "project_id", "tenant_id"],
        done: Set(OperatorService.filters.keys).union(["ip_version"]))

    var all: [Route] {
        [
            .get("/v2.0/network-ip-availabilities") { call in
                let found = try await operators.availability(nil, call.query, by: call.caller())
                return try await Self.list.reply(found.map(Self.view), call, write: Self.write)
            },
            .get("/v2.0/network-ip-availabilities/{id}") { call in
                let found = try await operators.availability(call.id("id"), .none, by: call.caller())
                let fields = PageRequest.fields(call.query)
                return .json { json in
                    json.object("network_ip_availability") { json in
                        for (name, value) in found.first.map(Self.view)?.members ?? [] where fields.isEmpty || fields.contains(name) {
                            if Self.write(name, value, &json) { continue }
                            json.key(dynamic: name)
                            json.value(value)
                        }
                    }
                }
            },
        ]
    }

    private static func view(_ one: OperatorService.Availability) -> JSONObject {
        [
            "network_id": .string(one.network.id.text), "network_name": .string(one.network.name),
            "tenant_id": .string(one.network.projectID), "project_id": .string(one.network.projectID),
            "used_ips": .integer(one.subnets.map(\.used).reduce(0, +)), "total_ips": .string(String(one.total)),
            "subnet_ip_availability": .array(
                one.subnets.map { line in
                    [
                        "subnet_id": .string(line.subnet.id.text), "subnet_name": .string(line.subnet.name),
                        "cidr": (line.subnet.cidr?.description).json, "ip_version": .integer(line.subnet.version),
                        "used_ips": .integer(line.used), "total_ips": .string(String(line.total)),
                    ]
                }),
        ]
    }

    /// Writes the digits of a count as a number: a /64 has more addresses than 64 bits can count.
    private static func write(_ name: String, _ value: JSON, _ json: inout JSONWriter) -> Bool {
        switch (name, value) {
        case ("total_ips", .string(let digits)):
            json.key(dynamic: name)
            json.raw(digits.utf8)
        case ("subnet_ip_availability", .array(let lines)):
            json.array(dynamic: name, of: lines.compactMap(\.object)) { json, line in
                json.object { json in
                    for (name, value) in line.members where !write(name, value, &json) {
                        json.key(dynamic: name)
                        json.value(value)
                    }
                }
            }
        default: return false
        }
        return true
    }
}

struct AgentRoutes: Sendable {
    let agents: AgentService

    private static let list = ViewList(
        plural: "agents", key: "id",
        filters: ["id", "agent_type", "binary", "topic", "host", "admin_state_up", "alive", "description", "availability_zone"])
    private static let zones = ViewList(plural: "availability_zones", key: "name", filters: ["name", "resource", "state"])

    var all: [Route] {
        [
            .get("/v2.0/agents") { call in
                try await Self.list.reply(try await agents.list("get_agent", by: call.caller()).map(Self.view), call)
            },
            .get("/v2.0/agents/{id}") { call in Self.one(try await agents.get(call[parameter: "id"], by: call.caller()), call) },
            .put("/v2.0/agents/{id}") { call in
                let caller = try await call.caller()
                return Self.one(try await agents.update(call[parameter: "id"], call.body.json(), by: caller), call)
            },
            .delete("/v2.0/agents/{id}") { call in
                try await agents.delete(call[parameter: "id"], by: call.caller())
                return .noContent
            },
            .get("/v2.0/availability_zones") { call in
                let found = try await agents.list("get_availability_zone", by: call.caller())
                let zones = Dictionary(grouping: found, by: \.host.zone).sorted { $0.key < $1.key }
                let rows = zones.flatMap { zone in
                    ["network", "router"].map { resource -> JSONObject in
                        let isThere = zone.value.contains(where: \.takesNew)
                        return ["name": .string(zone.key), "resource": .string(resource), "state": isThere ? "available" : "unavailable"]
                    }
                }
                return try await Self.zones.reply(rows, call)
            },
        ]
    }

    private static func one(_ agent: AgentService.Agent, _ call: Call) -> Reply {
        let fields = PageRequest.fields(call.query)
        return .json { json in
            json.object("agent") { json in
                for (name, value) in view(agent).members where fields.isEmpty || fields.contains(name) {
                    json.key(dynamic: name)
                    json.value(value)
                }
            }
        }
    }

    private static func view(_ agent: AgentService.Agent) -> JSONObject {
        let host = agent.host
        return [
            "id": .string(host.id), "agent_type": "Novella agent", "binary": "novella", "topic": "N/A", "host": .string(host.name),
            "admin_state_up": .bool(agent.note.isUp), "availability_zone": .string(host.zone), "alive": .bool(host.isAlive),
            "description": agent.note.description.json, "configurations": [:], "resource_versions": [:], "resources_synced": .null,
            // An agent exists since its host's process began.
            "created_at": moment(host.startedAt), "started_at": moment(host.startedAt), "heartbeat_timestamp": moment(host.seenAt),
        ]
    }

    /// Returns a time as agents show it: with a space and without a zone, unlike all others of the API.
    private static func moment(_ timestamp: Timestamp?) -> JSON {
        (timestamp?.iso8601Seconds.replacing("T", with: " ").replacing("Z", with: "")).json
    }
}

import Access
import CloudCore
import HTTPKit
import HTTPTypes
import HostModel

/// The routes of `/os-security-groups` and `/os-security-group-rules`, which end with 2.35. Networking has the groups.
struct SecurityGroupRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let servers: ServerService

    private static let path = "/os-security-groups/{security_group_id}"
    private static let query = QueryShape([("limit", .natural), ("offset", .natural), ("all_tenants", .any)])

    private struct New: Sendable {
        var name = ""
        var description = ""
    }
    private static let new = Form.object(
        New(), [.required("name", \.name, .string(0...255)), .required("description", \.description, .string(0...255))], open: true
    ).inside("security_group", open: true)

    private struct NewRule: Sendable {
        var parentID = ""
        var sourceID: String?
        var networkProtocol: JSON?
        var cidr: JSON?
        var from: JSON?
        var to: JSON?
    }
    private static let newRule = Form.object(
        NewRule(),
        [
            .required("parent_group_id", \.parentID, .uuid), .optional("group_id", \.sourceID, .nullable(.uuid)),
            .optional("ip_protocol", \.networkProtocol, .json(.any)), .optional("cidr", \.cidr, .json(.any)),
            .optional("from_port", \.from, .json(.any)), .optional("to_port", \.to, .json(.any)),
        ], open: true
    ).inside("security_group_rule", open: true)

    var all: [Route] {
        [
            maker.route(.get, "/os-security-groups", .getSecurityGroups, until: OtherAPIs.last, query: Self.query) { call in
                try await list(call)
            },
            maker.route(.post, "/os-security-groups", .createSecurityGroup, until: OtherAPIs.last) { call in
                let new = try await call.read(Self.new)
                do {
                    let group = try await apis(call).create(
                        "security-groups", ["name": .string(new.name), "description": .string(new.description)])
                    return try await answer(group, call)
                } catch let error as CloudError where error.kind == .conflict {
                    throw CloudError.forbidden(error.message)
                }
            },
            maker.route(.get, Self.path, .showSecurityGroup, until: OtherAPIs.last) { call in try await answer(try await require(call), call) },
            maker.route(.put, Self.path, .updateSecurityGroup, until: OtherAPIs.last) { call in
                let change = try await call.read(Self.new)
                let group = try await require(call)
                let new: JSON = ["name": .string(change.name), "description": .string(change.description)]
                do {
                    return try await answer(try await apis(call).update("security-groups", group["id"]?.string ?? "", new), call)
                } catch let error as CloudError {
                    throw error.asBadRequest()
                }
            },
            maker.route(.delete, Self.path, .deleteSecurityGroup, until: OtherAPIs.last) { call in
                let group = try await require(call)
                do {
                    try await apis(call).delete("security-groups", group["id"]?.string ?? "")
                } catch let error as CloudError {
                    throw error.asBadRequest()
                }
                return .accepted
            },
            maker.route(.post, "/os-security-group-rules", .createSecurityGroupRule, until: OtherAPIs.last) { call in
                try await createRule(call)
            },
            maker.route(.delete, "/os-security-group-rules/{rule_id}", .deleteSecurityGroupRule, until: OtherAPIs.last) { call in
                try await apis(call).delete("security-group-rules", try Self.id(call.parameter("rule_id")))
                return .accepted
            },
            maker.route(.get, ServerRoutes.path + "/os-security-groups", nil) { call in try await ofServer(call) },
        ]
    }

    private func apis(_ call: ComputeCall) -> OtherAPIs { OtherAPIs(servers.context.needs.others, call) }

    private static func id(_ text: String) throws -> String {
        guard UUIDText.normal(text) != nil else { throw CloudError.badRequest("Security group id should be uuid") }
        return text
    }

    private func require(_ call: ComputeCall) async throws -> JSON {
        try await apis(call).get("security-groups", try Self.id(call.parameter("security_group_id")))
    }

    // MARK: Reading

    private func list(_ call: ComputeCall) async throws -> Reply {
        let all = call.query("all_tenants").map { Truth.strict($0) ?? $0.isEmpty } == true && call.caller.isAdministrator
        let found = try await apis(call).list("security-groups", all ? [] : [("project_id", call.caller.projectID)])
        let page = try call.pageByOffset()
        let part = found.dropFirst(page.offset).prefix(page.limit)
        return try await answer(Array(part), call)
    }

    private func ofServer(_ call: ComputeCall) async throws -> Reply {
        let id: ID<Kind.Server> = call.call.id("server_id")
        let server = try await servers.get(id, .listSecurityGroups, by: call.caller).server
        let found = try await servers.securityGroups(of: server)
        var groups: [JSON] = []
        for group in found { groups.append(try await apis(call).get("security-groups", group.id.text)) }
        return try await answer(groups, call)
    }

    private func answer(_ groups: [JSON], _ call: ComputeCall) async throws -> Reply {
        let sorted = groups.sorted { Self.order($0) < Self.order($1) }
        let sources = try await sources(sorted, call)
        return try await .page(of: sorted.count) {
            .json { json in
                json.array("security_groups", of: sorted) { json, group in
                    json.object { Self.write(group, sources, &$0) }
                }
            }
        }
    }

    private static func order(_ group: JSON) -> (String, String) { (group["project_id"]?.string ?? "", group["name"]?.string ?? "") }

    private func answer(_ group: JSON, _ call: ComputeCall) async throws -> Reply {
        let sources = try await sources([group], call)
        return .json { json in json.object("security_group") { Self.write(group, sources, &$0) } }
    }

    /// Returns the groups that rules admit, by id. A group that was deleted meanwhile is left out, and so are its
    /// rules.
    private func sources(_ groups: [JSON], _ call: ComputeCall) async throws -> [String: JSON] {
        var known = Dictionary(groups.map { ($0["id"]?.string ?? "", $0) }) { first, _ in first }
        for rule in groups.flatMap({ $0["security_group_rules"]?.array ?? [] }) {
            guard let id = rule["remote_group_id"]?.string, known[id] == nil else { continue }
            do {
                known[id] = try await apis(call).get("security-groups", id)
            } catch let error as CloudError where error.kind == .notFound {
                continue
            }
        }
        return known
    }

    private static func write(_ group: JSON, _ sources: [String: JSON], _ json: inout JSONWriter) {
        json.member("id", group["id"] ?? "")
        json.member("name", group["name"] ?? "")
        json.member("description", group["description"] ?? "")
        json.member("tenant_id", group["project_id"] ?? "")
        let rules = (group["security_group_rules"]?.array ?? []).filter { rule in
            rule["direction"]?.string == "ingress" && (rule["remote_group_id"]?.string.map { sources[$0] != nil } ?? true)
        }
        json.array("rules", of: rules) { json, rule in json.object { write(rule: rule, sources, &$0) } }
    }

    private static func write(rule: JSON, _ sources: [String: JSON], _ json: inout JSONWriter) {
        let ports = ports(of: rule)
        json.member("id", rule["id"] ?? "")
        json.member("parent_group_id", rule["security_group_id"] ?? "")
        json.member("ip_protocol", rule["protocol"] ?? .null)
        json.member("from_port", ports.from)
        json.member("to_port", ports.to)
        let source = rule["remote_group_id"]?.string.flatMap { sources[$0] }
        json.object("group") { json in
            guard let source else { return }
            json.member("name", source["name"] ?? "")
            json.member("tenant_id", source["project_id"] ?? "")
        }
        json.object("ip_range") { json in
            guard source == nil else { return }
            let whole = rule["ethertype"]?.string == "IPv6" ? "::/0" : "0.0.0.0/0"
            json.member("cidr", rule["remote_ip_prefix"]?.string ?? whole)
        }
    }

    /// Returns the ports of a rule. A protocol without ports stands for all its ports.
    private static func ports(of rule: JSON) -> (from: JSON, to: JSON) {
        let (from, to) = (rule["port_range_min"] ?? .null, rule["port_range_max"] ?? .null)
        guard let name = rule["protocol"]?.string, from == .null, to == .null else { return (from, to) }
        return ["tcp", "udp"].contains(name.lowercased()) ? (1, 65_535) : (-1, -1)
    }

    // MARK: Rules

    private func createRule(_ call: ComputeCall) async throws -> Reply {
        let given = try await call.read(Self.newRule)
        let parent = try await apis(call).get("security-groups", given.parentID)
        var source: JSON?
        if let id = given.sourceID { source = try await apis(call).get("security-groups", id) }
        let rule = try Self.rule(given, isFromGroup: source != nil)
        do {
            let made = try await apis(call).create("security-group-rules", .object(rule.merging(["security_group_id": parent["id"] ?? ""])))
            let sources = source.map { [$0["id"]?.string ?? "": $0] } ?? [:]
            return .json { json in json.object("security_group_rule") { Self.write(rule: made, sources, &$0) } }
        } catch let error as CloudError where error.kind == .conflict {
            throw CloudError.badRequest("This rule already exists in group \(parent["id"]?.string ?? "")")
        }
    }

    /// Returns the rule in the form of Networking's API.
    private static func rule(_ given: NewRule, isFromGroup: Bool) throws -> JSONObject {
        var rule: JSONObject = ["direction": "ingress"]
        var (from, to) = (given.from?.whole, given.to?.whole)
        let word = given.networkProtocol?.string
        let name = word?.lowercased() ?? ""
        if isFromGroup {
            rule["remote_group_id"] = given.sourceID.map(JSON.string)
            rule["ethertype"] = "IPv4"
            if from == nil, to == nil, name == "icmp" { (from, to) = (-1, -1) }
            if from == nil, to == nil, ["tcp", "udp"].contains(name) { (from, to) = (1, 65_535) }
        } else {
            let text = given.cidr?.string.flatMap { $0.isEmpty ? nil : $0 } ?? "0.0.0.0/0"
            guard let prefix = IPPrefix(text) else { throw CloudError.badRequest("Invalid cidr \(text.prefix(255)).") }
            let first = text.split(separator: "/").first ?? ""
            if prefix.length == 0, !["0.0.0.0", "::"].contains(first) {
                throw CloudError.badRequest("Bad prefix for network in cidr \(text.prefix(255))")
            }
            rule["remote_ip_prefix"] = .string(text)
            rule["ethertype"] = prefix.first.version == .v6 ? "IPv6" : "IPv4"
        }
        let hasPorts = given.from.map { $0 != .null } ?? (from != nil) && given.to.map { $0 != .null } ?? (to != nil)
        guard !name.isEmpty, hasPorts else {
            if isFromGroup { return rule }
            throw CloudError.badRequest("Not enough parameters to build a valid rule.")
        }
        guard let from, let to else {
            throw CloudError.badRequest(
                name == "icmp" ? "Invalid input received: Type and Code must be integers for ICMP protocol type"
                    : "Invalid input received: To and From ports must be integers")
        }
        try check(word ?? "", name, from, to)
        rule["protocol"] = .string(name)
        if from != -1 { rule["port_range_min"] = .integer(Int64(from)) }
        if to != -1 { rule["port_range_max"] = .integer(Int64(to)) }
        return rule
    }

    private static func check(_ word: String, _ name: String, _ from: Int, _ to: Int) throws {
        func wrong(_ why: String) -> CloudError { .badRequest("Invalid port range \(from):\(to). \(why)") }
        switch name {
        case "tcp", "udp":
            if from > to { throw wrong("Former value cannot be greater than the later") }
            if from < 1 || to > 65_535 { throw wrong("Valid \(word.uppercased()) ports should be between 1-65535") }
        case "icmp":
            guard (-1...255).contains(from), (-1...255).contains(to) else { throw wrong("For ICMP, the type:code must be valid") }
        default: throw CloudError.badRequest("Invalid IP protocol \(word.prefix(60)).")
        }
    }
}

extension JSONObject {
    fileprivate func merging(_ other: JSONObject) -> JSONObject {
        var all = self
        for (key, value) in other.members { all[key] = value }
        return all
    }
}

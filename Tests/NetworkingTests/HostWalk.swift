import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import HostModel
import SQL
import TestSupport
import Testing

@testable import Networking

/// A random walk through what can be done to networks, ports, groups, routers and floating IPs.
///
/// A request that the cloud refuses is a step too.
struct HostWalk {
    let stage: ServerPortTests.Stage
    let hosts: [String]
    let external: String
    private let project: String
    private var random: SplitMix64
    private var networks: [(id: String, subnet: String)] = []
    private var groups: [String] = []
    private var lists: [String] = []
    private var routers: [String] = []
    private var servers = 0
    private var admin: NetworkingClient { stage.admin }
    private var member: NetworkingClient { stage.member }

    init(_ cloud: TestCloud, hosts: Int, seed: UInt64) async throws {
        stage = try await ServerPortTests.Stage(cloud)
        self.hosts = (1...hosts).map { "host-\($0)" }
        random = SplitMix64(seed: seed)
        project = stage.caller.projectID?.text ?? ""
        external = try await stage.admin.network("external", cidr: "203.0.113.0/24", ["router:external": true]).network
        for number in 1...2 {
            let made = try await stage.member.network("net-\(number)", cidr: "10.\(number).0.0/24")
            networks.append((made.network, made.subnet))
            groups.append(try await stage.member.make("security_group", ["name": .string("group-\(number)")]).id)
            let list: JSONObject = ["name": "list", "addresses": [.string("198.51.100.\(number)/32")]]
            lists.append(try await stage.member.make("address_group", list, at: "/address-groups").id)
            routers.append(
                try await stage.member.make("router", ["external_gateway_info": ["network_id": .string(external)]]).id)
            let path = "/routers/\(routers[number - 1])/add_router_interface"
            try #require(await stage.member.send(.put, path, ["subnet_id": .string(made.subnet)]).status == .ok)
        }
    }

    // MARK: Choices

    private mutating func pick<Element>(_ elements: [Element]) -> Element? { elements.randomElement(using: &random) }
    private mutating func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &random) == 0 }
    private mutating func text(_ elements: [String]) -> JSON { .string(pick(elements) ?? "") }

    private mutating func row(of plural: String, _ query: String = "") async -> JSON? {
        pick(await member.list(plural, query).sorted { $0.id < $1.id })
    }

    private mutating func somePort() async -> String {
        let ports = await member.list("ports").filter { $0["device_owner"]?.string?.hasPrefix("network:") != true }
        return pick(ports.map(\.id).sorted()) ?? "none"
    }

    private mutating func someHost() -> JSON { chance(4) ? "" : text(hosts) }
    private mutating func someGroups() -> JSON {
        if chance(4) { return [] }
        return chance(2) ? .array(groups.map(JSON.string)) : .array([text(groups)])
    }
    private mutating func someAddress() -> JSON { .string("192.0.2.\(Int.random(in: 1...9, using: &random))") }

    // MARK: Steps

    /// Does one thing, and returns its name.
    mutating func step() async throws -> String {
        let number = Int.random(in: 0..<20, using: &random)
        switch number {
        case 0...3: await createPort()
        case 4...7: await changePort()
        case 8: _ = await admin.send(.delete, "/ports/\(await somePort())")
        case 9, 10: await changeRules()
        case 11: await changeGroups()
        case 12: await changeList()
        case 13: await changeSubnets()
        case 14, 15: await changeRouter()
        case 16, 17: await changeFloating()
        case 18: try await changeServer()
        default: await changeNetwork()
        }
        return "kind \(number)"
    }

    private mutating func createPort() async {
        guard let network = pick(networks) else { return }
        _ = await admin.send(
            .post, "/ports",
            ["port": [
                "network_id": .string(network.id), "project_id": .string(project), "binding:host_id": someHost(),
                "security_groups": someGroups(), "device_owner": "compute:nova",
            ]])
    }

    private mutating func changePort() async {
        let port = await somePort()
        let changes: JSONObject
        switch Int.random(in: 0..<7, using: &random) {
        case 0, 1: changes = ["binding:host_id": someHost()]
        case 2: changes = ["security_groups": someGroups()]
        case 3:
            let pairs: [JSON] = chance(2) ? [] : [["ip_address": someAddress()]]
            changes = ["allowed_address_pairs": .array(pairs)]
        case 4: changes = ["name": .string(chance(2) ? "one" : "other"), "admin_state_up": .bool(chance(2))]
        case 5: changes = chance(2) ? ["fixed_ips": []] : ["fixed_ips": [["subnet_id": text(networks.map(\.subnet))]]]
        default: changes = ["port_security_enabled": .bool(chance(2)), "security_groups": []]
        }
        _ = await admin.change("port", port, changes)
    }

    private mutating func changeRules() async {
        if chance(3) {
            let rule = await row(of: "security_group_rules")?.id ?? "none"
            _ = await member.send(.delete, "/security-group-rules/\(rule)")
            return
        }
        var rule: JSONObject = [
            "security_group_id": text(groups), "direction": "ingress", "protocol": "tcp",
            "port_range_min": .integer(Int64.random(in: 1...100, using: &random)), "port_range_max": 200,
        ]
        switch Int.random(in: 0..<3, using: &random) {
        case 0: rule["remote_group_id"] = text(groups)
        case 1: rule["remote_address_group_id"] = text(lists)
        default: rule["remote_ip_prefix"] = "192.0.2.0/24"
        }
        _ = await member.send(.post, "/security-group-rules", ["security_group_rule": .object(rule)])
    }

    private mutating func changeGroups() async {
        if chance(2), groups.count < 5 {
            guard let made = try? await member.make("security_group", ["name": "more"]).id else { return }
            groups.append(made)
        } else if let group = pick(groups), groups.count > 1 {
            let reply = await member.send(.delete, "/security-groups/\(group)")
            if reply.status == .noContent { groups.removeAll { $0 == group } }
        }
    }

    private mutating func changeList() async {
        let verb = chance(2) ? "add_addresses" : "remove_addresses"
        let address = "198.51.100.\(Int.random(in: 1...4, using: &random))/32"
        _ = await member.send(
            .put, "/address-groups/\(pick(lists) ?? "")/\(verb)", ["address_group": ["addresses": [.string(address)]]])
    }

    private mutating func changeSubnets() async {
        guard let network = pick(networks) else { return }
        switch Int.random(in: 0..<4, using: &random) {
        case 0:
            _ = await member.send(
                .post, "/subnets",
                ["subnet": [
                    "network_id": .string(network.id), "ip_version": 6, "ipv6_ra_mode": "slaac",
                    "ipv6_address_mode": "slaac", "cidr": .string("2001:db8:\(network.id.prefix(4))::/64"),
                ]])
        case 1:
            let subnet = await row(of: "subnets", "ip_version=6")?.id ?? "none"
            _ = await member.send(.delete, "/subnets/\(subnet)")
        case 2: _ = await member.change("subnet", network.subnet, ["enable_dhcp": .bool(chance(2))])
        default:
            _ = await member.change("subnet", network.subnet, ["dns_nameservers": [someAddress()]])
        }
    }

    private mutating func changeRouter() async {
        let router = pick(routers) ?? ""
        let subnet: JSON = ["subnet_id": text(networks.map(\.subnet))]
        switch Int.random(in: 0..<6, using: &random) {
        case 0, 1: _ = await member.send(.put, "/routers/\(router)/add_router_interface", subnet)
        case 2: _ = await member.send(.put, "/routers/\(router)/remove_router_interface", subnet)
        case 3:
            let gateway: JSON = chance(2) ? .null : ["network_id": .string(external)]
            _ = await member.change("router", router, ["external_gateway_info": gateway])
        case 4: _ = await member.change("router", router, ["admin_state_up": .bool(chance(2))])
        default:
            let port: JSON = ["port_id": .string(await somePort())]
            _ = await member.send(.put, "/routers/\(router)/add_router_interface", port)
        }
    }

    private mutating func changeFloating() async {
        let port: JSON = .string(await somePort())
        switch Int.random(in: 0..<4, using: &random) {
        case 3:
            let target = await row(of: "floatingips")?["port_id"]?.string ?? "none"
            _ = await admin.send(.delete, "/ports/\(target)")
        case 0:
            let body: JSON = ["floatingip": ["floating_network_id": .string(external), "port_id": port]]
            _ = await member.send(.post, "/floatingips", body)
        case 1:
            let id = await row(of: "floatingips")?.id ?? "none"
            _ = await member.change("floatingip", id, ["port_id": chance(2) ? .null : port])
        default:
            let id = await row(of: "floatingips")?.id ?? "none"
            _ = await member.send(.delete, "/floatingips/\(id)")
        }
    }

    private mutating func changeServer() async throws {
        let host = pick(hosts) ?? ""
        let server = ID<Kind.Server>("server-\(Int.random(in: 0...servers, using: &random))")
        switch Int.random(in: 0..<3, using: &random) {
        case 0:
            guard let network = pick(networks) else { return }
            servers += 1
            let plan = try await stage.plan(.listed([.init(network: ID(network.id))]))
            try await stage.ensure(plan, server: ID("server-\(servers)"), host: host)
        case 1:
            try await stage.cloud.database.write { [networking = stage.networking] tx in
                try networking.bindPorts(of: server, to: host, in: tx)
            }
        default: try await stage.release(server)
        }
    }

    private mutating func changeNetwork() async {
        let network = pick(networks)?.id ?? ""
        if chance(2) {
            let mtu = Int64.random(in: 1300...1400, using: &random)
            _ = await member.change("network", network, ["mtu": .integer(mtu)])
        } else {
            _ = await member.change("network", network, ["name": "a name"])
        }
    }
}

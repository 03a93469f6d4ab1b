import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import HostModel
import SQL
import TestSupport
import Testing

@testable import Networking

/// OpenStack's security advisories about the rights of callers on networks. The tests of the drivers cover packets.
@Suite("Advisories on networks")
struct AdvisoryTests {
    /// A member's network with a port, and a network of another project.
    private struct Stage {
        let ports: ServerPortTests.Stage
        let network: String
        let subnet: String
        let port: String
        let group: String
        var admin: NetworkingClient { ports.admin }
        var member: NetworkingClient { ports.member }

        static func run(hosts: Int = 0, _ body: (Stage) async throws -> Void) async throws {
            guard hosts > 0 else { return try await TestCloud.run { try await body(Stage($0)) } }
            try await TestCloud.run {
                $0.simulate.enabled = true
                $0.simulate.hosts = hosts
            } _: { try await body(Stage($0)) }
        }

        init(_ cloud: TestCloud) async throws {
            ports = try await ServerPortTests.Stage(cloud)
            (network, subnet) = try await ports.member.network("private", cidr: "10.0.0.0/24")
            port = try await ports.member.port(network).id
            group = try await ports.member.make("security_group", ["name": "web"]).id
        }

        func rule(_ more: JSONObject, in group: String? = nil) async -> TestCloud.Response {
            var members: JSONObject = ["security_group_id": .string(group ?? self.group), "direction": "ingress"]
            for (key, value) in more.members { members[key] = value }
            return await member.send(.post, "/security-group-rules", ["security_group_rule": .object(members)])
        }

        func state(_ host: String = "host-1") async throws -> HostNetworkState {
            try await ports.cloud.database.read { [networking = ports.networking] tx in
                let hosts = try networking.networking.hosts.hosts(in: tx)
                return try networking.state(of: host, among: hosts, in: tx)
            }
        }

        /// Makes a server with one port that has the group, and returns the port.
        func server(on host: String = "host-1") async throws -> ServerPort {
            let plan = try await ports.plan(.listed([.init(network: ID(network))]), groups: ["web"])
            return try await ports.ensure(plan, server: "server", host: host)[0]
        }
    }

    @Test("ossa_2013_001 A server cannot get a port or network of another project, by whatever id")
    func ossa_2013_001() async throws {
        try await Stage.run { stage in
            let (network, _) = try await stage.admin.network("other", cidr: "10.8.0.0/24")
            let foreign = try await stage.admin.port(network).id
            for item in [
                NetworkWish.Item(port: ID(foreign)), .init(network: ID(network)),
                .init(network: ID(network), port: ID(foreign)),
            ] {
                #expect(await stage.ports.refusal(.listed([item])) == .notFound)
            }
            #expect(await stage.ports.refusal(.listed([.init(network: ID(stage.network))]), groups: ["not-mine"]) == .badRequest)
            let group = try await stage.admin.make("security_group", ["name": "admins"]).id
            #expect(await stage.ports.refusal(.listed([.init(network: ID(stage.network))]), groups: [group]) == .badRequest)
        }
    }

    @Test("ossa_2026_001 Headers that state an identity are ignored")
    func ossa_2026_001() async throws {
        try await Stage.run { stage in
            var headers = HTTPFields()
            for (name, value) in [
                ("X-Roles", "admin"), ("X-Role", "admin"), ("X-Project-Id", "admin"), ("X-User-Id", "admin"), ("X-Tenant-Id", "admin"),
                ("X-Identity-Status", "Confirmed"), ("X-Is-Admin-Project", "True"), ("X-Service-Roles", "service"),
            ] { headers[HTTPField.Name(name)!] = value }
            let reply = await stage.member.send(.get, "/agents", headers: headers)
            #expect(reply.json["agents"]?.array?.isEmpty == true)
            let made = await stage.member.send(.post, "/networks", ["network": ["name": "n", "shared": true]], headers: headers)
            #expect(made.status == .forbidden)
            let cloud = stage.ports.cloud
            #expect(await cloud.send(.get, "/network/v2.0/networks", headers: headers).status == .unauthorized)
        }
    }

    @Test(
        "ossa_2014_014 ossa_2019_001 A security rule that no firewall can apply is refused",
        arguments: [
            ["remote_ip_prefix": "10.0.0.0/33"], ["remote_ip_prefix": "10.0.0.0/08"], ["remote_ip_prefix": "10.0.0/24"],
            ["remote_ip_prefix": "10.0.0.1/24/8"], ["remote_ip_prefix": "0x0a.0.0.1"], ["remote_ip_prefix": "::1%eth0", "ethertype": "IPv6"],
            ["remote_ip_prefix": "2001:db8::/64"], ["remote_ip_prefix": "10.0.0.0/24", "ethertype": "IPv6"],
            ["protocol": "vrrp", "port_range_min": 1, "port_range_max": 2], ["protocol": "112", "port_range_min": 1, "port_range_max": 2],
            ["protocol": "esp", "port_range_min": 22, "port_range_max": 22], ["port_range_min": 22, "port_range_max": 23],
            ["protocol": "tcp", "port_range_min": 2, "port_range_max": 1], ["protocol": "tcp", "port_range_min": 0, "port_range_max": 70_000],
            ["protocol": "tcp", "port_range_min": 22], ["protocol": "icmp", "port_range_min": 256], ["protocol": "icmp", "port_range_max": 1],
            ["protocol": "tcp; reboot"], ["protocol": "256"], ["protocol": "-2"], ["ethertype": "ARP"], ["direction": "sideways"],
        ] as [JSONObject])
    func ossa_2014_014(rule: JSONObject) async throws {
        try await Stage.run { stage in
            let reply = await stage.rule(rule)
            #expect(reply.status == .badRequest, "\(reply.text)")
        }
    }

    @Test("ossa_2019_001 A meaningless row harms only itself, however it got into the table")
    func ossa_2019_001() async throws {
        try await Stage.run(hosts: 1) { stage in
            _ = try await stage.server()
            for (port, name) in [(22, "tcp"), (23, "udp")] {
                let reply = await stage.rule(["protocol": .string(name), "port_range_min": .integer(Int64(port)), "port_range_max": .integer(Int64(port))])
                try #require(reply.status == .created)
            }
            try await stage.ports.cloud.database.write { tx in
                for (column, value) in [("protocol", "vrrp"), ("remote_ip_prefix", "10.0.0.0/99")] {
                    try tx.execute(
                        """
                        UPDATE networking_security_group_rule SET \(column) = ? WHERE id =
                          (SELECT min(id) FROM networking_security_group_rule WHERE protocol = 'udp')
                        """, value)
                }
            }
            _ = try await stage.ports.cloud.cloud.networkKeeper.reconcile()
            let state = try await stage.state()
            let rules = state.groups.first { $0.id == stage.group }?.rules ?? []
            #expect(rules.contains { $0.ports == PortRange(22) })
            #expect(!rules.contains { $0.ports == PortRange(23) })
        }
    }

    @Test("ossa_2019_002 Rules with overlapping port ranges are all in force")
    func ossa_2019_002() async throws {
        try await Stage.run(hosts: 1) { stage in
            let second = try await stage.member.make("security_group", ["name": "second"]).id
            let ranges: [(Int64, Int64)] = [(80, 90), (85, 95), (90, 90), (1, 65_534)]
            for (number, range) in ranges.enumerated() {
                let reply = await stage.rule(
                    ["protocol": "tcp", "port_range_min": .integer(range.0), "port_range_max": .integer(range.1)],
                    in: number.isMultiple(of: 2) ? stage.group : second)
                #expect(reply.status == .created)
            }
            let plan = try await stage.ports.plan(.listed([.init(network: ID(stage.network))]), groups: ["web", "second"])
            try await stage.ports.ensure(plan)
            _ = try await stage.ports.cloud.cloud.networkKeeper.reconcile()
            let found = try await stage.state().groups.flatMap(\.rules).compactMap(\.ports)
            #expect(Set(found) == Set(ranges.map { PortRange(UInt16($0.0), UInt16($0.1)) }))
        }
    }

    @Test("ossa_2015_018 The owner of a server's port cannot turn it into one of the cloud's own to escape its rules")
    func ossa_2015_018() async throws {
        try await Stage.run(hosts: 1) { stage in
            let made = try await stage.server()
            for owner in ["network:dhcp", "network:router_interface", "network:", ""] {
                #expect(await stage.member.change("port", made.id.text, ["device_owner": .string(owner)]).status != .ok)
            }
            #expect(await stage.member.change("port", made.id.text, ["device_id": "another"]).status != .ok)
            _ = try await stage.ports.cloud.cloud.networkKeeper.reconcile()
            let port = try #require(try await stage.state().ports.first)
            #expect(port.isSecured && port.groups == [stage.group])
            // A port that is not on a host yet and has an unusual owner is secured as soon as it is on one.
            let fancy = try await stage.member.port(stage.network, ["device_owner": "anything:else"]).id
            try await stage.ports.ensure(try await stage.ports.plan(.listed([.init(port: ID(fancy))])), server: "other")
            #expect(try await stage.state().ports.allSatisfy(\.isSecured))
        }
    }

    @Test("ossa_2014_031 Fields that only administrators may set cannot be reset by others")
    func ossa_2014_031() async throws {
        try await Stage.run { stage in
            let project = try #require(stage.ports.caller.projectID?.text)
            let (shared, _) = try await stage.admin.network("shared", cidr: "10.5.0.0/24", ["shared": true, "project_id": .string(project)])
            for change in [["shared": false], ["router:external": false], ["provider:network_type": "vxlan"], ["is_default": false]] as [JSONObject] {
                #expect(await stage.member.change("network", shared, change).status == .forbidden, "\(change.members)")
            }
            #expect(await stage.admin.send(.get, "/networks/\(shared)").json["network"]?["shared"] == true)
            #expect(await stage.member.change("port", stage.port, ["binding:host_id": ""]).status == .forbidden)
            #expect(await stage.member.change("port", stage.port, ["binding:profile": [:]]).status == .forbidden)
        }
    }

    @Test("ossa_2016_009 ossa_2021_001 On another project's network, nobody chooses the addresses of their guests")
    func ossa_2016_009() async throws {
        try await Stage.run { stage in
            let (shared, _) = try await stage.admin.network("shared", cidr: "10.5.0.0/24", ["shared": true])
            let port = try await stage.member.port(shared).id
            for change in [
                ["port_security_enabled": false], ["allowed_address_pairs": [["ip_address": "0.0.0.0/0"]]],
                ["fixed_ips": [["ip_address": "10.5.0.99"]]], ["mac_address": "fa:16:3e:00:00:99"],
            ] as [JSONObject] {
                #expect(await stage.member.change("port", port, change).status == .forbidden, "\(change.members)")
                var members = change
                members["network_id"] = .string(shared)
                #expect(await stage.member.send(.post, "/ports", ["port": .object(members)]).status == .forbidden, "\(change.members)")
            }
        }
    }

    @Test("ossa_2014_025 ossa_2012_005 ossa_2013_008 Every list that a user can make longer has a limit")
    func ossa_2014_025() async throws {
        try await Stage.run { stage in
            func pairs(_ count: Int) -> JSONObject {
                ["allowed_address_pairs": .array((1...count).map { ["ip_address": .string("10.9.0.\($0)")] })]
            }
            #expect(await stage.member.change("port", stage.port, pairs(10)).status == .ok)
            #expect(await stage.member.change("port", stage.port, pairs(11)).type == "AllowedAddressPairExhausted")
            let addresses = JSON.array((2...100).map { ["ip_address": .string("10.0.0.\($0)")] })
            #expect(await stage.member.change("port", stage.port, ["fixed_ips": addresses]).status == .badRequest)
            let options = JSON.array((1...100).map { ["opt_name": .string("\($0)"), "opt_value": "x"] })
            #expect(await stage.member.change("port", stage.port, ["extra_dhcp_opts": options]).status == .badRequest)
            #expect(await stage.member.change("subnet", stage.subnet, ["dns_nameservers": .array((1...6).map { .string("192.0.2.\($0)") })]).status == .badRequest)
            let routes = JSON.array((1...21).map { ["destination": .string("10.\($0).0.0/16"), "nexthop": "10.0.0.9"] })
            #expect(await stage.member.change("subnet", stage.subnet, ["host_routes": routes]).status == .badRequest)
            let tags = JSON.array((1...51).map { .string("tag\($0)") })
            #expect(await stage.member.send(.put, "/ports/\(stage.port)/tags", ["tags": tags]).status == .badRequest)
            let project = try #require(stage.ports.caller.projectID?.text)
            let limits = ["security_group_rule": 8, "port": 1, "network": 1, "subnet": 1, "security_group": 2, "router": 0, "floatingip": 0, "rbac_policy": 0] as JSONObject
            #expect(await stage.admin.send(.put, "/quotas/\(project)", ["quota": .object(limits)]).status == .ok)
            var types: [String] = []
            for port in 1...5 {
                types.append(await stage.rule(["protocol": "tcp", "port_range_min": .integer(Int64(port)), "port_range_max": .integer(Int64(port))]).type)
            }
            #expect(types.last == "OverQuota")
            for (noun, members) in [
                ("port", ["network_id": .string(stage.network)]), ("network", [:]), ("security_group", ["name": "more"]), ("router", [:]),
                ("subnet", ["network_id": .string(stage.network), "ip_version": 4, "cidr": "10.2.0.0/24"]),
            ] as [(String, JSONObject)] {
                let reply = await stage.member.send(.post, "/\(noun.replacing("_", with: "-"))s", .object([noun: .object(members)]))
                #expect(reply.type == "OverQuota", "\(noun): \(reply.text)")
            }
        }
    }

    @Test(
        "ossa_2015_012 An address pair without a valid address is refused",
        arguments: ["10.0.0.0/33", "10.0.0.1/", "", "10.0.0.1\n", "fe80::1%eth0", "10.0.0.256", "1e3", "::/129", "any"])
    func ossa_2015_012(address: String) async throws {
        try await Stage.run { stage in
            let reply = await stage.member.change("port", stage.port, ["allowed_address_pairs": [["ip_address": .string(address)]]])
            #expect(reply.status == .badRequest, "\(reply.text)")
        }
    }

    @Test("ossa_2021_005 A DHCP option must be a single line with a single word as its name")
    func ossa_2021_005() async throws {
        try await Stage.run { stage in
            for (name, value) in [
                ("bootfile-name", "a\nb"), ("bootfile-name", "a\r\nconf-file=/etc/passwd"), ("bootfile-name", "a\u{2028}b"),
                ("tftp-server\n", "a"), ("bad name\nx", "a"), ("bootfile-name", "\u{85}dhcp-script=/bin/sh"), ("", "a"),
            ] {
                let options: JSON = [["opt_name": .string(name), "opt_value": .string(value)]]
                #expect(await stage.member.change("port", stage.port, ["extra_dhcp_opts": options]).status == .badRequest, "\(name) \(value)")
            }
        }
    }

    @Test("ossa_2014_008 Nobody can plug a port into another project's router, in one step or in two")
    func ossa_2014_008() async throws {
        try await Stage.run(hosts: 1) { stage in
            let router = try await stage.admin.make("router", ["name": "theirs"]).id
            let owner: JSON = "network:router_interface"
            let made = await stage.member.send(
                .post, "/ports",
                ["port": ["network_id": .string(stage.network), "device_owner": owner, "device_id": .string(router)]])
            #expect(made.status != .created, "\(made.text)")
            #expect(await stage.member.change("port", stage.port, ["device_owner": owner, "device_id": .string(router)]).status != .ok)
            let first = await stage.member.change("port", stage.port, ["device_id": .string(router)])
            let second = await stage.member.change("port", stage.port, ["device_owner": owner])
            #expect(first.status != .ok || second.status != .ok)
            for body in [["port_id": .string(stage.port)], ["subnet_id": .string(stage.subnet)]] as [JSONObject] {
                #expect(await stage.member.send(.put, "/routers/\(router)/add_router_interface", .object(body)).status == .notFound)
            }
            _ = try await stage.ports.cloud.cloud.networkKeeper.reconcile()
            #expect(try await stage.state().routers.isEmpty)
        }
    }

    @Test("ossa_2024_005 Only a caller who may change a resource may change its tags")
    func ossa_2024_005() async throws {
        try await Stage.run { stage in
            let (shared, subnet) = try await stage.admin.network("shared", cidr: "10.5.0.0/24", ["shared": true])
            #expect(await stage.admin.send(.put, "/networks/\(shared)/tags/kept").status == .created)
            for path in ["/networks/\(shared)", "/subnets/\(subnet)"] {
                #expect(await stage.member.send(.put, "\(path)/tags", ["tags": ["mine"]]).status == .forbidden)
                #expect(await stage.member.send(.put, "\(path)/tags/mine").status == .forbidden)
                #expect(await stage.member.send(.post, "\(path)/tags", ["tags": ["mine"]]).status == .forbidden)
                #expect(await stage.member.send(.delete, "\(path)/tags").status == .forbidden)
                #expect(await stage.member.send(.delete, "\(path)/tags/kept").status == .forbidden)
            }
            #expect(await stage.admin.send(.get, "/networks/\(shared)/tags").json["tags"] == ["kept"])
            let (hidden, _) = try await stage.admin.network("hidden", cidr: "10.6.0.0/24")
            #expect(await stage.member.send(.put, "/networks/\(hidden)/tags/mine").status == .notFound)
        }
    }

    @Test("ossa_2012_007 A protocol name means the same in upper and lower case")
    func ossa_2012_007() async throws {
        try await Stage.run { stage in
            let made = await stage.rule(["protocol": "TCP", "port_range_min": 22, "port_range_max": 22])
            #expect(made.json["security_group_rule"]?["protocol"] == "tcp")
            #expect(await stage.rule(["protocol": "Tcp", "port_range_min": 22, "port_range_max": 22]).type == "SecurityGroupRuleExists")
        }
    }

    @Test("ossa_2015_021 A rule that is added or deleted while a guest runs changes the next state of its host")
    func ossa_2015_021() async throws {
        try await Stage.run(hosts: 1) { stage in
            _ = try await stage.server()
            let keeper = stage.ports.cloud.cloud.networkKeeper
            _ = try await keeper.reconcile()
            let made = await stage.rule(["protocol": "tcp", "port_range_min": 22, "port_range_max": 22])
            let id = try #require(made.json["security_group_rule"]?["id"]?.string)
            func isThere() async throws -> Bool {
                _ = try await keeper.reconcile()
                return try await stage.state().groups.contains { $0.rules.contains { $0.id == id } }
            }
            #expect(try await isThere())
            #expect(await stage.member.send(.delete, "/security-group-rules/\(id)").status == .noContent)
            #expect(try await !isThere())
            // The loop runs every second, and each commit of its own process wakes it.
            #expect(keeper.interval <= .seconds(1))
        }
    }

    @Test("ossa_2013_030 A server keeps its security groups when it moves to another host")
    func ossa_2013_030() async throws {
        try await Stage.run(hosts: 2) { stage in
            _ = try await stage.server(on: "host-1")
            _ = await stage.rule(["protocol": "tcp", "port_range_min": 22, "port_range_max": 22])
            let keeper = stage.ports.cloud.cloud.networkKeeper
            _ = try await keeper.reconcile()
            let before = try await stage.state("host-1")
            try await stage.ports.cloud.database.write { [networking = stage.ports.networking] tx in
                try networking.bindPorts(of: "server", to: "host-2", in: tx)
            }
            try await keeper.wire("server", on: "host-2")
            let after = try await stage.state("host-2")
            #expect(after.groups == before.groups && after.ports == before.ports)
            #expect(try await stage.state("host-1").ports.isEmpty)
        }
    }

    @Test("ossa_2012_003 Long names are refused, and answers do not repeat them")
    func ossa_2012_003() async throws {
        try await Stage.run { stage in
            let long = String(repeating: "x", count: 100_000)
            for noun in ["network", "security_group", "router"] {
                let reply = await stage.member.send(
                    .post, "/\(noun.replacing("_", with: "-"))s", .object([noun: ["name": .string(long)]]))
                #expect(reply.status == .badRequest)
                #expect(reply.bytes.count < 2000, "\(noun)")
            }
            for query in ["name=\(long)", "\(long)=1", "sort_key=\(long)", "limit=\(long)", "marker=\(long)", "fixed_ips=\(long)"] {
                let reply = await stage.member.send(.get, "/ports?\(query)")
                #expect(reply.status.code < 500 && reply.bytes.count < 2000, "\(query.prefix(20)) \(reply.status)")
            }
        }
    }

    @Test("ossa_2014_038 A filter by address costs the same number of transactions, however many ports there are")
    func ossa_2014_038() async throws {
        try await Stage.run { stage in
            func cost() async -> Int {
                let before = stage.ports.cloud.database.transactions
                _ = await stage.member.list("ports", "fixed_ips=ip_address_substr=10.0&fixed_ips=subnet_id=\(stage.subnet)")
                return stage.ports.cloud.database.transactions - before
            }
            _ = await cost()
            let one = await cost()
            let bulk = JSON.array((0..<30).map { _ in ["network_id": .string(stage.network)] })
            #expect(await stage.member.send(.post, "/ports", ["ports": bulk]).status == .created)
            #expect(await cost() == one)
        }
    }
}

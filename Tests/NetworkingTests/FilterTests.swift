import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

/// Tests of every attribute that the reference marks as a filter, for every resource.
@Suite("Filters of lists")
struct FilterTests {
    private struct Resource: Sendable, CustomTestStringConvertible {
        let plural: String
        /// The attributes that the reference filters by and a view shows.
        let shown: [String]
        var hasStandard = true
        var hasTags = true
        var key = "id"

        var path: String { "/" + (plural == "availability_zones" ? plural : plural.replacing("_", with: "-")) }
        var testDescription: String { plural }
        var filters: [String] {
            shown + (hasStandard ? ["description", "revision_number"] : [])
                + (["tenant_id", "project_id"].filter { !["agents", "availability_zones", "default_security_group_rules"].contains(plural) || shown.contains($0) })
        }
    }

    /// The filters of Neutron (`is_filter` of neutron-lib's definitions and of Neutron's extensions) for the announced
    /// extensions.
    private static let resources = [
        Resource(
            plural: "networks",
            shown: [
                "id", "name", "admin_state_up", "status", "shared", "router:external", "mtu", "is_default", "provider:network_type",
                "provider:physical_network", "provider:segmentation_id",
            ]),
        Resource(
            plural: "subnets",
            shown: [
                "id", "name", "ip_version", "network_id", "subnetpool_id", "cidr", "gateway_ip", "enable_dhcp", "ipv6_ra_mode",
                "ipv6_address_mode", "router:external",
            ]),
        Resource(
            plural: "subnetpools",
            shown: [
                "id", "name", "default_quota", "ip_version", "default_prefixlen", "min_prefixlen", "max_prefixlen", "is_default", "shared",
                "address_scope_id",
            ]),
        Resource(
            plural: "ports",
            shown: ["id", "name", "network_id", "admin_state_up", "mac_address", "device_id", "device_owner", "status", "binding:host_id"]),
        Resource(plural: "routers", shown: ["id", "name", "admin_state_up"]),
        Resource(
            plural: "floatingips",
            shown: ["id", "floating_ip_address", "floating_network_id", "router_id", "port_id", "fixed_ip_address", "status"]),
        Resource(plural: "security_groups", shown: ["id", "name", "stateful", "shared"]),
        Resource(
            plural: "security_group_rules",
            shown: [
                "id", "security_group_id", "remote_group_id", "remote_address_group_id", "direction", "protocol", "port_range_min",
                "port_range_max", "ethertype", "remote_ip_prefix", "normalized_cidr", "belongs_to_default_sg",
            ], hasTags: false),
        Resource(
            plural: "default_security_group_rules",
            shown: [
                "id", "description", "remote_group_id", "remote_address_group_id", "direction", "protocol", "port_range_min",
                "port_range_max", "ethertype", "remote_ip_prefix", "used_in_default_sg", "used_in_non_default_sg",
            ], hasStandard: false, hasTags: false),
        Resource(plural: "address_groups", shown: ["id", "name"]),
        Resource(plural: "address_scopes", shown: ["id", "name", "shared", "ip_version"], hasStandard: false, hasTags: false),
        Resource(
            plural: "rbac_policies", shown: ["id", "object_type", "object_id", "target_tenant", "action"], hasStandard: false, hasTags: false),
        Resource(
            plural: "agents",
            shown: ["id", "agent_type", "binary", "topic", "host", "admin_state_up", "alive", "description", "availability_zone"],
            hasStandard: false, hasTags: false),
        Resource(plural: "availability_zones", shown: ["name", "resource", "state"], hasStandard: false, hasTags: false, key: "name"),
        Resource(plural: "network_ip_availabilities", shown: ["network_id", "network_name"], hasStandard: false, hasTags: false, key: "network_id"),
    ]

    /// Runs the body in a cloud with several different rows of each resource.
    private static func run(_ body: (NetworkingClient) async throws -> Void) async throws {
        try await TestCloud.run { settings in
            settings.simulate.enabled = true
            settings.simulate.hosts = 2
        } _: { cloud in
            let admin = try await NetworkingClient(cloud)
            let (member, project) = try await NetworkingClient.member(cloud, of: "other")
            _ = try await cloud.cloud.networkKeeper.reconcile()
            try await fill(admin, member, project)
            try await body(admin)
        }
    }

    private static func fill(_ admin: NetworkingClient, _ member: NetworkingClient, _ project: String) async throws {
        let external = try await admin.network(
            "external", cidr: "203.0.113.0/24",
            ["router:external": true, "is_default": true, "provider:network_type": "vlan", "provider:physical_network": "public"]).network
        let (own, subnet) = try await member.network("own", cidr: "10.0.0.0/24", ["description": "words", "mtu": 1400, "admin_state_up": false])
        let lent = try await admin.network("lent", cidr: "10.1.0.0/24", ["shared": true, "tags": ["red", "blue"]]).network
        try await member.make(
            "subnet",
            [
                "network_id": .string(own), "ip_version": 6, "cidr": "2001:db8::/64", "gateway_ip": "2001:db8::9", "name": "six",
                "ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac", "description": "of version 6",
            ])
        let scope = try await admin.make("address_scope", ["name": "s", "ip_version": 4, "shared": true]).id
        try await member.make("address_scope", ["name": "t", "ip_version": 6])
        try await admin.make("subnetpool", ["name": "p", "prefixes": ["10.8.0.0/16"], "address_scope_id": .string(scope), "is_default": true, "shared": true])
        let pool = try await member.make(
            "subnetpool", ["name": "q", "prefixes": ["2001:db8:1::/48"], "default_quota": 70, "min_prefixlen": 56, "max_prefixlen": 72, "default_prefixlen": 60]).id
        let cut = try await member.make("network", ["name": "cut"]).id
        try await member.make("subnet", ["network_id": .string(cut), "ip_version": 6, "subnetpool_id": .string(pool), "enable_dhcp": false])
        let addresses = try await admin.make("address_group", ["name": "a", "addresses": ["10.0.0.0/24"], "description": "some"]).id
        try await member.make("address_group", ["name": "b"])
        let group = try await admin.make("security_group", ["name": "g", "stateful": false, "description": "own", "tags": ["red"]]).id
        _ = try await member.make("security_group", ["name": "h"])
        for more in [
            ["protocol": "tcp", "port_range_min": 22, "port_range_max": 23, "remote_ip_prefix": "10.0.0.7/24", "description": "ssh"],
            ["protocol": "6", "port_range_min": 80, "port_range_max": 80, "remote_address_group_id": .string(addresses)],
            ["protocol": "icmp", "ethertype": "IPv6", "remote_group_id": .string(group)],
        ] as [JSONObject] {
            var members: JSONObject = ["security_group_id": .string(group), "direction": "ingress"]
            for (key, value) in more.members { members[key] = value }
            try await admin.make("security_group_rule", members)
        }
        try await admin.make(
            "default_security_group_rule",
            ["direction": "ingress", "protocol": "tcp", "port_range_min": 1, "port_range_max": 2, "remote_ip_prefix": "10.0.0.0/8", "used_in_default_sg": true])
        try await admin.make("default_security_group_rule", ["direction": "ingress", "remote_address_group_id": .string(addresses)])
        try await admin.make("rbac_policy", ["object_type": "security_group", "object_id": .string(group), "action": "access_as_shared", "target_tenant": .string(project)], at: "/rbac-policies")
        let router = try await member.make("router", ["name": "r", "description": "out", "external_gateway_info": ["network_id": .string(external)]]).id
        try await admin.make("router", ["admin_state_up": false])
        _ = await member.send(.put, "/routers/\(router)/add_router_interface", ["subnet_id": .string(subnet)])
        let port = try await member.port(own, ["name": "p", "device_id": "one", "device_owner": "compute:nova", "fixed_ips": [["subnet_id": .string(subnet)]]]).id
        _ = try await admin.port(lent, ["mac_address": "02:00:00:00:00:07", "binding:host_id": "host-1", "admin_state_up": false, "description": "bound"])
        try await member.make("floatingip", ["floating_network_id": .string(external), "port_id": .string(port)])
        try await admin.make("floatingip", ["floating_network_id": .string(external), "description": "free"])
        let agent = try #require(await admin.list("agents").first).id
        let change: JSON = ["agent": ["admin_state_up": false, "description": "switched off"]]
        try #require(await admin.send(.put, "/agents/\(agent)", change).status == .ok)
    }

    private static func text(_ value: JSON) -> String { value.string ?? value.text }

    /// Returns a value of the same kind that no row has.
    private static func stranger(to name: String, like value: JSON?) -> String {
        switch value {
        case .integer: "4711"
        case .string(let text) where IPAddress(text) != nil: text.contains(":") ? "2001:db8:ffff::1" : "192.0.2.77"
        case .string(let text) where IPPrefix(text) != nil: "192.0.2.0/27"
        case .string(let text) where text.utf8.count == 36: "00000000-0000-4000-8000-000000000000"
        case .string(let text) where Int(text) != nil: "127"
        case .string where name == "mac_address": "02:00:00:00:00:99"
        default: "nobody's"
        }
    }

    @Test("A filter returns exactly the rows with its value, and nothing for an unknown value", arguments: resources)
    private func filters(_ resource: Resource) async throws {
        try await Self.run { client in
            func list(_ query: String) async -> TestCloud.Response { await client.send(.get, "\(resource.path)?\(query)") }
            let all = try #require(await list("").json[resource.plural]?.array)
            try #require(all.count > 1, "\(resource.plural)")
            for name in resource.filters {
                let values = Set(all.compactMap { $0[name] }.filter { !$0.isNull })
                if resource.key == "id" || name != "ip_version" { #expect(!values.isEmpty, "\(resource.plural) has no \(name)") }
                for value in values {
                    let reply = await list("\(name)=\(Percent.encode(Self.text(value)))")
                    let wanted = all.filter { $0[name] == value }
                    #expect(reply.json[resource.plural]?.array == wanted, "\(name)=\(Self.text(value)): \(reply.text.prefix(300))")
                }
                let strangers: [String]
                if values.contains(true) || values.contains(false) {
                    strangers = [true, false].filter { !values.contains(.bool($0)) }.map { $0 ? "True" : "False" }
                } else if resource.plural.hasPrefix("security_group"), ["tenant_id", "project_id"].contains(name) {
                    // Listing the groups of a project makes its default group.
                    strangers = []
                } else {
                    strangers = [Self.stranger(to: name, like: values.first)]
                }
                for text in strangers {
                    let reply = await list("\(name)=\(Percent.encode(text))")
                    #expect(reply.json[resource.plural] == [], "\(name)=\(text): \(reply.text.prefix(300))")
                }
            }
            #expect(await list("colour=red").status == .badRequest)
        }
    }

    @Test("Every list supports fields, sorting and pages", arguments: resources)
    private func pages(_ resource: Resource) async throws {
        try await Self.run { client in
            func list(_ query: String) async -> JSON { await client.send(.get, "\(resource.path)?\(query)").json }
            func keys(_ json: JSON) -> [String] { json[resource.plural]?.array?.compactMap { $0[resource.key]?.string } ?? [] }
            let fields = await list("fields=\(resource.key)")
            #expect(fields[resource.plural]?.array?.allSatisfy { $0.object.map { Array($0.keys) } == [resource.key] } == true)
            let up = keys(await list("sort_key=\(resource.key)&sort_dir=asc"))
            let down = keys(await list("sort_key=\(resource.key)&sort_dir=desc"))
            #expect(up == up.sorted() && up == down.reversed(), "\(resource.plural)")
            #expect(await client.send(.get, "\(resource.path)?sort_key=colour&sort_dir=asc").status == .badRequest)
            var seen: [String] = []
            var marker = ""
            while true {
                let page = await list("limit=1&marker=\(marker)")
                #expect(Set(keys(page)).count <= 1)
                let next = page["\(resource.plural)_links"]?.array?.contains { $0["rel"] == "next" } ?? false
                #expect(next == !keys(page).isEmpty, "a full page has a next one")
                guard let last = keys(page).last else { break }
                seen += keys(page)
                marker = last
            }
            #expect(seen.sorted() == up && seen.count == up.count)
            let some = await list("limit=\(up.count)")
            #expect(some["\(resource.plural)_links"]?.array?.contains { $0["rel"] == "next" } == true, "the last page is full")
            let more = await list("limit=\(up.count + 1)")
            #expect(more["\(resource.plural)_links"]?.array?.contains { $0["rel"] == "next" } == false)
        }
    }

    @Test("Filters on attributes that no view shows work too")
    func others() async throws {
        try await Self.run { client in
            func names(_ list: String, _ query: String) async -> [String] { await client.list(list, query).compactMap { $0["name"]?.string }.sorted() }
            #expect(await names("subnets", "shared=true").count == 1)
            #expect(await names("subnets", "name=six&shared=false") == ["six"])
            #expect(await names("networks", "tags=red,blue") == ["lent"])
            #expect(await names("networks", "tags=red,green").isEmpty)
            #expect(await names("networks", "tags-any=red,green") == ["lent"])
            #expect(await names("networks", "not-tags=red&name=lent").isEmpty)
            #expect(await names("networks", "not-tags-any=green&name=lent") == ["lent"])
            #expect(await client.list("ports", "fixed_ips=ip_address%3D192.0.2.7").isEmpty)
            #expect(await client.list("ports", "fixed_ips=subnet_id%3D00000000-0000-4000-8000-000000000000").isEmpty)
            #expect(await client.list("ports", "security_groups=00000000-0000-4000-8000-000000000000").isEmpty)
            #expect(await client.list("ports", "mac_address=02-00-00-00-00-07").count == 1)
            #expect(await client.list("security_group_rules", "protocol=TCP").count == 1)
            #expect(await client.list("security_group_rules", "ethertype=ipv6&protocol=IPV6-ICMP&description=").count == 1)
            #expect(await client.list("security_group_rules", "remote_ip_prefix=10.0.0.7/24").count == 1)
            #expect(await client.list("networks", "changed_since=2001-01-01T00:00:00Z").count == 4)
            #expect(await client.list("networks", "changed_since=2101-01-01T00:00:00Z").isEmpty)
            #expect(await client.send(.get, "/networks?changed_since=yesterday").status == .badRequest)
            #expect(await client.list("network_ip_availabilities", "ip_version=6").count == 2)
            #expect(await client.list("network_ip_availabilities", "ip_version=4&network_name=own").count == 1)
        }
    }

    @Test("Service providers are filtered, so that no client finds a VPN")
    func providers() async throws {
        try await NetworkingClient.runAsMember { _, client in
            func list(_ query: String) async -> JSON? { await client.send(.get, "/service-providers?\(query)").json["service_providers"] }
            let all: JSON = [["service_type": "L3_ROUTER_NAT", "name": "single_node", "default": true]]
            for query in ["", "service_type=L3_ROUTER_NAT", "name=single_node", "default=True", "service_type=VPN&service_type=L3_ROUTER_NAT"] {
                #expect(await list(query) == all, "\(query)")
            }
            for query in ["service_type=VPN", "name=other", "default=False", "service_type=L3_ROUTER_NAT&name=other"] {
                #expect(await list(query) == [], "\(query)")
            }
            #expect(await list("fields=name") == [["name": "single_node"]])
        }
    }

    @Test("Agents show their times, and operators can disable and describe them")
    func agents() async throws {
        try await Self.run { client in
            let all = await client.list("agents", "sort_key=host&sort_dir=asc")
            #expect(all.count == 2)
            for agent in all {
                for name in ["created_at", "started_at", "heartbeat_timestamp"] {
                    let text = agent[name]?.string ?? ""
                    #expect(text.utf8.count == 19 && text.contains(" "), "\(name): \(text)")
                }
                #expect(agent.object?.keys.contains("resources_synced") == true)
            }
            let off = try #require(await client.list("agents", "admin_state_up=False").first)
            #expect(off["description"] == "switched off" && off["alive"] == true)
            #expect(await client.send(.get, "/agents/\(off.id)").json["agent"]?["admin_state_up"] == false)
            _ = try await client.cloud.cloud.networkKeeper.reconcile()
            let hosts = Set(await client.list("ports", "device_owner=network:router_interface").compactMap { $0["binding:host_id"] })
            #expect(hosts == Set(all.filter { $0.id != off.id }.compactMap { $0["host"] }), "no router is placed on a host that is switched off")
            let member = try await NetworkingClient.member(client.cloud)
            #expect(await member.send(.put, "/agents/\(off.id)", ["agent": ["admin_state_up": true]]).status == .notFound)
            #expect(await member.send(.delete, "/agents/\(off.id)").status == .notFound)
            #expect(await client.send(.put, "/agents/\(off.id)", ["agent": ["host": "x"]]).status == .badRequest)
            #expect(await client.send(.put, "/agents/nobody", ["agent": ["admin_state_up": true]]).type == "AgentNotFound")
            #expect(await client.send(.delete, "/agents/\(off.id)").status == .noContent)
            #expect(await client.list("agents", "admin_state_up=True").count == 2)
        }
    }

    @Test("Numbers of addresses are exact integers, however large")
    func counts() async throws {
        try await NetworkingClient.runAsAdmin { _, client in
            let (network, _) = try await client.network(cidr: "2001:db8::/64")
            let reply = await client.send(.get, "/network-ip-availabilities/\(network)")
            #expect(reply.text.components("\"total_ips\":18446744073709551614").count == 3, "\(reply.text)")
        }
    }
}

extension String {
    fileprivate func components(_ separator: String) -> [Substring] { split(separator: separator, omittingEmptySubsequences: false) }
}

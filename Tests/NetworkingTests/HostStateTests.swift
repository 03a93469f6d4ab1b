import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import HostModel
import SQL
import TestSupport
import Testing

@testable import Networking

/// The states that hosts get, and the status in the rows afterwards.
@Suite("Networks of hosts")
struct HostStateTests {
    /// Two simulated hosts, each with a server of a member, behind a router with an external gateway.
    private struct Stage {
        let ports: ServerPortTests.Stage
        let external: String
        let network: String
        let subnet: String
        let router: String
        let first: ServerPort
        let second: ServerPort
        var cloud: TestCloud { ports.cloud }
        var keeper: NetworkKeeper { cloud.cloud.networkKeeper }

        static func run(_ body: (Stage) async throws -> Void) async throws {
            try await TestCloud.run {
                $0.simulate.enabled = true
                $0.simulate.hosts = 2
            } _: { try await body(Stage($0)) }
        }

        init(_ cloud: TestCloud) async throws {
            ports = try await ServerPortTests.Stage(cloud)
            let (admin, member) = (ports.admin, ports.member)
            external = try await admin.network(
                "external", cidr: "203.0.113.0/24",
                ["router:external": true, "provider:network_type": "flat", "provider:physical_network": "public"]
            ).network
            (network, subnet) = try await member.network("private", cidr: "10.0.0.0/24")
            router = try await member.make("router", ["external_gateway_info": ["network_id": .string(external)]]).id
            let plugged = await member.send(.put, "/routers/\(router)/add_router_interface", ["subnet_id": .string(subnet)])
            try #require(plugged.status == .ok)
            first = try await ports.ensure(try await ports.plan(.automatic), server: "one", host: "host-1")[0]
            second = try await ports.ensure(try await ports.plan(.automatic), server: "two", host: "host-2")[0]
        }

        func state(_ host: String) async throws -> HostNetworkState {
            try await cloud.database.read { [networking = cloud.cloud.networking] tx in
                let hosts = try networking.networking.hosts.hosts(in: tx)
                return try networking.state(of: host, among: hosts, in: tx)
            }
        }

        func pass() async throws {
            _ = try await keeper.reconcile()
        }

        func status(_ noun: String, _ id: String) async -> String? {
            await ports.admin.send(.get, "/\(noun)s/\(id)").json[noun]?["status"]?.string
        }
    }

    @Test("A host's state has its guests, the network's peers on other hosts, the DHCP service and the router")
    func whole() async throws {
        try await Stage.run { stage in
            let floating = try await stage.ports.member.make(
                "floatingip", ["floating_network_id": .string(stage.external), "port_id": .string(stage.first.id.text)])
            try await stage.pass()
            let state = try await stage.state("host-1")
            #expect(state.ports.map(\.id) == [stage.first.id.text])
            #expect(state.ports.first?.mac.description == stage.first.mac)
            #expect(state.ports.first?.fixedIPs.map(\.address.description) == stage.first.addresses.map(\.text))
            let network = try #require(state.networks.first { $0.id == stage.network })
            #expect(network.subnets.map(\.id) == [stage.subnet])
            #expect(network.service?.addresses.count == 1)
            guard case .vxlan(_, let local, let peers, let remote) = network.segment else {
                Issue.record("\(network.segment)")
                return
            }
            #expect(peers.count == 1 && peers.first != local)
            // The guest on the other host, and the DHCP port there.
            #expect(remote.count == 2 && remote.contains { $0.mac.description == stage.second.mac })
            #expect(state.networks.first { $0.id == stage.external }?.segment == .provider(bridge: "br-public"))
            let router = try #require(state.routers.first)
            #expect(router.id == stage.router && state.routers.count == 1)
            #expect(router.interfaces.map { $0.addresses.map(\.text) } == [["10.0.0.1/24"]])
            #expect(router.gateway?.nextHops.map(\.description) == ["203.0.113.1"] && router.gateway?.hasSNAT == true)
            #expect(router.floatingIPs.map(\.external.description) == [floating["floating_ip_address"]?.string])
            let other = try await stage.state("host-2")
            #expect(other.routers.isEmpty && other.ports.map(\.id) == [stage.second.id.text])
            #expect(!other.networks.contains { $0.id == stage.external })
        }
    }

    @Test("An external network without a physical network ends on the router's host, which is its gateway")
    func routed() async throws {
        try await Stage.run { stage in
            let own = try await stage.ports.admin.network("own", cidr: "172.24.4.0/24", ["router:external": true]).network
            let (network, subnet) = try await stage.ports.member.network("six", cidr: "10.6.0.0/24")
            try await stage.ports.member.make(
                "subnet",
                [
                    "network_id": .string(network), "ip_version": 6, "cidr": "2001:db8:6::/64", "ipv6_ra_mode": "slaac",
                    "ipv6_address_mode": "slaac",
                ])
            let router = try await stage.ports.member.make("router", ["external_gateway_info": ["network_id": .string(own)]]).id
            #expect(await stage.ports.member.send(.put, "/routers/\(router)/add_router_interface", ["subnet_id": .string(subnet)]).status == .ok)
            try await stage.pass()
            let state = try await stage.state("host-1")
            let gateway = InterfaceAddress(IPAddress("172.24.4.1")!, 24)
            #expect(state.networks.first { $0.id == own }?.segment == .routed(addresses: [gateway]))
            let six = state.networks.first { $0.id == network }?.subnets.first { $0.prefix.version == .v6 }
            #expect(six?.advertisement == .slaac && six?.addressing == .slaac)
        }
    }

    @Test("Ports, router ports and floating IPs are active once their host has them")
    func statuses() async throws {
        try await Stage.run { stage in
            let floating = try await stage.ports.member.make(
                "floatingip",
                ["floating_network_id": .string(stage.external), "port_id": .string(stage.first.id.text)]).id
            #expect(await stage.status("port", stage.first.id.text) == "BUILD")
            #expect(await stage.status("floatingip", floating) == "DOWN")
            try await stage.pass()
            #expect(await stage.status("port", stage.first.id.text) == "ACTIVE")
            // The router's ports got their host in this pass, and the host was told of them in it.
            for port in await stage.ports.admin.list("ports", "device_id=\(stage.router)") {
                #expect(port["status"] == "ACTIVE" && port["binding:host_id"] == "host-1")
            }
            #expect(await stage.status("floatingip", floating) == "ACTIVE")
            #expect(await stage.ports.member.list("ports", "device_owner=network:dhcp").allSatisfy { $0["status"] == "ACTIVE" })
            // A pass over a correct state writes nothing.
            let writes = stage.cloud.database.transactions
            try await stage.pass()
            #expect(stage.cloud.database.transactions == writes)
            let reply = await stage.ports.member.change("port", stage.first.id.text, ["admin_state_up": false])
            #expect(reply.status == .ok)
            try await stage.pass()
            #expect(await stage.status("port", stage.first.id.text) == "DOWN")
            #expect(await stage.ports.member.change("floatingip", floating, ["port_id": .null]).status == .ok)
            #expect(await stage.status("floatingip", floating) == "DOWN")
        }
    }

    @Test("Waiting for a server's ports ends when its host has them, and fails for now if the host is unknown")
    func wiring() async throws {
        try await Stage.run { stage in
            #expect(try await stage.cloud.cloud.networking.wiring(of: "one", on: "host-1") == .underWay)
            try await stage.keeper.wire("one", on: "host-1")
            #expect(try await stage.cloud.cloud.networking.wiring(of: "one", on: "host-1") == .done)
            #expect(try await stage.cloud.cloud.networking.wiring(of: "two", on: "host-2") == .underWay)
            try await stage.cloud.database.write { [networking = stage.cloud.cloud.networking] tx in
                try networking.bindPorts(of: "one", to: "host-2", in: tx)
            }
            // The port is not yet on its new host, and never again on the old one.
            #expect(try await stage.cloud.cloud.networking.wiring(of: "one", on: "host-2") == .underWay)
            try await stage.keeper.wire("one", on: "host-2")
            #expect(try await stage.state("host-1").ports.isEmpty)
            #expect(try await stage.state("host-2").ports.count == 2)
            let plan = try await stage.ports.plan(.automatic)
            try await stage.ports.ensure(plan, server: "three", host: "host-9")
            do {
                try await stage.keeper.wire("three", on: "host-9")
                Issue.record("a host that is not there has ports")
            } catch let error as CloudError { #expect(error.isTransient && error.kind == .unavailable) }
        }
    }

    @Test("Each commit raises the generation, and a new rule is in the next state with its group's addresses")
    func rules() async throws {
        try await Stage.run { stage in
            try await stage.pass()
            let before = try await stage.state("host-1")
            let member = stage.ports.member
            let group = try #require(await member.list("security_groups").first { $0["name"] == "default" }?.id)
            let spec = try #require(before.groups.first { $0.id == group })
            #expect(Set(spec.members.map(\.first.description)) == Set([stage.first, stage.second].flatMap { $0.addresses.map(\.text) }))
            #expect(spec.rules.filter { $0.remote == .group(group) }.count == 2)
            let list = try await member.make("address_group", ["name": "office", "addresses": ["198.51.100.0/24"]], at: "/address-groups").id
            for rule in [
                ["direction": "ingress", "protocol": "tcp", "port_range_min": 22, "port_range_max": 23, "remote_address_group_id": .string(list)],
                ["direction": "ingress", "protocol": "icmp", "ethertype": "IPv6", "port_range_min": 128],
                ["direction": "ingress", "protocol": "112", "remote_ip_prefix": "192.0.2.0/24"],
            ] as [JSONObject] {
                var rule = rule
                rule["security_group_id"] = .string(group)
                try await member.make("security_group_rule", rule)
            }
            let after = try await stage.state("host-1")
            #expect(after.generation > before.generation)
            let rules = after.groups.first { $0.id == group }?.rules ?? []
            #expect(rules.contains { $0.proto == 6 && $0.ports == PortRange(22, 23) && $0.remote == .addressGroup(list) })
            #expect(rules.contains { $0.proto == 58 && $0.icmpType == 128 && $0.version == .v6 })
            #expect(rules.contains { $0.proto == 112 && $0.ports == nil && $0.remote == .prefix(IPPrefix("192.0.2.0/24")!) })
            #expect(after.addressGroups.map(\.prefixes) == [[IPPrefix("198.51.100.0/24")!]])
            // Rules of other groups do not belong to this host's state.
            #expect(after.groups.count == 1)
        }
    }

    @Test("The number of statements for a host's state does not grow with its ports")
    func statements() async throws {
        try await Stage.run { stage in
            func cost() async throws -> (ports: Int, statements: Int) {
                try await stage.cloud.database.read { [networking = stage.cloud.cloud.networking] tx in
                    let hosts = try networking.networking.hosts.hosts(in: tx)
                    let state = try networking.state(of: try #require(hosts.first).name, among: hosts, in: tx)
                    return (state.ports.count, tx.statements)
                }
            }
            try await stage.pass()
            let before = try await cost()
            for number in 0..<20 {
                try await stage.ports.ensure(try await stage.ports.plan(.automatic), server: "more-\(number)", host: "host-1")
            }
            let after = try await cost()
            #expect(after.ports == before.ports + 20)
            #expect(after.statements == before.statements)
            #expect(after.statements < 20)
        }
    }
}

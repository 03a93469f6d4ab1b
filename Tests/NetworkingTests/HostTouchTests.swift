import CloudCore
import ControlPlane
import Durable
import HTTPKit
import HTTPTypes
import HostModel
import SQL
import TestSupport
import Testing

@testable import Networking

/// The hosts that a commit concerns: no more are computed, and no fewer.
@Suite("Hosts that a commit concerns")
struct HostTouchTests {
    @Test("After any change each host has been told the state that all rows give", arguments: [1, 2, 3] as [UInt64])
    func walk(seed: UInt64) async throws {
        try await TestCloud.run(seed: seed) {
            $0.simulate.enabled = true
            $0.simulate.hosts = 4
        } _: { cloud in
            var walk = try await HostWalk(cloud, hosts: 4, seed: seed)
            _ = try await cloud.cloud.networkKeeper.reconcile()
            for number in 0..<120 {
                let step = try await walk.step()
                _ = try await cloud.cloud.networkKeeper.reconcile()
                guard try await Self.check(cloud, "step \(number), \(step)") else { return }
            }
        }
    }

    /// Compares what hosts were told with their states, computed anew, and returns whether they are equal.
    private static func check(_ cloud: TestCloud, _ step: String) async throws -> Bool {
        let states = try await cloud.database.read { [networking = cloud.cloud.networking] tx in
            let hosts = try networking.networking.hosts.hosts(in: tx)
            return try hosts.map { ($0.name, try networking.state(of: $0.name, among: hosts, in: tx)) }
        }
        let waiting = try await cloud.database.read { tx in
            try tx.value("SELECT count(*) FROM networking_port WHERE host <> '' AND status = 'BUILD'") as Int64?
        }
        var isRight = waiting == 0
        for (name, state) in states {
            var state = state
            state.generation = 0
            if cloud.cloud.networkKeeper.told(name) != state { isRight = false }
            #expect(cloud.cloud.networkKeeper.told(name) == state, "\(name) after \(step)")
        }
        #expect(waiting == 0, "\(step)")
        return isRight && !states.isEmpty
    }

    @Test("While nothing is committed, hosts are told again from memory, a few in each look")
    func repetition() async throws {
        try await TestCloud.run(on: .sqlite) {
            $0.simulate.enabled = true
            $0.simulate.hosts = 40
        } _: { cloud in
            let keeper = cloud.cloud.networkKeeper
            _ = try await keeper.reconcile()
            // The hosts report all the while: one that was silent counts as one that came back.
            for _ in 0..<6 {
                cloud.clock.advance(by: .seconds(11))
                await cloud.cloud.fleet.ask()
            }
            let before = cloud.database.statements
            var told: [Int] = []
            for _ in 0..<4 { told.append(try await keeper.reconcile().examined) }
            #expect(told == [16, 16, 8, 0])
            #expect(cloud.database.statements == before)
        }
    }

    // MARK: Costs

    /// A count of what the keeper does after a change.
    private struct Cost: Equatable {
        var hosts = 0
        var statements = 0
    }

    /// A cloud whose hosts 1 to 4 have the ports of one network. Two groups have members on hosts 1 and 2.
    private struct Stage {
        let cloud: TestCloud
        let admin: NetworkingClient
        let member: NetworkingClient
        let project: String
        let external: String
        let network: String
        /// A group without a rule that names a group.
        let plain: String
        /// A group whose members a rule of `plain` allows.
        let remote: String

        init(_ cloud: TestCloud, ports: Int) async throws {
            let stage = try await ServerPortTests.Stage(cloud)
            self.cloud = cloud
            (admin, member) = (stage.admin, stage.member)
            project = stage.caller.projectID?.text ?? ""
            let quota = await admin.send(.put, "/quotas/\(project)", ["quota": ["port": -1, "security_group_rule": -1]])
            try #require(quota.status == .ok)
            external = try await admin.network("external", cidr: "203.0.113.0/24", ["router:external": true]).network
            let (network, subnet) = try await member.network("private", cidr: "10.0.0.0/16")
            self.network = network
            let gateway: JSON = ["network_id": .string(external)]
            let router = try await member.make("router", ["external_gateway_info": gateway]).id
            let path = "/routers/\(router)/add_router_interface"
            try #require(await member.send(.put, path, ["subnet_id": .string(subnet)]).status == .ok)
            plain = try await member.make("security_group", ["name": "plain"]).id
            remote = try await member.make("security_group", ["name": "remote"]).id
            for first in stride(from: 0, to: ports, by: 50) {
                let some = (first..<min(first + 50, ports)).map { port(on: "host-\($0 % 4 + 1)", [remote]) }
                let made = await admin.send(.post, "/ports", ["ports": .array(some)])
                try #require(made.status == .created, "\(made.text)")
            }
            for number in 1...2 {
                _ = try await admin.make("port", port(on: "host-\(number)", [plain]).object ?? [:])
            }
            _ = try await cost {}
        }

        func port(on host: String, _ groups: [String]) -> JSON {
            [
                "network_id": .string(network), "project_id": .string(project), "binding:host_id": .string(host),
                "device_owner": "compute:nova", "security_groups": .array(groups.map(JSON.string)),
            ]
        }

        func rule(_ more: JSONObject) async throws {
            var rule: JSONObject = ["security_group_id": .string(plain), "direction": "ingress", "protocol": "tcp"]
            for (key, value) in more.members { rule[key] = value }
            try await member.make("security_group_rule", rule)
        }

        func cost(_ change: () async throws -> Void) async throws -> Cost {
            try await change()
            let before = cloud.database.statements
            let report = try await cloud.cloud.networkKeeper.reconcile()
            #expect(report.problems.isEmpty)
            return Cost(hosts: report.examined, statements: cloud.database.statements - before)
        }
    }

    /// Returns the costs of each kind of change, by name.
    private static func costs(hosts: Int, ports: Int) async throws -> [String: Cost] {
        try await TestCloud.run {
            $0.simulate.enabled = true
            $0.simulate.hosts = hosts
        } _: { cloud in
            let stage = try await Stage(cloud, ports: ports)
            var costs: [String: Cost] = [:]
            costs["nothing"] = try await stage.cost {}
            var made = ""
            costs["a port"] = try await stage.cost {
                made = try await stage.admin.make("port", stage.port(on: "host-3", []).object ?? [:]).id
            }
            costs["a port's name"] = try await stage.cost {
                _ = await stage.admin.change("port", made, ["name": "other"])
            }
            costs["a rule"] = try await stage.cost {
                try await stage.rule(["port_range_min": 22, "port_range_max": 22])
            }
            costs["a floating IP"] = try await stage.cost {
                try await stage.member.make(
                    "floatingip", ["floating_network_id": .string(stage.external), "port_id": .string(made)])
            }
            costs["a member nobody names"] = try await stage.cost {
                _ = await stage.admin.change("port", made, ["security_groups": [.string(stage.remote)]])
            }
            costs["a rule for a group"] = try await stage.cost {
                try await stage.rule(["remote_group_id": .string(stage.remote)])
            }
            // The port has no host itself.
            costs["a member of a group that is named"] = try await stage.cost {
                let port = stage.port(on: "", [stage.remote]).object ?? [:]
                _ = try await stage.admin.make("port", port)
            }
            return costs
        }
    }

    @Test("A change costs as much in a cloud of 500 hosts with 1,000 ports as in one of 10 hosts with 10 ports")
    func cost() async throws {
        let small = try await Self.costs(hosts: 10, ports: 10)
        let large = try await Self.costs(hosts: 500, ports: 1000)
        for (change, cost) in small { #expect(large[change] == cost, "\(change)") }
        #expect(small["nothing"] == Cost())
        let hosts = small.mapValues(\.hosts)
        // A new port's address and MAC address are known on each host of its network.
        #expect(hosts["a port"] == 4)
        #expect(hosts["a port's name"] == 1)
        #expect(hosts["a rule"] == 2)
        #expect(hosts["a floating IP"] == 1)
        #expect(hosts["a member nobody names"] == 1)
        #expect(hosts["a rule for a group"] == 2)
        #expect(hosts["a member of a group that is named"] == 2)
    }
}

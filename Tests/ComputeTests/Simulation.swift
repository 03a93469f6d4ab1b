import CloudCore
@testable import Compute
import ControlPlane
import Durable
import HTTPTypes
import SQL
import Synchronization
import TestSupport
import Testing

/// A cloud of simulated hosts under operations drawn from a seed, through its API: faults of machines, hosts that are cut off, guests
/// that stop by themselves, and processes that die in the middle of a step and are started again.
///
/// When all has settled, what the API says, the claims, the ports and the machines must tell one story.
final class Simulation {
    struct Broken: Error, CustomStringConvertible { let description: String }

    private var cloud: TestCloud
    private var client: ComputeClient
    private var random: SplitMix64
    private let dice: Dice
    private let seed: UInt64
    private var image = ""
    private var network = ""
    private var cut: Set<String> = []
    private var starts: UInt64 = 1
    /// What was done so far, by name: shown with a failure, and that something was done at all is a test of the test.
    private(set) var counts: [String: Int] = [:]
    private let hosts: Int

    /// Faults of workflows, drawn while `isOn`.
    private final class Dice: Sendable {
        private let random: Mutex<SplitMix64>
        private let isOn = Mutex(false)

        init(seed: UInt64) { random = Mutex(SplitMix64(seed: seed)) }

        func set(_ on: Bool) { isOn.withLock { $0 = on } }

        var plan: FaultPlan {
            FaultPlan { [self] place in
                guard isOn.withLock({ $0 }), draw() % 150 == 0 else { return nil }
                var error = CloudError(.unavailable, "Drawn from a seed.")
                error.isTransient = draw() % 4 != 0
                switch place.moment {
                case .beforeStart, .afterStart, .afterOutcome: return .crash
                case .body: return draw().isMultiple(of: 2) ? .twice : .fail(error)
                case .afterBody: return draw().isMultiple(of: 2) ? .crash : .fail(error)
                case .startRecord, .outcomeRecord, .renewal: return nil
                }
            }
        }

        private func draw() -> UInt64 { random.withLock { $0.next() } }
    }

    private init(_ cloud: TestCloud, hosts: Int, seed: UInt64) async throws {
        self.cloud = cloud
        self.seed = seed
        self.hosts = hosts
        random = SplitMix64(seed: seed)
        dice = Dice(seed: seed ^ 0xd1ce)
        client = try await ComputeClient(cloud)
    }

    /// - Returns: what was done, by name.
    static func run(seed: UInt64, hosts: Int, operations: Int) async throws -> [String: Int] {
        try await TestCloud.run({ $0.simulate.enabled = true; $0.simulate.hosts = hosts }) { cloud in
            let simulation = try await Simulation(cloud, hosts: hosts, seed: seed)
            do {
                try await simulation.prepare()
                try await simulation.go(operations)
            } catch {
                throw Broken(description: "seed \(seed): \(error)\nafter \(simulation.counts)")
            }
            return simulation.counts
        }
    }

    private func pick<T>(_ list: [T]) -> T? { list.isEmpty ? nil : list[Int(random.next() % UInt64(list.count))] }
    private func chance(_ one: UInt64, in many: UInt64) -> Bool { random.next() % many < one }
    private func count(_ name: String) { counts[name, default: 0] += 1 }

    // MARK: Calls

    @discardableResult
    private func call(_ method: HTTPRequest.Method, _ path: String, _ body: JSON? = nil) async throws -> TestCloud.Response {
        let reply = await client.send(method, path, body)
        // A host that is cut off makes a console unavailable; nothing makes a fault of the cloud's own.
        guard reply.status.code < 500 || reply.status.code == 503 else {
            throw Broken(description: "\(method) \(path) \(body?.text ?? ""): \(reply.status) \(reply.text)")
        }
        return reply
    }

    private func prepare() async throws {
        for (name, ram, vcpus) in [("small", 512, 1), ("large", 4096, 4), ("wide", 30_000, 8)] as [(String, Int64, Int64)] {
            await client.flavor(name, ram: ram, vcpus: vcpus)
        }
        func made(_ path: String, _ body: JSON) async throws -> JSON {
            let reply = await cloud.send(.post, path, token: client.token, json: body)
            guard reply.status.code < 300 else { throw Broken(description: "\(path): \(reply.text)") }
            return reply.json
        }
        image = try await made("/image/v2/images", ["name": "disk", "disk_format": "raw", "container_format": "bare"])["id"]?.string ?? ""
        _ = await cloud.send(
            .put, "/image/v2/images/\(image)/file", token: client.token, bytes: [UInt8](repeating: 0, count: 512),
            type: "application/octet-stream")
        network = try await made("/network/v2.0/networks", ["network": ["name": "n"]])["network"]?["id"]?.string ?? ""
        _ = try await made(
            "/network/v2.0/subnets", ["subnet": ["network_id": .string(network), "ip_version": 4, "cidr": "10.0.0.0/20"]])
        let limits: JSON = ["instances": 60, "cores": 160, "ram": 400_000]
        try await call(.put, "/os-quota-class-sets/default", ["quota_class_set": limits])
        try await restart("the first start with faults")
    }

    // MARK: Operations

    private func go(_ operations: Int) async throws {
        dice.set(true)
        for number in 1...operations {
            try await operate()
            if number.isMultiple(of: 100) { client = try await ComputeClient(cloud) }
            if number.isMultiple(of: 1000) { try await check("after \(number) operations") }
        }
        try await check("at the end")
        for id in try await servers().map(\.id) { try await call(.delete, "/servers/\(id)") }
        try await check("when all are deleted")
        guard try await servers().isEmpty else { throw Broken(description: "servers that cannot be deleted") }
    }

    private func operate() async throws {
        switch random.next() % 100 {
        case 0..<16: try await create()
        case 16..<26: try await delete()
        case 26..<60: try await act()
        case 60..<66: try await plug()
        case 66..<90: try await work()
        case 90..<93:
            cloud.clock.advance(by: .seconds(Int64(random.next() % 20)))
            count("time")
        case 93..<95: try await cutOrJoin()
        case 95..<97: try await stopGuest()
        case 97: try await read()
        case 98: if chance(1, in: 5) { try await restart("restart") }
        default: try await cloud.cloud.look()
        }
    }

    private func create() async throws {
        var server: JSONObject = [
            "name": .string("s\(counts["create", default: 0])"), "imageRef": .string(image), "flavorRef": .string(pick(["small", "large", "wide"]) ?? ""),
            "networks": chance(1, in: 4) ? "none" : [["uuid": .string(network)]],
        ]
        if chance(1, in: 8) { (server["min_count"], server["max_count"]) = (1, 3) }
        if chance(1, in: 10) {
            server["metadata"] = ["simulate:fault": .string(pick(["boot-fails", "crashes", "agent-lost", "snapshot-fails", "lost-event"]) ?? "")]
        }
        count(try await call(.post, "/servers", ["server": .object(server)]).status.code < 300 ? "create" : "create refused")
    }

    private func anyServer() async throws -> String? { pick(try await servers().map(\.id.text)) }

    private func delete() async throws {
        guard let id = try await anyServer() else { return }
        count(try await call(.delete, "/servers/\(id)").status.code < 300 ? "delete" : "delete refused")
    }

    private func act() async throws {
        guard let id = try await anyServer() else { return }
        let actions: [JSON] = [
            ["os-stop": nil], ["os-start": nil], ["reboot": ["type": "SOFT"]], ["reboot": ["type": "HARD"]], ["pause": nil], ["unpause": nil],
            ["suspend": nil], ["resume": nil], ["resize": ["flavorRef": "small"]], ["resize": ["flavorRef": "large"]],
            ["resize": ["flavorRef": "wide"]], ["confirmResize": nil], ["revertResize": nil], ["rebuild": ["imageRef": .string(image)]],
            ["createBackup": ["name": "b", "backup_type": "daily", "rotation": 1]], ["os-getConsoleOutput": [:]],
        ]
        guard let action = pick(actions), let name = action.object?.keys.first else { return }
        let status = try await call(.post, "/servers/\(id)/action", action).status.code
        count(status < 300 ? name : "\(name) refused")
    }

    private func plug() async throws {
        guard let id = try await anyServer() else { return }
        let path = "/servers/\(id)/os-interface"
        if chance(1, in: 2) {
            let reply = try await call(.post, path, ["interfaceAttachment": ["net_id": .string(network)]])
            count(reply.status.code < 300 ? "attach" : "attach refused")
        } else if let port = pick(try await call(.get, path).json["interfaceAttachments"]?.array ?? [])?["port_id"]?.string {
            count(try await call(.delete, "\(path)/\(port)").status.code < 300 ? "detach" : "detach refused")
        }
    }

    /// Carries out some of what is due. A crash on the way is the end of the process, and another begins.
    private func work() async throws {
        do {
            for _ in 0..<(random.next() % 12) { if try await !cloud.cloud.runner.runDue() { break } }
        } catch is SimulatedCrash {
            try await restart("crash")
        }
    }

    private func cutOrJoin() async throws {
        let name = "host-\(random.next() % UInt64(hosts) + 1)"
        if cut.remove(name) == nil, cut.count < hosts / 5 { cut.insert(name) }
        cloud.cloud.fleet.setCut(cut.contains(name), name)
        count("cut or joined")
    }

    private func stopGuest() async throws {
        guard let machine = pick(cloud.cloud.fleet.simulatedMachines) else { return }
        try cloud.cloud.fleet.guestStops(machine.id, on: machine.host, crashing: chance(1, in: 3))
        count("guest stopped")
    }

    private func read() async throws {
        for path in ["/servers/detail?limit=5&sort_key=display_name", "/os-hypervisors/detail", "/limits"] { try await call(.get, path) }
    }

    private func restart(_ why: String) async throws {
        starts += 1
        cloud = try await cloud.restarted(seed: seed &+ starts &* 7919, faults: dice.plan)
        for name in cut { cloud.cloud.fleet.setCut(true, name) }
        client = try await ComputeClient(cloud)
        count(why)
    }

    // MARK: The story

    private func servers() async throws -> [Server] {
        try await cloud.database.read { tx in try ServerStore().list(.init(), in: tx) }
    }

    private func settle() async throws {
        dice.set(false)
        for name in cut { cloud.cloud.fleet.setCut(false, name) }
        cut = []
        for _ in 0..<20_000 {
            if try await cloud.cloud.runner.runDue() { continue }
            guard let next = try await cloud.cloud.runner.claims.nextDue() else { break }
            cloud.clock.set(next)
        }
        // What guests did by themselves is seen when hosts are asked.
        cloud.clock.advance(by: .seconds(90))
        try await cloud.cloud.look()
        client = try await ComputeClient(cloud)
    }

    private func check(_ when: String) async throws {
        try await settle()
        let servers = try await servers()
        var wrong = try await rows(servers)
        wrong += machines(servers)
        wrong += try await answers(servers)
        guard wrong.isEmpty else { throw Broken(description: "\(when): \(wrong.count) wrong:\n" + wrong.prefix(20).joined(separator: "\n")) }
        count("checked")
        dice.set(true)
    }

    /// No workflow goes on; each claim and each port has a server, and each server the claims that it must have.
    private func rows(_ servers: [Server]) async throws -> [String] {
        typealias Found = (open: [String], claims: [String: [String: Int64]], places: [String: Set<String>], owners: Set<String>)
        let found = try await cloud.database.read { tx -> Found in
            var claims: [String: [String: Int64]] = [:]
            var places: [String: Set<String>] = [:]
            for row in try tx.rows("SELECT consumer_id, provider_id, resource_class, used FROM placement_allocation") {
                let consumer: String = try row.value(at: 0)
                claims[consumer, default: [:]][try row.value(at: 2)] = try row.value(at: 3) as Int64
                places[consumer, default: []].insert(try row.value(at: 1))
            }
            return (
                try tx.rows("SELECT kind, status, direction, step, coalesce(reason, failure), attempt FROM workflow WHERE finished_at IS NULL").map { row in
                    let words: [String] = try (0..<4).map { try row.value(at: $0) as String? ?? "-" }
                    return "\(words.joined(separator: " ")), attempt \(try row.value(at: 5) as Int64): \(try row.value(at: 4) as String? ?? "")"
                }, claims, places,
                Set(try tx.rows("SELECT device_id FROM networking_port WHERE device_owner LIKE 'compute:%'").map { try $0.value(at: 0) })
            )
        }
        var wrong = found.open
        var claims = found.claims
        for server in servers {
            func expect(_ consumer: String, _ flavor: Flavor) {
                let amounts = claims.removeValue(forKey: consumer)
                if amounts?["VCPU"] != Int64(flavor.vcpus) || amounts?["MEMORY_MB"] != Int64(flavor.ramMiB) || found.places[consumer]?.count != 1 {
                    wrong.append("\(server.id) \(server.state) of flavor \(flavor.id) has the claim \(String(describing: amounts))")
                }
            }
            if server.host != nil { expect(server.id.text, server.flavor) }
            if let former = server.former { expect(Server.formerConsumer(of: server.id), former.flavor) }
        }
        wrong += claims.keys.map { "nobody's claim: \($0)" }
        wrong += found.owners.subtracting(servers.map(\.id.text)).map { "a port of no server: \($0)" }
        return wrong
    }

    /// Each server with a host has its machine there, as it is shown; and there is no other machine.
    private func machines(_ servers: [Server]) -> [String] {
        var wrong: [String] = []
        var machines = Dictionary(grouping: cloud.cloud.fleet.simulatedMachines, by: \.id)
        for server in servers {
            let found = machines.removeValue(forKey: server.id.text) ?? []
            guard let host = server.host else {
                if !found.isEmpty { wrong.append("\(server.id) has no host and a machine on \(found[0].host)") }
                continue
            }
            guard found.count == 1, found[0].host == host else {
                wrong.append("\(server.id) \(server.state) should be on \(host) and is on \(found.map(\.host))")
                continue
            }
            let powers: [VMState: Set<String>] = [.active: ["running"], .stopped: ["off", "crashed"], .paused: ["paused"], .suspended: ["suspended"]]
            if let allowed = powers[server.state], !allowed.contains(found[0].power) {
                wrong.append("\(server.id) is shown \(server.state) and its machine is \(found[0].power)")
            }
            if server.state != .error, found[0].memoryMiB != server.flavor.ramMiB {
                wrong.append("\(server.id) \(server.state) has \(server.flavor.ramMiB) MiB and its machine \(found[0].memoryMiB)")
            }
        }
        wrong += machines.values.joined().map { "a machine of no server: \($0.id) on \($0.host)" }
        let copies = cloud.cloud.fleet.simulatedCopies
        return wrong + copies.map { "a copy of a disk that nobody wants: \($0.id) on \($0.host)" }
    }

    /// What users see.
    private func answers(_ servers: [Server]) async throws -> [String] {
        var wrong: [String] = []
        let shown = try await call(.get, "/servers/detail").json["servers"]?.array ?? []
        if shown.count != servers.count { wrong.append("\(shown.count) servers are listed and \(servers.count) are there") }
        let lasting: Set<String> = ["ACTIVE", "SHUTOFF", "PAUSED", "SUSPENDED", "VERIFY_RESIZE", "ERROR"]
        for server in shown {
            let status = server["status"]?.string ?? ""
            if !lasting.contains(status) || server["OS-EXT-STS:task_state"] != .null { wrong.append("\(server["id"]?.text ?? "") rests in \(status)") }
        }
        let limits = try await call(.get, "/limits").json["limits"]?["absolute"]
        if limits?["totalInstancesUsed"] != .integer(Int64(servers.count)) || limits?["totalCoresUsed"] != .integer(Int64(servers.map(\.flavor.vcpus).reduce(0, +))) {
            wrong.append("quotas: \(limits?.text ?? "") for \(servers.count) servers")
        }
        return wrong
    }
}

@Suite("A whole cloud under operations drawn from a seed")
struct SimulationTests {
    /// `NOVELLA_SIMULATION_OPERATIONS=10000` for the full run; `NOVELLA_SIMULATION_SEED` for one that failed.
    private static let operations = TestSettings.number("NOVELLA_SIMULATION_OPERATIONS").map(Int.init) ?? 600

    @Test("What the API says, claims, ports and machines tell one story, whatever happened", arguments: [1, TestSettings.freshSeed])
    func story(seed: UInt64) async throws {
        print("the simulation's seed is \(seed)")
        let done = try await Simulation.run(seed: seed, hosts: 50, operations: Self.operations)
        print("seed \(seed): \(done.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))")
        #expect(done["create", default: 0] > 10 && done["checked", default: 0] > 1)
    }
}

import CloudCore
@testable import Compute
import ControlPlane
import Durable
import HTTPTypes
import SQL
import Synchronization
import TestSupport
import Testing

/// A cloud of simulated hosts under random operations through its API. Machines fail, hosts are cut off, guests stop by
/// themselves, and processes die in the middle of a step and are started again.
final class Simulation {
    struct Broken: Error, CustomStringConvertible { let description: String }

    var cloud: TestCloud
    var client: ComputeClient
    private var random: SplitMix64
    let dice: Dice
    private let seed: UInt64
    private var image = ""
    private var network = ""
    var cut: Set<String> = []
    /// The names of the hosts that an operator has given up.
    var givenUp: Set<String> = []
    private var starts: UInt64 = 1
    /// The number of operations so far, by name. It is shown with a failure, and a test checks that enough was done.
    private(set) var counts: [String: Int] = [:]
    private let hosts: Int

    /// Random faults of workflows while `isOn`.
    final class Dice: Sendable {
        private let random: Mutex<SplitMix64>
        private let isOn = Mutex(false)

        init(seed: UInt64) { random = Mutex(SplitMix64(seed: seed)) }

        func set(_ on: Bool) { isOn.withLock { $0 = on } }

        var plan: FaultPlan {
            FaultPlan(allowsChains: true) { [self] place in
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

    /// Runs a simulation.
    ///
    /// - Returns: the number of operations, by name.
    static func run(seed: UInt64, hosts: Int, operations: Int) async throws -> [String: Int] {
        let settings: @Sendable (inout Configuration) -> Void = {
            $0.simulate.enabled = true
            $0.simulate.hosts = hosts
            $0.compute.shelvedOffloadTime = seed.isMultiple(of: 2) ? 0 : -1
        }
        return try await TestCloud.run(settings) { cloud in
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
    func count(_ name: String) { counts[name, default: 0] += 1 }

    // MARK: Calls

    @discardableResult
    func call(_ method: HTTPRequest.Method, _ path: String, _ body: JSON? = nil) async throws -> TestCloud.Response {
        let reply = await client.send(method, path, body)
        // A console is unavailable (503) while its host is cut off. Nothing may cause another 5xx.
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
        case 95 where chance(1, in: 2): try await evacuate()
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
        guard let server = pick(try await servers()) else { return }
        let id = server.id
        // Half of all actions suit the state of the server, so that long sequences of states are reached.
        let actions = Self.actions(image, from: chance(1, in: 2) ? server.state : nil)
        guard let action = pick(actions), let name = action.object?.keys.first else { return }
        let status = try await call(.post, "/servers/\(id)/action", action).status.code
        count(status < 300 ? name : "\(name) refused")
    }

    /// The actions that have operations of their own.
    private static let elsewhere: Set<String> = ["evacuate", "forceDelete"]

    /// Returns the bodies of actions: of all that start a workflow, or of those that a server in this state takes.
    private static func actions(_ image: String, from state: VMState?) -> [JSON] {
        let values: [String: [JSON]] = [
            "reboot": [["type": "SOFT"], ["type": "HARD"]], "rebuild": [["imageRef": .string(image)]],
            "resize": [["flavorRef": "small"], ["flavorRef": "large"], ["flavorRef": "wide"]],
            "os-getConsoleOutput": [[:]], "createImage": [["name": "i"]], "createBackup": [["name": "b", "backup_type": "daily", "rotation": 1]],
            "os-migrateLive": [["host": nil, "block_migration": "auto"]],
        ]
        let table = ServerAction.all.filter { action in
            if action.works.isEmpty { return action.word == "os-getConsoleOutput" }
            let fits = action.works.contains { work in state.map(work.states.contains) ?? true }
            return fits && !elsewhere.contains(action.word)
        }
        return table.flatMap { action in (values[action.word] ?? [nil]).map { .object([action.word: $0]) } }
    }

    private func plug() async throws {
        guard let id = try await anyServer() else { return }
        let path = "/servers/\(id)/os-interface"
        if chance(1, in: 2) {
            try await attach(path)
        } else if let port = pick(try await call(.get, path).json["interfaceAttachments"]?.array ?? [])?["port_id"]?.string {
            count(try await call(.delete, "\(path)/\(port)").status.code < 300 ? "detach" : "detach refused")
        }
    }

    /// Attaches an interface, and waits until it is there. A crash on the way ends the request too.
    private func attach(_ path: String) async throws {
        let (client, network) = (client, network)
        do {
            let reply = try await cloud.whileWorking {
                await client.send(.post, path, ["interfaceAttachment": ["net_id": .string(network)]])
            }
            guard reply.status.code < 500 || reply.status.code == 503 else { throw Broken(description: "POST \(path): \(reply.text)") }
            count(reply.status.code < 300 ? "attach" : "attach refused")
        } catch is SimulatedCrash {
            try await restart("crash")
        }
    }

    /// Runs some of what is due. A crash ends the process, and another one starts.
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
        if !cut.contains(name), givenUp.remove(name) != nil { try await giveUp(name, false) }
        count("cut or joined")
    }

    func giveUp(_ name: String, _ isDown: Bool) async throws {
        let services = try await call(.get, "/os-services").json["services"]?.array ?? []
        guard let id = services.first(where: { $0["host"]?.string == name })?["id"]?.string else { return }
        try await call(.put, "/os-services/\(id)", ["forced_down": .bool(isDown)])
    }

    /// Gives up a host that is cut off, as an operator does, and evacuates its servers.
    private func evacuate() async throws {
        let candidates = try await servers().filter { [.active, .stopped].contains($0.state) }.compactMap(\.host)
        guard cut.count < hosts / 5, let name = pick(candidates) else { return }
        cut.insert(name)
        cloud.cloud.fleet.setCut(true, name)
        if givenUp.insert(name).inserted { try await giveUp(name, true) }
        for server in try await servers() where server.host == name {
            let status = try await call(.post, "/servers/\(server.id)/action", ["evacuate": [:]]).status.code
            count(status < 300 ? "evacuate" : "evacuate refused")
        }
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
}

@Suite("A whole cloud under random operations")
struct SimulationTests {
    /// The number of operations: `make test` sets `NOVELLA_SIMULATION_OPERATIONS=10000`. `NOVELLA_SIMULATION_SEED`
    /// repeats a seed that failed.
    private static let operations = TestSettings.number("NOVELLA_SIMULATION_OPERATIONS").map(Int.init) ?? 600
    /// The number of hosts: `make test-all` sets `NOVELLA_SIMULATION_HOSTS=2000` besides, with fewer operations.
    private static let hosts = TestSettings.number("NOVELLA_SIMULATION_HOSTS").map(Int.init) ?? 50

    @Test("The API, the claims, the ports and the machines agree after random operations and faults", arguments: [1, TestSettings.freshSeed])
    func story(seed: UInt64) async throws {
        print("the simulation's seed is \(seed)")
        let done = try await Simulation.run(seed: seed, hosts: Self.hosts, operations: Self.operations)
        print("seed \(seed): \(done.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))")
        #expect(done["create", default: 0] > 10 && done["checked", default: 0] > 1)
    }
}

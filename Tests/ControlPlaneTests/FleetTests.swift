import CloudCore
@testable import Compute
import ControlPlane
import HTTPTypes
import HostModel
import Logging
import TestSupport
import Testing

@Suite("The fleet of hosts")
struct FleetTests {
    private static let id: MachineID = "11111111-2222-4333-8444-555555555555"
    private static let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private struct Stage {
        let clock = ManualClock()
        let fleet: Fleet
        let hosts: HostsForCompute
        let machines: MachinesForCompute

        init(hosts count: Int = 2) throws {
            let world = World.test(clock: clock)
            fleet = try Fleet(simulating: count, world: world, log: FleetTests.log)
            hosts = HostsForCompute(fleet: fleet, world: world)
            machines = MachinesForCompute(fleet: fleet)
        }

        func ensure(_ intent: Intent, diskRevision: Int64? = nil, on host: String, fence: Fence) async throws {
            let spec = try await MachineBlueprint(
                intent: intent, present: try await machines.wanted(FleetTests.id, on: host), diskRevision: diskRevision,
                image: { try Self.image($0) }, boot: { _ in .disk },
                connect: { throw CloudError.notFound("volume", $0.volumeID.text) },
                configDrives: .bare
            ).spec()
            try await machines.ensure(spec, on: host, fence: fence)
        }

        private static func image(_ id: ID<Kind.Image>) throws -> MachineImage {
            guard id != "gone" else { throw CloudError.notFound("image", id.text) }
            return try MachineImage(
                content: String(repeating: id == "other" ? "b" : "a", count: 128), format: "qcow2", virtualBytes: 2 << 30)
        }
    }

    private func intent(_ change: (inout Intent) -> Void = { _ in }) -> Intent {
        let now = Timestamp(seconds: 0)
        let flavor = Flavor(
            number: 1, id: "f", name: "f", ramMiB: 512, vcpus: 2, diskGiB: 3, ephemeralGiB: 1, swapMiB: 64, rxtxFactor: 1, isPublic: true,
            createdAt: now)
        var server = Server(
            id: Self.id, number: 1, projectID: "p", userID: "u", name: "one", hostname: "one", flavor: flavor, reservationID: "r",
            createdAt: now, updatedAt: now)
        (server.image, server.hasConfigDrive) = (.init(id: "image", properties: [:]), true)
        var intent = Intent(server: server, ports: [port("44444444-4444-4444-8444-444444444444")])
        change(&intent)
        return intent
    }

    private func port(_ id: ID<Kind.Port>) -> ServerPort {
        ServerPort(id: id, network: "n", networkName: "n", mac: "FA:16:3E:00:00:\(id.text.prefix(2))")
    }

    private func fence(_ generation: Int64, epoch: Int64 = 1) -> Fence { Fence(epoch: epoch, generation: generation) }

    @Test("A start asks the first hosts, and the others report once they are kept")
    func firstHosts() async throws {
        let stage = try Stage(hosts: 30)
        await stage.fleet.beginKeeping(asking: 10)
        #expect(try await stage.hosts.reports().map(\.name) == (1...10).map { "host-\($0)" })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await stage.fleet.run() }
            try await eventually("all have reported") { try await stage.hosts.reports().count == 30 }
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    @Test("Hosts report their resources; a host that is cut off is down after a while, and up when it answers again")
    func reports() async throws {
        let stage = try Stage(hosts: 3)
        let first = try await stage.hosts.reports()
        #expect(first.map(\.name) == ["host-1", "host-2", "host-3"] && first.allSatisfy { $0.isUp && $0.vcpus == 16 && $0.diskGiB == 1024 })
        #expect(Set(first.map(\.id)).count == 3)
        stage.fleet.setCut(true, "host-2")
        stage.clock.advance(by: .seconds(30))
        #expect(try await stage.hosts.reports().map(\.isUp) == [true, true, true])
        stage.clock.advance(by: .seconds(60))
        let later = try await stage.hosts.reports()
        #expect(later.map(\.isUp) == [true, false, true] && later[1].lastSeen == first[1].lastSeen)
        await #expect { try await stage.ensure(intent(), on: "host-2", fence: fence(1)) } throws: {
            ($0 as? CloudError)?.isTransient == true
        }
        stage.fleet.setCut(false, "host-2")
        #expect(try await stage.hosts.reports().map(\.isUp) == [true, true, true])
        await #expect { try await stage.ensure(intent(), on: "nowhere", fence: fence(1)) } throws: {
            ($0 as? CloudError)?.kind == .unavailable
        }
    }

    @Test("What is wanted becomes a machine with its disks and cards, and the machine obeys commands")
    func commands() async throws {
        let stage = try Stage()
        try await stage.ensure(intent(), on: "host-1", fence: fence(1))
        let machine = try #require(stage.fleet.simulatedMachines.first)
        #expect(machine.disks == ["root of aaaaaaaa", "ephemeral0", "swap", "config"] && machine.power == "off" && machine.memoryMiB == 512)
        var generation: Int64 = 1
        func make(_ power: WantedPower) async throws -> PowerState {
            generation += 1
            return try await stage.machines.setPower(power, of: Self.id, on: "host-1", fence: fence(generation))
        }
        #expect(try await make(.running) == .running)
        #expect(try await make(.paused) == .paused)
        #expect(try await make(.running) == .running)
        #expect(try await make(.suspended) == .suspended)
        #expect(try await make(.running) == .running)
        generation += 1
        for _ in 0..<2 {
            #expect(try await stage.machines.reboot(Self.id, .soft, on: "host-1", fence: fence(generation)) == .running)
        }
        #expect(stage.fleet.simulatedMachines.first?.boots == 2, "the same request again is no other reboot")
        #expect(try await make(.off(graceSeconds: 5)) == .off)
        generation += 1
        #expect(try await stage.machines.reboot(Self.id, .hard, on: "host-1", fence: fence(generation)) == .running)
        await #expect { try await stage.machines.setPower(.running, of: Self.id, on: "host-1", fence: fence(1)) } throws: {
            ($0 as? CloudError)?.code == "stale_change"
        }
        let text = try await stage.machines.consoleOutput(Self.id, on: "host-1", lines: 10)
        #expect(text.utf8.count { $0 == 10 } == 9)
        #expect(try await stage.machines.consoleOutput(Self.id, on: "host-1", lines: nil).count > text.count)
        let named = try await stage.machines.diagnostics(Self.id, on: "host-1", isUniform: false)
        #expect(named["vdd_errors"] == -1 && named["cpu1_time"]?.integer != nil && named["num_cpus"] == nil)
        let numbers = try await stage.machines.diagnostics(Self.id, on: "host-1", isUniform: true)
        #expect(numbers["num_cpus"] == 2 && numbers["num_disks"] == 4 && numbers["config_drive"] == true && numbers["state"] == "running")
        await #expect { try await stage.machines.setPassword(Secret("x"), of: Self.id, on: "host-1", fence: fence(1)) } throws: {
            ($0 as? CloudError)?.kind == .conflict
        }
        try await stage.machines.remove(Self.id, on: "host-1", fence: fence(generation + 1))
        #expect(stage.fleet.simulatedMachines.isEmpty)
        await #expect { _ = try await stage.machines.consoleOutput(Self.id, on: "host-1", lines: nil) } throws: {
            ($0 as? CloudError)?.kind == .notFound
        }
    }

    @Test("A root disk keeps its content and never shrinks, even without its image; a rebuild replaces it")
    func rootDisk() async throws {
        let stage = try Stage()
        try await stage.ensure(intent(), on: "host-1", fence: fence(1))
        try await stage.ensure(
            intent { intent in
                intent.server.image?.id = "gone"
                (intent.server.flavor.diskGiB, intent.server.flavor.ramMiB) = (1, 1024)
            }, on: "host-1", fence: fence(2))
        #expect(stage.fleet.simulatedMachines.map(\.memoryMiB) == [1024])
        #expect(stage.fleet.simulatedMachines.first?.disks.first == "root of aaaaaaaa")
        for _ in 0..<2 {
            try await stage.ensure(intent { $0.server.image?.id = "other" }, diskRevision: 3, on: "host-1", fence: fence(3))
            #expect(stage.fleet.simulatedMachines.first?.disks.first == "root-3 of bbbbbbbb")
        }
        try await stage.ensure(intent(), on: "host-1", fence: fence(4))
        #expect(stage.fleet.simulatedMachines.first?.disks.first == "root-3 of bbbbbbbb")
        await #expect { try await stage.ensure(intent { $0.server.flavor.diskGiB = 1 }, on: "host-2", fence: fence(1)) } throws: {
            ($0 as? CloudError)?.kind == .badRequest
        }
    }

    @Test("A running machine gains and loses cards, and a snapshot of its disk can be read")
    func cardsAndCopies() async throws {
        let stage = try Stage()
        try await stage.ensure(intent(), on: "host-1", fence: fence(1))
        try await stage.machines.setPower(.running, of: Self.id, on: "host-1", fence: fence(1))
        let other = port("55555555-4444-4444-8444-444444444444")
        try await stage.ensure(intent { $0.ports.append(other) }, on: "host-1", fence: fence(2))
        #expect(stage.fleet.simulatedMachines.first?.ports.count == 2)
        try await stage.ensure(intent { $0.ports = [other] }, on: "host-1", fence: fence(3))
        #expect(stage.fleet.simulatedMachines.first?.ports == [other.id.text] && stage.fleet.simulatedMachines.first?.boots == 1)
        let copy: ID<Kind.Image> = "99999999-2222-4333-8444-555555555555"
        let found = try await stage.machines.snapshot(Self.id, for: copy, on: "host-1", fence: fence(4))
        #expect(found.virtualBytes == 3 << 30 && found.format == "qcow2")
        #expect(try await stage.fleet.size(of: found, on: "host-1") == found.sizeBytes)
        for _ in 0..<2 { try await stage.machines.removeSnapshot(for: copy, on: "host-1") }
        #expect(stage.fleet.simulatedCopies.isEmpty)
    }

    @Test("A fleet can have a thousand hosts")
    func many() async throws { #expect(try await Stage(hosts: 1000).hosts.reports().count == 1000) }

    @Test("Reports come in the natural order of names, and are news only if something that lasts is new")
    func news() async throws {
        let stage = try Stage(hosts: 11)
        #expect(try await stage.hosts.reports().map(\.name) == (1...11).map { "host-\($0)" })
        let (reports, position) = stage.hosts.news(since: -1)
        #expect(reports.count == 11 && position == 11 && stage.hosts.position == 11)
        try await stage.ensure(intent(), on: "host-2", fence: fence(1))
        stage.clock.advance(by: .seconds(60))
        await stage.hosts.refresh()
        #expect(stage.hosts.news(since: position).reports.isEmpty && stage.hosts.position == position)
        #expect(stage.hosts.news(since: 9).reports.count == 2)
        #expect(try await stage.hosts.report(of: "host-2")?.lastSeen == stage.clock.now)
        #expect(try await stage.hosts.report(of: "nowhere") == nil)
    }

    // MARK: In the cloud

    @Test("A guest that stops by itself is shown as stopped, unless a workflow works on its server")
    func power() async throws {
        try await TestCloud.run({ $0.simulate.enabled = true; $0.simulate.hosts = 1 }) { cloud in
            let token = try await cloud.token()
            let image = await cloud.send(
                .post, "/image/v2/images", token: token, json: ["name": "disk", "disk_format": "raw", "container_format": "bare"])
            let imageID = image.json["id"]?.string ?? ""
            _ = await cloud.send(
                .put, "/image/v2/images/\(imageID)/file", token: token, bytes: [UInt8](repeating: 0, count: 1024), type: "application/octet-stream")
            _ = await cloud.send(
                .post, "/compute/v2.1/flavors", token: token,
                json: ["flavor": ["id": "small", "name": "small", "ram": 64, "vcpus": 1, "disk": 1]])
            let made = await cloud.send(
                .post, "/compute/v2.1/servers", token: token, json: ["server": ["name": "one", "imageRef": .string(imageID), "flavorRef": "small", "networks": "none"]],
                headers: [.init("OpenStack-API-Version")!: "compute 2.37"])
            let id = made.json["server"]?["id"]?.string ?? ""
            try await cloud.settle()
            func shown() async -> JSON? { await cloud.send(.get, "/compute/v2.1/servers/\(id)", token: token).json["server"] }
            #expect(await shown()?["status"] == "ACTIVE", "\(made.text)")
            // A sighting from before the start may arrive after it. The host knows better.
            let early = ObservedMachine(id: MachineID(id), power: .off, fence: Fence(epoch: 0, generation: 100))
            #expect(try await cloud.cloud.compute.take(["host-1": [early]]) == ["host-1"])
            #expect(await shown()?["status"] == "ACTIVE")
            try cloud.cloud.fleet.guestStops(id, on: "host-1")
            await cloud.cloud.fleet.ask()
            try await cloud.cloud.look()
            #expect(await shown()?["status"] == "SHUTOFF")
            #expect(await shown()?["OS-EXT-STS:power_state"] == 4)
            // The start has not run yet. Until it has, only the workflow changes the row.
            _ = await cloud.send(.post, "/compute/v2.1/servers/\(id)/action", token: token, json: ["os-start": nil])
            try await cloud.cloud.look()
            #expect(await shown()?["OS-EXT-STS:task_state"] == "powering-on")
            try await cloud.settle()
            #expect(await shown()?["status"] == "ACTIVE")
            try cloud.cloud.fleet.guestStops(id, on: "host-1", crashing: true)
            await cloud.cloud.fleet.ask()
            try await cloud.cloud.look()
            #expect(await shown()?["status"] == "SHUTOFF")
            #expect(await shown()?["OS-EXT-STS:power_state"] == 6)
            // A lost host has a hypervisor and a service that are down, and gets no servers.
            cloud.cloud.fleet.setCut(true, "host-1")
            cloud.clock.advance(by: .seconds(120))
            let hypervisors = await cloud.send(.get, "/compute/v2.1/os-hypervisors/detail", token: token).json["hypervisors"]?.array
            #expect(hypervisors?.map { $0["state"] } == ["down"])
            let services = await cloud.send(.get, "/compute/v2.1/os-services?binary=nova-compute", token: token).json["services"]?.array
            #expect(services?.map { $0["state"] } == ["down"])
            let inventory = await cloud.send(
                .get, "/placement/resource_providers?name=host-1", token: token).json["resource_providers"]?.array?.first?["uuid"]?.string ?? ""
            let amounts = await cloud.send(.get, "/placement/resource_providers/\(inventory)/inventories", token: token).json["inventories"]
            #expect(amounts?["VCPU"]?["total"] == 16 && amounts?["MEMORY_MB"]?["total"] == 65_536)
        }
    }
}

import AgentCore
import CloudCore
import DriverSimulated
import Drivers
import Foundation
import HostModel
import ImageFormats
import Logging
import TestSupport
import Testing

@Suite("A host's agent")
struct AgentTests {
    private let id = MachineID("11111111-2222-4333-8444-555555555555")

    /// A host that outlives its agents.
    private struct Stage {
        let host: SimulatedHost
        let folder: String?

        init(_ folder: String? = nil) throws {
            self.folder = folder
            host = try SimulatedFleet(world: .test(), settings: .immediate).host("a")
        }

        func agent(bootID: String = "1", driver: (any MachineDriver)? = nil) throws -> Agent {
            try Agent(
                host: HostID("a"), driver: driver ?? host.driver(), folder: folder.map { $0 + "/agent" }, bootID: bootID, world: .test(),
                log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }

        func link(bootID: String = "1") throws -> InMemoryLink { InMemoryLink(try agent(bootID: bootID)) }
    }

    private func spec(_ fault: String? = nil) -> MachineSpec {
        MachineSpec(
            id: id, name: "one", memoryMiB: 64, disks: [Disk(id: "root", source: .blank(virtualBytes: 1 << 20))],
            metadata: fault.map { [SimulatedFault.key: $0] } ?? [:])
    }

    private func request(_ generation: Int64, _ verb: AgentRequest.Verb, epoch: Int64 = 1, id request: String? = nil) -> AgentRequest {
        AgentRequest(id: request ?? "request-\(generation)", machine: id, fence: Fence(epoch: epoch, generation: generation), verb)
    }

    @Test("Ensuring a machine makes and starts it; repeating the request changes nothing")
    func ensure() async throws {
        let link = try Stage().link()
        for _ in 0..<2 {
            let machine = try await link.send(request(1, .ensure(spec(), power: .running))).machine
            #expect(machine?.power == .running && machine?.boots == 1)
        }
        #expect(try await link.send(request(2, .power(.paused))).machine?.power == .paused)
        #expect(try await link.send(request(3, .power(.suspended))).machine?.power == .suspended)
        #expect(try await link.send(request(4, .power(.running))).machine?.boots == 1)
        #expect(try await link.send(request(5, .power(.off(graceSeconds: 1)))).machine?.power == .off)
    }

    @Test("A request with an older generation or epoch is refused, also after the agent restarts or the machine is removed")
    func fences() async throws {
        try await withTemporaryDirectory { folder in
            let stage = try Stage(folder)
            _ = try await stage.link().send(request(5, .ensure(spec(), power: nil), epoch: 2))
            for old in [request(4, .power(.running), epoch: 2), request(5, .power(.running), epoch: 1), request(4, .remove, epoch: 3)] {
                let link = try stage.link()
                await #expect { try await link.send(old) } throws: { ($0 as? CloudError)?.code == Fence.staleCode }
            }
            _ = try await stage.link().send(request(6, .remove, epoch: 2))
            _ = try await stage.link().send(request(6, .remove, epoch: 2))
            let link = try stage.link()
            await #expect { try await link.send(request(6, .ensure(spec(), power: nil), epoch: 2)) } throws: {
                ($0 as? CloudError)?.code == Fence.staleCode
            }
            _ = try await link.send(request(7, .ensure(spec(), power: nil), epoch: 2))
        }
    }

    @Test("A reboot that is requested twice with the same id happens once")
    func reboot() async throws {
        try await withTemporaryDirectory { folder in
            let stage = try Stage(folder)
            _ = try await stage.link().send(request(1, .ensure(spec(), power: .running)))
            for _ in 0..<3 {
                let machine = try await stage.link().send(request(2, .reboot(.hard), id: "one")).machine
                #expect(machine?.boots == 2)
            }
            #expect(try await stage.link().send(request(3, .reboot(.hard), id: "two")).machine?.boots == 3)
        }
    }

    @Test("An interrupted reboot is completed: the machine runs and has been started exactly once more", arguments: [RebootKind.soft, .hard], [false, true])
    func cutReboot(kind: RebootKind, afterStart: Bool) async throws {
        try await withTemporaryDirectory { folder in
            let stage = try Stage(folder)
            _ = try await stage.link().send(request(1, .ensure(spec(), power: .running)))
            let dying = try stage.agent(driver: DyingDriver(below: stage.host.driver(), afterStart: afterStart))
            await #expect(throws: CloudError.self) { try await dying.carryOut(request(2, .reboot(kind), id: "one")) }
            let agent = try stage.agent()
            // The new agent completes the reboot even if the request is not repeated.
            if !afterStart { await agent.lookAtAll() }
            #expect(try await stage.host.driver().observe(id)?.power == .running)
            let machine = try await agent.carryOut(request(2, .reboot(kind), epoch: 2, id: "one")).machine
            #expect(machine?.power == .running && machine?.boots == 2)
        }
    }

    @Test("Machines run on while their host is cut off, and a new agent completes a removal that a killed one began")
    func adoption() async throws {
        try await withTemporaryDirectory { folder in
            let stage = try Stage(folder)
            let link = try stage.link()
            _ = try await link.send(request(1, .ensure(spec(), power: .running)))
            link.isCut = true
            await #expect { try await link.send(request(2, .power(.off(graceSeconds: 0)))) } throws: { ($0 as? CloudError)?.isTransient == true }
            #expect(try await stage.host.driver().observe(id)?.power == .running)

            // The host fails in the middle of a removal, and the agent fails with it.
            stage.host.isLost = true
            let dying = try stage.link()
            await #expect(throws: CloudError.self) { try await dying.send(request(2, .remove)) }
            stage.host.isLost = false
            let agent = try stage.agent()
            var reports = agent.reports().makeAsyncIterator()
            await agent.lookAtAll()
            guard case .gone(_, id) = await reports.next() else {
                Issue.record("no removal")
                return
            }
            #expect(try await stage.host.driver().list().isEmpty)
        }
    }

    @Test("An agent retries an order that failed until it succeeds")
    func retry() async throws {
        try await withTemporaryDirectory { folder in
            let stage = try Stage(folder)
            let agent = try stage.agent()
            await #expect(throws: CloudError.self) { try await agent.carryOut(request(1, .ensure(spec("agent-lost"), power: .running))) }
            await agent.lookAtAll()
            let machine = try await stage.host.driver().observe(id)
            #expect(machine?.power == .running && machine?.boots == 1)
        }
    }

    @Test("A guest that stops by itself stays off until it is started by request or its host boots again")
    func guestStops() async throws {
        try await withTemporaryDirectory { folder in
            let stage = try Stage(folder)
            let agent = try stage.agent()
            _ = try await agent.carryOut(request(1, .ensure(spec(), power: .running)))
            try stage.host.guestStops(id)
            await agent.lookAtAll()
            #expect(try await stage.host.driver().observe(id)?.power == .off)
            await (try stage.agent()).lookAtAll()
            #expect(try await stage.host.driver().observe(id)?.power == .off)
            await (try stage.agent(bootID: "2")).lookAtAll()
            #expect(try await stage.host.driver().observe(id)?.power == .running)
            try stage.host.guestStops(id)
            #expect(try await InMemoryLink(agent).send(request(2, .power(.running))).machine?.power == .running)
        }
    }

    @Test("A machine with a full disk goes on when there is room, unless its user has paused it meanwhile")
    func fullDisk() async throws {
        let stage = try Stage()
        let agent = try stage.agent()
        _ = try await agent.carryOut(request(1, .ensure(spec(), power: .running)))
        func look() async throws -> ObservedMachine? {
            await agent.lookAtAll()
            await agent.letGoOn()
            return try await stage.host.driver().observe(id)
        }
        try stage.host.fill(["root"], of: id)
        var machine = try await look()
        #expect(machine?.power == .paused && machine?.fullDisks == ["root"])
        stage.host.hasRoom = true
        machine = try await look()
        #expect(machine?.power == .running && machine?.fullDisks == [] && machine?.boots == 1)

        try stage.host.fill(["root"], of: id)
        _ = try await agent.carryOut(request(2, .power(.paused)))
        stage.host.hasRoom = true
        #expect(try await look()?.power == .paused)
        #expect(try await agent.carryOut(request(3, .power(.running))).machine?.power == .running)
    }

    @Test("A machine that nobody ordered is reported as unclaimed and left alone")
    func unclaimed() async throws {
        let stage = try Stage()
        try await stage.host.driver().ensure(spec(), fence: Fence(epoch: 1, generation: 1))
        let agent = try stage.agent()
        await agent.lookAtAll()
        guard case .inventory(let inventory) = try await agent.answer(.inventory) else { return }
        #expect(inventory.unclaimed == [id] && inventory.abilities == Set(HostInventory.Ability.allCases))
        _ = try await agent.carryOut(request(2, .remove))
        #expect(try await stage.host.driver().list().isEmpty)
    }

    @Test("An agent reports each event of the host and the state of the machine after it")
    func news() async throws {
        let stage = try Stage()
        let agent = try stage.agent()
        let heard = Box<[String]>([])
        let reports = agent.reports()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await agent.keep() }
            group.addTask {
                for await report in reports {
                    switch report {
                    case .event(_, let event): heard.update { $0.append(event.kind.rawValue) }
                    case .machine(_, let machine): heard.update { $0.append("is \(machine.power.rawValue)") }
                    case .inventory: heard.update { $0.append("inventory") }
                    case .gone, .problem: break
                    }
                }
            }
            try await eventually("an inventory") { heard.value.contains("inventory") }
            _ = try await agent.carryOut(request(1, .ensure(spec(), power: .running)))
            try stage.host.guestStops(id)
            try await eventually("\(heard.value)") { heard.value.contains("guestStopped") && heard.value.last == "is off" }
            group.cancelAll()
        }
    }

    @Test("Devices, snapshots and passwords reach the driver, and attached devices are kept for the next start")
    func abilities() async throws {
        try await withTemporaryDirectory { folder in
            let stage = try Stage(folder)
            let link = try stage.link()
            _ = try await link.send(request(1, .ensure(spec(), power: .running)))
            let nic = NIC(id: "port", mac: "52:54:00:00:00:01", tap: "tap0")
            _ = try await link.send(request(2, .attachNIC(nic)))
            _ = try await link.send(request(3, .attachDisk(Disk(id: "v", source: .volume(.device(path: "/dev/x"))))))
            guard case .diagnostics(let numbers) = try await link.ask(.diagnostics(id)) else { return }
            #expect(numbers.nics.map(\.id) == ["port"] && numbers.disks.map(\.id) == ["root", "v"])
            let snapshot = "99999999-2222-4333-8444-555555555555"
            guard case .snapshot(let copy) = try await link.send(request(4, .snapshot(snapshot))) else { return }
            #expect(copy.virtualBytes == 1 << 20)
            for _ in 0..<2 { _ = try await link.ask(.forgetSnapshot(snapshot)) }
            await #expect { try await link.send(request(5, .setPassword(SentSecret(Secret("x")), user: "root"))) } throws: {
                ($0 as? CloudError)?.kind == .conflict
            }
            _ = try await link.send(request(6, .detachNIC("port")))
            _ = try await link.send(request(7, .detachDisk("v")))
            guard case .wanted(let rest) = try await link.ask(.wanted(id)) else { return }
            #expect(rest.nics.isEmpty && rest.disks.map(\.id) == ["root"])
            _ = try await stage.link().send(request(8, .power(.off(graceSeconds: 0))))
            var larger = spec()
            larger.memoryMiB = 128
            #expect(try await link.send(request(9, .resize(larger))).machine?.power == .off)
        }
    }

    @Test("A running machine gains and loses network cards as its order says, also if the order comes twice")
    func cards() async throws {
        let link = try Stage().link()
        var wanted = spec()
        _ = try await link.send(request(1, .ensure(wanted, power: .running)))
        wanted.nics = [NIC(id: "one", mac: "52:54:00:00:00:01", tap: "tap1"), NIC(id: "two", mac: "52:54:00:00:00:02", tap: "tap2")]
        for _ in 0..<2 { #expect(try await link.send(request(2, .ensure(wanted, power: nil))).machine?.boots == 1) }
        wanted.nics.removeFirst()
        _ = try await link.send(request(3, .ensure(wanted, power: nil)))
        guard case .diagnostics(let numbers) = try await link.ask(.diagnostics(id)), case .wanted(let kept) = try await link.ask(.wanted(id))
        else { return }
        #expect(numbers.nics.map(\.id) == ["two"] && kept == wanted)
    }

    @Test("A start that the driver refuses is reported, and the agent does not retry it later")
    func refusal() async throws {
        let stage = try Stage()
        let agent = try stage.agent()
        _ = try await agent.carryOut(request(1, .ensure(spec("boot-fails"), power: nil)))
        await #expect { try await agent.carryOut(request(2, .power(.running))) } throws: { ($0 as? CloudError)?.code == "boot_failed" }
        _ = try await agent.carryOut(request(3, .ensure(spec(), power: nil)))
        await agent.lookAtAll()
        #expect(try await stage.host.driver().observe(id)?.power == .off)
    }

    @Test("A hard reboot also starts a machine that is off, suspended or paused; a soft reboot is refused there")
    func rebootOfAny() async throws {
        let link = try Stage().link()
        _ = try await link.send(request(1, .ensure(spec(), power: nil)))
        await #expect { try await link.send(request(2, .reboot(.soft))) } throws: { ($0 as? CloudError)?.kind == .conflict }
        var boots: Int64 = 1
        for power: WantedPower in [.off(graceSeconds: 0), .running, .paused, .suspended] {
            if boots > 1 { _ = try await link.send(request(2 * boots, .power(power))) }
            #expect(try await link.send(request(2 * boots + 1, .reboot(.hard))).machine.map { [$0.power == .running, $0.boots == boots] } == [true, true])
            boots += 1
        }
    }

    @Test("Clearing a host stops all its machines, and the next agent starts only those that ran")
    func clearing() async throws {
        try await withTemporaryDirectory { folder in
            let stage = try Stage(folder)
            let other = MachineID("22222222-2222-4333-8444-555555555555")
            let agent = try stage.agent()
            _ = try await agent.carryOut(request(1, .ensure(spec(), power: .running)))
            var second = spec()
            second.id = other
            _ = try await agent.carryOut(
                AgentRequest(id: "other", machine: other, fence: Fence(epoch: 1, generation: 1), .ensure(second, power: .off(graceSeconds: 0))))
            #expect(try await stage.agent().clear(graceSeconds: 1) == [id])
            #expect(try await stage.host.driver().list().allSatisfy { $0.power == .off })
            let next = try stage.agent()
            guard case .inventory(let inventory) = try await next.answer(.inventory) else { return }
            #expect(inventory.unsettled == [id], "that it is off is not its guest's doing")
            #expect(await next.lookAtAll())
            #expect(try await stage.host.driver().observe(id)?.power == .running)
            #expect(try await stage.host.driver().observe(other)?.power == .off)
        }
    }

    @Test("Requests, replies and reports can be encoded and decoded without loss")
    func wire() throws {
        func again<Value: Codable>(_ value: Value) throws -> Value {
            try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(value))
        }
        let sent = try again(request(7, .setPassword(SentSecret(Secret("hush")), user: "root")))
        guard case .setPassword(let password, let user) = sent.verb else { return }
        #expect(password.secret == Secret("hush") && user == "root" && sent.fence.generation == 7 && !"\(sent)".contains("hush"))
        var error = CloudError(.unavailable, "Not now.", detail: "why", code: "x", cause: CancellationError())
        error.isTransient = true
        guard case .problem(_, id, let problem) = try again(AgentReport.problem(HostID("a"), id, AgentProblem(error))) else {
            Issue.record("another report")
            return
        }
        #expect(problem.error.isTransient && problem.error.code == "x" && problem.detail?.contains("Cancellation") == true)
        guard case .console(let console) = try again(AgentReply.console(ConsoleOutput(bytes: [1, 2], isCut: true))) else { return }
        #expect(console.bytes == [1, 2])
    }

    @Test("Concurrent requests for one machine take turns, and the newest one wins")
    func turns() async throws {
        let stage = try Stage()
        let link = try stage.link()
        _ = try await link.send(request(1, .ensure(spec(), power: nil)))
        await withTaskGroup(of: Void.self) { group in
            for generation in 2...40 {
                group.addTask {
                    // Requests that arrive after a newer one are refused.
                    _ = try? await link.send(request(Int64(generation), .power(generation == 40 || generation % 2 == 0 ? .running : .off(graceSeconds: 0))))
                }
            }
        }
        let machine = try await stage.host.driver().observe(id)
        #expect(machine?.power == .running && machine?.fence.generation == 40)
    }
}

/// A driver whose process ends in the middle of a reboot: after the stop, or after the start and before the answer is
/// sent.
private struct DyingDriver: MachineDriver {
    let below: any MachineDriver
    let afterStart: Bool
    var kind: String { below.kind }

    func reboot(_ id: MachineID, _ kind: RebootKind, fence: Fence) async throws -> ObservedMachine {
        try await below.setPower(id, to: .off, fence: fence)
        if afterStart { try await below.setPower(id, to: .running, fence: fence) }
        var gone = CloudError(.unavailable, "The process has ended.")
        gone.isTransient = true
        throw gone
    }

    func capabilities() async throws -> HostCapabilities { try await below.capabilities() }
    func resources() async throws -> HostResources { try await below.resources() }
    func list() async throws -> [ObservedMachine] { try await below.list() }
    func observe(_ id: MachineID) async throws -> ObservedMachine? { try await below.observe(id) }
    func ensure(_ spec: MachineSpec, fence: Fence) async throws -> ObservedMachine { try await below.ensure(spec, fence: fence) }
    func remove(_ id: MachineID, fence: Fence) async throws { try await below.remove(id, fence: fence) }
    func setPower(_ id: MachineID, to wanted: WantedPower, fence: Fence) async throws -> ObservedMachine {
        try await below.setPower(id, to: wanted, fence: fence)
    }
    func consoleOutput(_ id: MachineID, mostBytes: Int) async throws -> ConsoleOutput { try await below.consoleOutput(id, mostBytes: mostBytes) }
    func display(_ id: MachineID) async throws -> DisplayEndpoint { try await below.display(id) }
    func diagnostics(_ id: MachineID) async throws -> MachineDiagnostics { try await below.diagnostics(id) }
    func events() -> AsyncStream<MachineEvent> { below.events() }
    func collectGarbage() async throws { try await below.collectGarbage() }
}

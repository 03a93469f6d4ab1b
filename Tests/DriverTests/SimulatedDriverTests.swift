import CloudCore
import DriverConformance
import DriverSimulated
import Drivers
import Foundation
import HostModel
import ImageFormats
import TestSupport
import Testing

@Suite("The simulated driver")
struct SimulatedDriverTests {
    private static let image = ImageReference(content: ContentID(String(repeating: "ab", count: 64))!, format: .qcow2)

    private static func spec(_ id: MachineID, fault: String? = nil) -> MachineSpec {
        MachineSpec(
            id: id, name: "one", memoryMiB: 128, disks: [Disk(id: "root", source: .image(image, virtualBytes: 64 << 20))],
            nics: [NIC(id: "port", mac: "52:54:00:00:00:01", tap: "tap0")],
            metadata: fault.map { [SimulatedFault.key: $0] } ?? [:])
    }

    private let fence = Fence(epoch: 1, generation: 1)
    private let id = MachineID("11111111-2222-4333-8444-555555555555")

    @Test("The driver passes each check for all drivers", arguments: DriverCheck.all, [false, true])
    func conforms(_ check: DriverCheck, isKept: Bool) async throws {
        try await withTemporaryDirectory { folder in
            let (world, folder) = (World.test(), isKept ? folder + "/fleet" : nil)
            var subject = DriverSubject(driver: try Self.fleet(folder, world).host("a").driver(), greeting: "ready", world: world) {
                Self.spec($0)
            }
            let host = try Self.fleet(folder, world).host("a")
            subject.driver = host.driver()
            // With a folder, another fleet reads what the first one left, as a new process would.
            subject.restarted = { isKept ? try Self.fleet(folder, world).host("a").driver() : host.driver() }
            let isDone = try await check.run(on: subject)
            #expect(isDone, "it has all abilities")
        }
    }

    private static func fleet(_ folder: String?, _ world: World) throws -> SimulatedFleet {
        try SimulatedFleet(folder: folder, world: world, settings: .immediate)
    }

    private func host() throws -> SimulatedHost { try Self.fleet(nil, .test()).host("a") }

    @Test("The fault boot-fails makes a machine's start fail")
    func bootFails() async throws {
        let driver = try host().driver()
        try await driver.ensure(Self.spec(id, fault: "boot-fails"), fence: fence)
        await #expect(throws: CloudError.self) { try await driver.setPower(id, to: .running, fence: fence) }
        #expect(try await driver.observe(id)?.power == .off)
    }

    @Test("The fault agent-lost loses the answer of a start that happened; repeating it succeeds")
    func agentLost() async throws {
        let driver = try host().driver()
        try await driver.ensure(Self.spec(id, fault: "agent-lost"), fence: fence)
        await #expect { try await driver.setPower(id, to: .running, fence: fence) } throws: { ($0 as? CloudError)?.isTransient == true }
        let machine = try await driver.setPower(id, to: .running, fence: fence)
        #expect(machine.power == .running && machine.boots == 1)
    }

    @Test("The fault crashes shows the guest as crashed, and it can be started again")
    func crash() async throws {
        let driver = try host().driver()
        try await driver.ensure(Self.spec(id, fault: "crashes"), fence: fence)
        let machine = try await driver.setPower(id, to: .running, fence: fence)
        #expect(machine.power == .crashed && machine.reason == "the guest crashed")
    }

    @Test("The fault lost-event drops a machine's event, and the list still has its state")
    func lostEvent() async throws {
        let driver = try host().driver()
        let other = MachineID("11111111-2222-4333-8444-666666666666")
        var events = driver.events().makeAsyncIterator()
        try await driver.ensure(Self.spec(id, fault: "lost-event, slow"), fence: fence)
        try await driver.setPower(id, to: .running, fence: fence)
        try await driver.ensure(Self.spec(other), fence: fence)
        #expect(await events.next()?.machine == other)
        #expect(try await driver.list().first { $0.id == id }?.power == .running)
    }

    @Test("The fault snapshot-fails makes a snapshot fail; without it the snapshot is a valid qcow2")
    func snapshots() async throws {
        let driver = try host().driver()
        try await driver.ensure(Self.spec(id, fault: "snapshot-fails"), fence: fence)
        let snapshot = "99999999-2222-4333-8444-555555555555"
        await #expect(throws: CloudError.self) { try await driver.snapshot(id, as: snapshot, fence: fence) }
        try await driver.ensure(Self.spec(id), fence: fence)
        let copy = try await driver.snapshot(id, as: snapshot, fence: fence)
        var inspector = FormatInspector()
        inspector.inspect(Array(try Data(contentsOf: URL(filePath: copy.path))))
        let found = inspector.finish()
        try found.require(.qcow2)
        #expect(found.virtualSize == 64 << 20)
    }

    @Test("A copy of a disk is made while the copies of other machines are removed")
    func copiesAtOnce() async throws {
        let driver = try host().driver()
        let random = World.test().random
        try await withThrowingDiscardingTaskGroup { group in
            for _ in 0..<8 {
                let id = MachineID(random.uuid())
                try await driver.ensure(Self.spec(id), fence: fence)
                group.addTask {
                    for _ in 0..<40 {
                        let snapshot = random.uuid()
                        let copy = try await driver.snapshot(id, as: snapshot, fence: fence)
                        #expect(FileManager.default.fileExists(atPath: copy.path))
                        try await driver.removeSnapshot(snapshot)
                    }
                }
            }
        }
    }

    @Test("A lost host answers nothing, and its machines run on")
    func lostHost() async throws {
        let host = try host()
        try await host.driver().ensure(Self.spec(id), fence: fence)
        try await host.driver().setPower(id, to: .running, fence: fence)
        host.isLost = true
        await #expect(throws: CloudError.self) { try await host.driver().list() }
        host.isLost = false
        #expect(try await host.driver().observe(id)?.power == .running)
        try host.guestStops(id)
        #expect(try await host.driver().observe(id)?.reason == "the guest stopped")
    }

    @Test("A host subtracts the memory and disks of its machines from its free resources")
    func resources() async throws {
        let driver = try host().driver()
        try await driver.ensure(Self.spec(id), fence: fence)
        try await driver.setPower(id, to: .running, fence: fence)
        let resources = try await driver.resources()
        #expect(resources.memoryMiB - resources.freeMemoryMiB == 128)
        #expect(resources.diskBytes - resources.freeDiskBytes == 64 << 20)
    }
}

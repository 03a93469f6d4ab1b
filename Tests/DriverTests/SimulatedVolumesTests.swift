import CloudCore
import DriverConformance
import DriverSimulated
import Drivers
import Foundation
import HostModel
import ImageFormats
import TestSupport
import Testing

@Suite("Simulated volumes")
struct SimulatedVolumesTests {
    private let fence = Fence(epoch: 1, generation: 1)
    private let id = VolumeID("11111111-2222-4333-8444-555555555555")

    private func spec(_ fault: String = "") -> VolumeSpec {
        VolumeSpec(id: id, pool: "volumes", bytes: 1 << 30, metadata: [SimulatedFault.key: fault])
    }

    @Test("The driver passes each check for all volume drivers", arguments: VolumeDriverCheck.all, [false, true])
    func conforms(_ check: VolumeDriverCheck, isKept: Bool) async throws {
        try await withTemporaryDirectory { folder in
            let (world, folder) = (World.test(), isKept ? folder + "/fleet" : nil)
            var settings = SimulationSettings.immediate
            settings.pools = 2
            let open = { @Sendable [settings] in
                let fleet = try SimulatedFleet(folder: folder, world: world, settings: settings)
                fleet.fetchBackups(from: VolumeSubject.backups)
                return try fleet.host("a")
            }
            let current = Box(try open())
            var subject = VolumeSubject(driver: current.value.volumes(), pool: "volumes", world: world) {
                // With a folder, another fleet reads what the first one left, as a new process would.
                if isKept { current.value = try open() }
                return current.value.volumes()
            } write: { path, offset, bytes in
                try current.value.write(bytes, at: offset, to: Self.id(path))
            } read: { path, offset, count in
                try current.value.read(count, at: offset, from: Self.id(path))
            }
            subject.otherPool = "volumes-2"
            subject.stranger = { bytes, size in
                let name = "brought-\(world.random.hexID()).raw"
                try current.value.bring(name, bytes, size: size)
                return name
            }
            try await check.run(on: subject)
        }
    }

    private static func id(_ path: VolumePath) -> VolumeID {
        VolumeID(URL(filePath: path.path).deletingPathExtension().lastPathComponent)
    }

    private func driver() throws -> SimulatedVolumes {
        try SimulatedFleet(world: .test(), settings: .immediate).host("a").volumes()
    }

    @Test("The fault slow shows the progress of a copy, which goes on when somebody looks")
    func slow() async throws {
        let driver = try driver()
        var spec = spec("slow")
        try await driver.ensure(spec, from: .nothing, fence: fence)
        #expect(try await driver.observe(id)?.progress == .whole)
        spec.id = VolumeID("11111111-2222-4333-8444-666666666666")
        #expect(try await driver.ensure(spec, from: .volume(id), fence: fence).progress == .copying(percent: 0))
        var seen: [VolumeProgress] = []
        while seen.last != .whole { seen.append(try #require(try await driver.observe(spec.id)?.progress)) }
        #expect(seen == [20, 40, 60, 80].map { .copying(percent: $0) } + [.whole])
    }

    @Test("A slow move shows its progress, and one that fails can be taken back")
    func moves() async throws {
        var settings = SimulationSettings.immediate
        settings.pools = 2
        let driver = try SimulatedFleet(world: .test(), settings: settings).host("a").volumes()
        try await driver.ensure(spec("slow"), from: .nothing, fence: fence)
        let begun = try await driver.move(id, to: "volumes-2", isThin: true, fence: fence)
        #expect(begun.progress == .copying(percent: 0) && begun.pool == "volumes")
        await #expect { try await driver.grow(id, to: 2 << 30, fence: fence) } throws: {
            ($0 as? CloudError)?.isTransient == true
        }
        while try await driver.observe(id)?.progress != .whole {}
        #expect(try await driver.observe(id)?.pool == "volumes-2")
        #expect(try await driver.pools().map(\.provisionedBytes) == [0, 1 << 30])
        var other = spec("copy-fails")
        other.id = VolumeID("11111111-2222-4333-8444-666666666666")
        try await driver.ensure(other, from: .nothing, fence: fence)
        let failed = try await driver.move(other.id, to: "volumes-2", isThin: true, fence: fence)
        guard case .failed = failed.progress else {
            Issue.record("the move did not fail")
            return
        }
        let back = try await driver.move(other.id, to: "volumes", isThin: true, fence: fence)
        #expect(back.progress == .whole && back.pool == "volumes")
    }

    @Test("The fault copy-fails lets a copy begin and fail; asking again tries again")
    func copyFails() async throws {
        let driver = try driver()
        let image = ImageReference(content: try #require(ContentID(String(repeating: "ab", count: 64))), format: .qcow2)
        for _ in 0..<2 {
            let made = try await driver.ensure(spec("copy-fails"), from: .image(image), fence: fence)
            guard case .failed(let problem) = try await driver.observe(id)?.progress ?? made.progress else {
                Issue.record("\(made)")
                return
            }
            #expect(problem.code == "copy_failed")
        }
    }

    @Test("The fault agent-lost loses the reply to a creation that happened; repeating it succeeds")
    func agentLost() async throws {
        let driver = try driver()
        await #expect { try await driver.ensure(spec("agent-lost"), from: .nothing, fence: fence) } throws: {
            ($0 as? CloudError)?.isTransient == true
        }
        #expect(try await driver.ensure(spec("agent-lost"), from: .nothing, fence: fence).progress == .whole)
    }

    @Test("Each other fault refuses the work that it names")
    func faults() async throws {
        let driver = try driver()
        await #expect(throws: CloudError.self) {
            try await driver.ensure(spec("create-fails"), from: .nothing, fence: fence)
        }
        await #expect { try await driver.ensure(spec("pool-full"), from: .nothing, fence: fence) } throws: {
            ($0 as? CloudError)?.code == VolumePool.fullCode
        }
        #expect(try await driver.observe(id) == nil)
        let all = "grow-fails, remove-fails, snapshot-fails, connect-fails, export-fails"
        try await driver.ensure(spec(all), from: .nothing, fence: fence)
        await #expect(throws: CloudError.self) { try await driver.grow(id, to: 2 << 30, fence: fence) }
        await #expect(throws: CloudError.self) { try await driver.remove(id, fence: fence) }
        await #expect(throws: CloudError.self) { try await driver.snapshot(SnapshotID(id.text), of: id, fence: fence) }
        await #expect(throws: CloudError.self) {
            try await driver.export(.volume(id), as: id.text, format: .raw, fence: fence)
        }
        await #expect(throws: CloudError.self) {
            _ = try await driver.connect(id, VolumeConnection(machine: MachineID(id.text), epoch: 1))
        }
    }
}

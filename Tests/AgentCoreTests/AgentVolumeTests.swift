import AgentCore
import CloudCore
import DriverSimulated
import Drivers
import HostModel
import Logging
import TestSupport
import Testing

@Suite("A host's agent and its volumes")
struct AgentVolumeTests {
    private let volume = VolumeID("aaaaaaaa-2222-4333-8444-555555555555")
    private let machine = MachineID("11111111-2222-4333-8444-555555555555")
    private let snapshot = SnapshotID("bbbbbbbb-2222-4333-8444-555555555555")

    private func link(hasVolumes: Bool = true) throws -> InMemoryLink {
        let host = try SimulatedFleet(world: .test(), settings: .immediate).host("a")
        return InMemoryLink(
            try Agent(
                host: HostID("a"), driver: host.driver(), volumes: hasVolumes ? host.volumes() : nil, folder: nil,
                bootID: "1", world: .test(), log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
    }

    private func fence(_ generation: Int64) -> Fence { Fence(epoch: 1, generation: generation) }

    private func machine(with disk: Disk?) -> MachineSpec {
        MachineSpec(
            id: machine, name: "one", memoryMiB: 64,
            disks: [Disk(id: "root", source: .blank(virtualBytes: 1 << 20))] + (disk.map { [$0] } ?? []))
    }

    private func ensure(_ spec: MachineSpec, _ generation: Int64) -> AgentRequest {
        AgentRequest(
            id: "ensure-\(generation)", machine: machine, fence: fence(generation), .ensure(spec, power: .running))
    }

    @Test("Each verb has a typed call")
    func calls() async throws {
        let link = try link()
        let pool = try #require(try await link.volumePools().first)
        let spec = VolumeSpec(id: volume, pool: pool.name, bytes: 1 << 30)
        #expect(try await link.ensure(spec, from: .nothing, fence: fence(1)).progress == .whole)
        #expect(try await link.volumes().map(\.id) == [volume])
        #expect(try await link.grow(volume, to: 2 << 30, fence: fence(2)).bytes == 2 << 30)
        #expect(try await link.snapshot(snapshot, of: volume, fence: fence(1)).bytes == 2 << 30)
        #expect(try await link.observe(snapshot)?.volume == volume)
        #expect(try await link.volumeSnapshots().map(\.id) == [snapshot])
        #expect(try await link.revert(volume, to: snapshot, fence: fence(3)).progress == .whole)
        let export = try await link.export(
            .snapshot(snapshot), as: machine.text, format: .qcow2, fence: Fence(epoch: 1, generation: 1))
        let copy = try #require(export.copy)
        var pieces = 0
        for try await _ in try await link.bytes(of: copy) { pieces += 1 }
        #expect(pieces > 0 && copy.virtualBytes == 2 << 30)
        try await link.forgetExport(machine.text, fence: Fence(epoch: 1, generation: 1))
        let file = try await link.release(snapshot, fence: fence(2))
        #expect(try await link.manageableVolumes(in: pool.name).map(\.name) == [file])
        #expect(try await link.adopt(file, as: SnapshotID(machine.text), of: volume, fence: fence(1)).bytes == 2 << 30)
        try await link.removeSnapshot(SnapshotID(machine.text), fence: fence(2))
        #expect(try await link.move(volume, to: pool.name, isThin: true, fence: fence(4)).pool == pool.name)
        let released = try await link.release(volume, as: "given.raw", fence: fence(5))
        #expect(try await link.adopt(released, as: spec, fence: fence(6)).bytes == 2 << 30)
        try await link.remove(volume, fence: fence(7))
        #expect(try await link.observe(volume) == nil)
        guard case .inventory(let inventory) = try await link.ask(.inventory) else { return }
        #expect(inventory.pools.map(\.name) == [pool.name])
    }

    @Test("A machine gets only volumes that are connected to it, and keeps the connection while it has the disk")
    func connections() async throws {
        let link = try link()
        try await link.ensure(VolumeSpec(id: volume, pool: "volumes", bytes: 1 << 30), from: .nothing, fence: fence(1))
        let path = try await link.connect(volume, VolumeConnection(machine: MachineID(volume.text), epoch: 1))
        var disk = Disk(id: volume.text, source: .volume(path), serial: volume.text)
        await #expect { _ = try await link.send(ensure(machine(with: disk), 1)) } throws: {
            ($0 as? CloudError)?.code == "volume_not_connected"
        }
        try await link.disconnect(volume, from: MachineID(volume.text), epoch: 1)
        _ = try await link.connect(volume, VolumeConnection(machine: machine, epoch: 2, isReadOnly: true))
        await #expect(throws: CloudError.self) { _ = try await link.send(ensure(machine(with: disk), 1)) }
        disk.isReadOnly = true
        _ = try await link.send(ensure(machine(with: disk), 1))
        await #expect { try await link.disconnect(volume, from: machine, epoch: 2) } throws: {
            ($0 as? CloudError)?.code == "volume_in_use"
        }
        _ = try await link.send(ensure(machine(with: nil), 2))
        try await link.disconnect(volume, from: machine, epoch: 2)
    }

    @Test("A host without a volume driver says so")
    func none() async throws {
        let link = try link(hasVolumes: false)
        await #expect { try await link.volumePools() } throws: { ($0 as? CloudError)?.code == "no_volumes" }
    }

    @Test("The fault keeps-disks is a guest that does not release a volume")
    func kept() async throws {
        let link = try link()
        let disk = Disk(id: "v", source: .volume(.device(path: "/dev/x")))
        var spec = machine(with: disk)
        spec.metadata = [SimulatedFault.key: "keeps-disks"]
        _ = try await link.send(ensure(spec, 1))
        spec.disks.removeLast()
        let without = spec
        await #expect { _ = try await link.send(ensure(without, 2)) } throws: {
            ($0 as? CloudError)?.code == VolumeKept.code
        }
    }
}

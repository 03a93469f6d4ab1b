import CloudCore
import DriverFiles
import DriverLibvirt
import Drivers
import Foundation
import HostModel
import TestSupport
import Testing

/// Real guests with real volumes.
extension LibvirtDriverTests {
    /// A program in the guest: it names each volume on the console, and counts up in two sectors of each that it may
    /// write to. The second sector is written when the first is on the disk, so it is never ahead.
    private static let counting = """
        #!/bin/sh
        (
            count=0
            while :; do
                for disk in /sys/block/vd*; do
                    name=${disk##*/}
                    serial=$(cat $disk/serial 2>/dev/null)
                    [ -n "$serial" ] || continue
                    now="$serial $(cat $disk/size) $(cat $disk/ro)"
                    if [ "$(cat /tmp/seen.$name 2>/dev/null)" != "$now" ]; then
                        echo "$now" >/tmp/seen.$name
                        echo "guest: volume $now" >/dev/console
                    fi
                    if [ "$(cat $disk/ro)" = 0 ]; then
                        count=$((count + 1))
                        for sector in 8 4096; do
                            printf '%-512s' "$count" >/tmp/count
                            dd if=/tmp/count of=/dev/$name seek=$sector conv=notrunc,fsync 2>/dev/null || break
                        done
                    fi
                done
                usleep 100000
            done
        ) &
        """

    /// The host's volumes, with the machines that use them.
    private struct Volumes {
        let driver: FileVolumes
        let world = RealHost.shared.world
        let fence = Fence(epoch: 1, generation: 1)

        func made(_ format: VolumeFormat, _ content: VolumeContent = .nothing) async throws -> VolumeID {
            let spec = VolumeSpec(id: VolumeID(world.random.uuid()), pool: "pool", bytes: 64 << 20, format: format)
            try await driver.ensure(spec, from: content, fence: fence)
            try await eventually("the volume") { try await driver.observe(spec.id)?.progress == .whole }
            return spec.id
        }

        func disk(
            _ id: VolumeID, for machine: MachineID, isReadOnly: Bool = false, isShared: Bool = false
        ) async throws -> Disk {
            let connection = VolumeConnection(machine: machine, epoch: 1, isReadOnly: isReadOnly, isShared: isShared)
            var disk = Disk(id: id.text, source: .volume(try await driver.connect(id, connection)), serial: id.text)
            (disk.isReadOnly, disk.isShared) = (isReadOnly, isShared)
            return disk
        }

        /// Returns the counts in the two sectors of a volume that no guest uses.
        func counts(_ id: VolumeID) async throws -> (first: Int, second: Int) {
            let name = world.random.uuid()
            try await eventually("the export") {
                let export = try await driver.export(.volume(id), as: name, format: .raw, fence: fence)
                if case .failed(let problem) = export.progress { throw problem.error }
                return export.progress == .whole
            }
            let copy = try await driver.export(.volume(id), as: name, format: .raw, fence: fence).copy
            let path = try #require(copy?.path)
            let file = try #require(FileHandle(forReadingAtPath: path))
            func count(_ sector: UInt64) throws -> Int {
                try file.seek(toOffset: sector * 512)
                let text = String(decoding: try file.read(upToCount: 20) ?? Data(), as: UTF8.self)
                return Int(text.prefix { $0.isNumber }) ?? 0
            }
            let counts = (try count(8), try count(4096))
            try file.close()
            try await driver.removeExport(name, fence: fence)
            return counts
        }
    }

    private func withVolumes(_ body: @escaping (Volumes) async throws -> Void) async throws {
        let (machines, _) = try await RealHost.shared.open()
        try await RealHost.withOpenFolder { folder in
            let pool = FileVolumesSettings.Pool(name: "pool", folder: folder + "/pool")
            let settings = FileVolumesSettings(folder: folder + "/records", pools: [pool])
            let world = RealHost.shared.world
            let driver = try FileVolumes(settings, images: machines.images, machines: machines, world: world)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await driver.keep() }
                try await body(Volumes(driver: driver))
                group.cancelAll()
            }
            await driver.stop()
        }
    }

    private func withCountingMachine(_ body: (LibvirtDriver, MachineID) async throws -> Void) async throws {
        try await withMachine({ spec in
            for place in spec.disks.indices {
                guard case .configDrive(var drive) = spec.disks[place].source else { continue }
                drive.files["openstack/latest/user_data"] = Data(Self.counting.utf8)
                spec.disks[place].source = .configDrive(drive)
            }
        }, body)
    }

    @Test("A guest names its volume, sees it grow, and is copied while it writes", arguments: VolumeFormat.allCases)
    func volumeInUse(format: VolumeFormat) async throws {
        try await withVolumes { volumes in
            let volume = try await volumes.made(format)
            try await withCountingMachine { machines, id in
                let disk = try await volumes.disk(volume, for: id)
                try await machines.attach(disk, to: id, fence: Self.first)
                let name = "guest: volume \(volume.text.prefix(20))"
                try await says("\(name) \(64 << 11) 0", machines, id)
                try await volumes.driver.grow(volume, to: 128 << 20, fence: Fence(epoch: 1, generation: 2))
                try await says("\(name) \(128 << 11) 0", machines, id)
                // A copy is of one moment: the second sector was written after the first.
                let snapshot = SnapshotID(volumes.world.random.uuid())
                try await volumes.driver.snapshot(snapshot, of: volume, fence: volumes.fence)
                try await eventually("the snapshot") {
                    let progress = try await volumes.driver.observe(snapshot)?.progress
                    if case .failed(let problem) = progress { throw problem.error }
                    return progress == .whole
                }
                let spec = VolumeSpec(id: VolumeID(volumes.world.random.uuid()), pool: "pool", bytes: 128 << 20)
                try await volumes.driver.ensure(spec, from: .snapshot(snapshot), fence: volumes.fence)
                try await eventually("a volume of it") { try await volumes.driver.observe(spec.id)?.progress == .whole }
                let then = try await volumes.counts(spec.id)
                #expect(then.first > 0 && then.first - then.second <= 1 && then.first >= then.second, "\(then)")
                let live = try await volumes.counts(volume)
                #expect(live.first >= then.first && live.first - live.second <= 1, "\(live)")
                try await machines.detachDisk(volume.text, from: id, fence: Self.first)
                #expect(try await machines.diagnostics(id).disks.map(\.id) == ["root", "config"])
                try await volumes.driver.disconnect(volume, from: id, epoch: 1)
                let last = try await volumes.counts(volume)
                #expect(last.first >= live.first, "\(last)")
            }
            try await volumes.driver.remove(volume, fence: Fence(epoch: 1, generation: 3))
        }
    }

    @Test("Two guests write to a shared volume, and a guest cannot write to a volume that it may only read")
    func sharedVolume() async throws {
        try await withVolumes { volumes in
            let (shared, fixed) = (try await volumes.made(.raw), try await volumes.made(.raw))
            try await withCountingMachine { machines, one in
                try await withCountingMachine { _, two in
                    for id in [one, two] {
                        let disk = try await volumes.disk(shared, for: id, isShared: true)
                        try await machines.attach(disk, to: id, fence: Self.first)
                        try await says("guest: volume \(shared.text.prefix(20)) \(64 << 11) 0", machines, id)
                    }
                    let disk = try await volumes.disk(fixed, for: one, isReadOnly: true)
                    try await machines.attach(disk, to: one, fence: Self.first)
                    try await says("guest: volume \(fixed.text.prefix(20)) \(64 << 11) 1", machines, one)
                    for id in [one, two] { try await machines.detachDisk(shared.text, from: id, fence: Self.first) }
                    try await machines.detachDisk(fixed.text, from: one, fence: Self.first)
                }
            }
        }
    }

    @Test("A guest that does not release a volume is an error, and loses it by force")
    func keptVolume() async throws {
        try await withVolumes { volumes in
            let volume = try await volumes.made(.raw)
            try await withMachine { machines, id in
                let disk = try await volumes.disk(volume, for: id)
                try await machines.attach(disk, to: id, fence: Self.first)
                // A guest that stands still cannot answer.
                try await machines.pause(id, fence: Self.first)
                await #expect { try await machines.detachDisk(volume.text, from: id, fence: Self.first) } throws: {
                    ($0 as? CloudError)?.code == VolumeKept.code
                }
                #expect(try await machines.diagnostics(id).disks.map(\.id).contains(volume.text))
                try await machines.forceDetachDisk(volume.text, from: id, fence: Self.first)
                #expect(try await machines.diagnostics(id).disks.map(\.id) == ["root", "config"])
            }
        }
    }

    @Test("The rates of a volume's use reach QEMU")
    func rates() async throws {
        try await withVolumes { volumes in
            let volume = try await volumes.made(.raw)
            try await withMachine { machines, id in
                var disk = try await volumes.disk(volume, for: id)
                var rates = DiskRates()
                rates.bytes = .init(total: 10 << 20)
                rates.operations = .init(read: 500, write: 250)
                disk.rates = rates
                try await machines.attach(disk, to: id, fence: Self.first)
                try await machines.detachDisk(volume.text, from: id, fence: Self.first)
            }
        }
    }
}

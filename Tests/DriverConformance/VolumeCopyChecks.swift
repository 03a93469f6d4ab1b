import CloudCore
import Drivers
import Foundation
import HostModel
import TestSupport

extension VolumeDriverCheck {
    static let copies: [VolumeDriverCheck] = [
        VolumeDriverCheck("A copy of a volume has its bytes, may be larger, and goes its own way") { trial in
            for (from, to) in [(VolumeFormat.raw, VolumeFormat.raw), (.qcow2, .qcow2), (.raw, .qcow2), (.qcow2, .raw)] {
                for isThin in [true, false] {
                    let source = try await trial.whole(trial.spec(format: from))
                    try await trial.write(1, to: source)
                    let copy = try await trial.whole(
                        trial.spec(VolumeTrial.bytes * 2, format: to, isThin: isThin), from: .volume(source))
                    try await trial.expect(copy, has: 1)
                    try await trial.expect(copy, has: nil, at: [VolumeTrial.bytes, VolumeTrial.bytes * 2 - 4096])
                    try await trial.write(2, to: source)
                    try await trial.expect(copy, has: 1)
                    try await trial.write(3, to: copy)
                    try await trial.expect(source, has: 2)
                }
            }
        },
        VolumeDriverCheck("A snapshot keeps the bytes of its moment, and a volume can be made of it") { trial in
            for format in VolumeFormat.allCases {
                let volume = try await trial.whole(trial.spec(format: format))
                try await trial.write(1, to: volume)
                let snapshot = try await trial.snapshot(of: volume)
                try await trial.write(2, to: volume)
                let restored = try await trial.whole(trial.spec(VolumeTrial.bytes * 2), from: .snapshot(snapshot))
                try await trial.expect(restored, has: 1)
                try await trial.expect(volume, has: 2)
                try trial.expect(try await trial.driver.listSnapshots().contains { $0.id == snapshot }, "the list")
            }
        },
        VolumeDriverCheck("Snapshots and volumes go in any order, and what was made of them stays") { trial in
            let volume = try await trial.whole(trial.spec())
            var snapshots: [SnapshotID] = []
            for seed in UInt8(1)...3 {
                try await trial.write(seed, to: volume)
                snapshots.append(try await trial.snapshot(of: volume))
            }
            let copy = try await trial.whole(trial.spec(), from: .snapshot(snapshots[1]))
            try await trial.driver.removeSnapshot(snapshots[1], fence: trial.next())
            try await trial.expect(try await trial.whole(trial.spec(), from: .snapshot(snapshots[0])), has: 1)
            try await trial.driver.remove(volume, fence: trial.next())
            try await trial.expect(try await trial.whole(trial.spec(), from: .snapshot(snapshots[2])), has: 3)
            try await trial.driver.removeSnapshot(snapshots[0], fence: trial.next())
            try await trial.driver.removeSnapshot(snapshots[2], fence: trial.next())
            try await trial.expect(copy, has: 2)
        },
        VolumeDriverCheck("A volume of an image has the image's bytes and then zeros") { trial in
            guard let image = trial.subject.image else { throw NoSuchAbility() }
            for format in VolumeFormat.allCases {
                for _ in 0..<2 {
                    let volume = try await trial.whole(trial.spec(format: format), from: .image(image.reference))
                    let found = try await trial.using(volume) { try await trial.subject.read($0, 0, image.bytes.count) }
                    try trial.expect(found == image.bytes, "\(found.prefix(8)) and not \(image.bytes.prefix(8))")
                    try await trial.expect(volume, has: nil, at: [VolumeTrial.bytes - 4096])
                    try await trial.write(9, to: volume)
                }
            }
            let small = trial.spec(1 << 20)
            try await trial.driver.ensure(small, from: .image(image.reference), fence: trial.next())
            try await eventually("the failure") {
                let progress = try await trial.driver.observe(small.id)?.progress
                guard case .failed(let problem) = progress else { return false }
                return problem.kind == .badRequest
            }
        },
        VolumeDriverCheck("An export is a flat copy in the wanted format, the same for the same name") { trial in
            let volume = try await trial.whole(trial.spec())
            try await trial.write(5, to: volume)
            let snapshot = try await trial.snapshot(of: volume)
            for source in [VolumeSource.volume(volume), .snapshot(snapshot)] {
                for format in VolumeFormat.allCases {
                    let name = trial.subject.world.random.uuid()
                    let copy = try await VolumeDriverCheck.exported(source, name, format, trial)
                    try trial.expect(copy.virtualBytes == VolumeTrial.bytes, "\(copy)")
                    try trial.expect(copy.format == format.rawValue, "\(copy)")
                    let file = try Data(contentsOf: URL(filePath: copy.path))
                    try trial.expect(copy.sizeBytes == file.count, "\(copy) has \(file.count) bytes")
                    if format == .raw {
                        try trial.expect(Array(file.prefix(4096)) == trial.pattern(5), "other bytes")
                        try trial.expect(file.count == VolumeTrial.bytes, "\(file.count) bytes")
                    } else {
                        try trial.expect(file.prefix(4) == Data([0x51, 0x46, 0x49, 0xfb]), "no qcow2")
                    }
                    try trial.expect(try await VolumeDriverCheck.exported(source, name, format, trial) == copy, "again")
                    let old = Fence(epoch: 0, generation: 1)
                    try await trial.expectRefusal(.conflict, code: Fence.staleCode, "an older removal") {
                        try await trial.driver.removeExport(name, fence: old)
                    }
                    for _ in 0..<2 { try await trial.driver.removeExport(name, fence: VolumeDriverCheck.exportFence) }
                    try trial.expect(!FileManager.default.fileExists(atPath: copy.path), "the copy is there still")
                    for fence in [old, VolumeDriverCheck.exportFence] {
                        try await trial.expectRefusal(.conflict, code: Fence.staleCode, "a late order") {
                            _ = try await trial.driver.export(source, as: name, format: format, fence: fence)
                        }
                    }
                    try trial.expect(!FileManager.default.fileExists(atPath: copy.path), "a late order made a copy")
                }
            }
        },
        VolumeDriverCheck("A volume goes back to a snapshot, and keeps its size") { trial in
            let driver = try trial.ability((any VolumeReverting).self)
            for format in VolumeFormat.allCases {
                let volume = try await trial.whole(trial.spec(format: format))
                try await trial.write(1, to: volume)
                let snapshot = try await trial.snapshot(of: volume)
                try await trial.write(2, to: volume)
                try await trial.driver.grow(volume, to: VolumeTrial.bytes * 2, fence: trial.next())
                try await trial.write(2, to: volume, at: [VolumeTrial.bytes])
                let epoch = trial.epoch()
                _ = try await trial.connect(volume, epoch: epoch)
                try await trial.expectRefusal(.conflict, code: VolumeConnection.connectedCode, "in use") {
                    try await driver.revert(volume, to: snapshot, fence: trial.next())
                }
                try await trial.driver.disconnect(volume, from: trial.machine, epoch: epoch)
                try await driver.revert(volume, to: snapshot, fence: trial.next())
                try await trial.isWhole(volume)
                try await trial.expect(volume, has: 1)
                try trial.expect(try await trial.driver.observe(volume)?.bytes == VolumeTrial.bytes * 2, "another size")
                try await trial.expect(volume, has: nil, at: [VolumeTrial.bytes])
            }
        },
    ]

    private static let exportFence = Fence(epoch: 1, generation: 1)

    /// Returns the copy when it is whole.
    static func exported(
        _ source: VolumeSource, _ name: String, _ format: VolumeFormat, _ trial: VolumeTrial
    ) async throws -> DiskSnapshot {
        let found = Box<DiskSnapshot?>(nil)
        try await eventually("the export", within: .seconds(60)) {
            let export = try await trial.driver.export(source, as: name, format: format, fence: exportFence)
            if case .failed(let problem) = export.progress { throw problem.error }
            found.update { $0 = export.copy }
            return export.progress == .whole
        }
        guard let copy = found.value else { throw NotConforming(description: "a whole export without a copy") }
        return copy
    }
}

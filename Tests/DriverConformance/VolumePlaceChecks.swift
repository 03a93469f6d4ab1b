import CloudCore
import Drivers
import Foundation
import HostModel
import TestSupport

extension VolumeDriverCheck {
    /// The checks of where bytes are: in files that are nobody's, and in other pools.
    static let places: [VolumeDriverCheck] = [
        VolumeDriverCheck("A file becomes a volume, and a volume a file again") { trial in
            let driver = try trial.ability((any VolumeAdopting).self)
            guard let stranger = trial.subject.stranger else { throw NoSuchAbility() }
            let name = try stranger(trial.pattern(4), VolumeTrial.bytes)
            let file = try await driver.manageable(in: trial.subject.pool).first { $0.name == name }
            try trial.expect(file?.bytes == VolumeTrial.bytes && file?.refusal == nil, "\(String(describing: file))")
            let spec = trial.spec()
            for _ in 0..<2 { try await driver.adopt(name, as: spec, fence: trial.next()) }
            try await trial.expect(spec.id, has: 4, at: [0])
            let left = try await driver.manageable(in: trial.subject.pool)
            try trial.expect(!left.contains { $0.name == name }, "still there")
            let other = trial.spec()
            try await trial.expectRefusal(.notFound, "the same file again") {
                try await driver.adopt(name, as: other, fence: trial.next())
            }
            for bad in ["../volumes/x.raw", "/etc/passwd", ".raw", "a/b.raw"] {
                try await trial.expectRefusal(.badRequest, bad) {
                    try await driver.adopt(bad, as: other, fence: trial.next())
                }
            }
            let released = try await driver.release(spec.id, as: nil, fence: trial.next())
            try trial.expect(try await trial.driver.observe(spec.id) == nil, "it is a volume still")
            let files = try await driver.manageable(in: trial.subject.pool)
            try trial.expect(files.contains { $0.name == released }, "no file")
            let again = trial.spec()
            try await driver.adopt(released, as: again, fence: trial.next())
            try await trial.expect(again.id, has: 4, at: [0])
        },
        VolumeDriverCheck("A volume is released under a name that no other file has, whole or not") { trial in
            let driver = try trial.ability((any VolumeAdopting).self)
            guard let stranger = trial.subject.stranger else { throw NoSuchAbility() }
            let taken = try stranger(trial.pattern(1), VolumeTrial.bytes)
            let spec = trial.spec()
            try await trial.whole(spec)
            try await trial.write(2, to: spec.id)
            try await trial.expectRefusal(.badRequest, "a name with a folder") {
                _ = try await driver.release(spec.id, as: "../x.raw", fence: trial.next())
            }
            let epoch = trial.epoch()
            _ = try await trial.connect(spec.id, epoch: epoch)
            try await trial.expectRefusal(.conflict, code: VolumeConnection.connectedCode, "in use") {
                _ = try await driver.release(spec.id, as: nil, fence: trial.next())
            }
            try await trial.driver.disconnect(spec.id, from: trial.machine, epoch: epoch)
            try await trial.expectRefusal(.conflict, "the name of another file") {
                _ = try await driver.release(spec.id, as: taken, fence: trial.next())
            }
            let released = try await driver.release(spec.id, as: "mine.raw", fence: trial.next())
            let again = try await driver.release(spec.id, as: "mine.raw", fence: trial.last)
            try trial.expect(released == "mine.raw" && again == released, "\(released), then \(again)")
            for (name, seed) in [(taken, UInt8(1)), ("mine.raw", 2)] {
                let adopted = trial.spec()
                try await driver.adopt(name, as: adopted, fence: trial.next())
                try await trial.expect(adopted.id, has: seed, at: [0])
            }
            let nowhere = trial.spec().id
            try await trial.expectRefusal(.notFound, "no volume and no file") {
                _ = try await driver.release(nowhere, as: nil, fence: trial.next())
            }
        },
        VolumeDriverCheck("A snapshot becomes a file, and a file a snapshot") { trial in
            let driver = try trial.ability((any VolumeAdopting).self)
            let volume = try await trial.whole(trial.spec())
            try await trial.write(1, to: volume)
            let snapshot = try await trial.snapshot(of: volume)
            try await trial.write(2, to: volume)
            let name = try await driver.release(snapshot, as: nil, fence: trial.next())
            try trial.expect(try await trial.driver.observe(snapshot) == nil, "it is a snapshot still")
            let file = try await driver.manageable(in: trial.subject.pool).first { $0.name == name }
            let isRight = file?.isSnapshot == true && file?.bytes == VolumeTrial.bytes
            try trial.expect(isRight, "\(String(describing: file))")
            let small = try await trial.whole(trial.spec(VolumeTrial.bytes / 2))
            let (bad, id) = (trial.snapshotID(), trial.snapshotID())
            try await trial.expectRefusal(.badRequest, "a file that is larger than the volume") {
                try await driver.adopt(name, as: bad, of: small, fence: trial.next())
            }
            try await trial.expectRefusal(.badRequest, "a name with a folder") {
                try await driver.adopt("../\(name)", as: bad, of: volume, fence: trial.next())
            }
            for _ in 0..<2 { try await driver.adopt(name, as: id, of: volume, fence: trial.next()) }
            try await trial.isWhole(id)
            try trial.expect(try await trial.driver.observe(id)?.volume == volume, "of another volume")
            try await trial.expect(try await trial.whole(trial.spec(), from: .snapshot(id)), has: 1)
            try await trial.expectRefusal(.notFound, "the same file again") {
                try await driver.adopt(name, as: bad, of: volume, fence: trial.next())
            }
            try await trial.driver.removeSnapshot(id, fence: trial.next())
            let left = try await driver.manageable(in: trial.subject.pool)
            try trial.expect(!left.contains { $0.name == name }, "the file is there again")
        },
        VolumeDriverCheck("A volume may be made in another pool than its content") { trial in
            guard let other = trial.subject.otherPool else { throw NoSuchAbility() }
            let source = try await trial.whole(trial.spec())
            try await trial.write(5, to: source)
            let snapshot = try await trial.snapshot(of: source)
            for content in [VolumeContent.volume(source), .snapshot(snapshot)] {
                var spec = trial.spec(VolumeTrial.bytes * 2)
                spec.pool = other
                try await trial.expect(try await trial.whole(spec, from: content), has: 5)
            }
        },
        VolumeDriverCheck("A volume moves to another pool with its bytes, and back") { trial in
            let driver = try trial.ability((any VolumeMoving).self)
            guard let other = trial.subject.otherPool else { throw NoSuchAbility() }
            for (format, isThin) in [(VolumeFormat.raw, true), (.raw, false), (.qcow2, true)] {
                let spec = trial.spec(format: format, isThin: isThin)
                try await trial.whole(spec)
                try await trial.write(4, to: spec.id)
                let epoch = trial.epoch()
                _ = try await trial.connect(spec.id, epoch: epoch)
                try await trial.expectRefusal(.conflict, code: VolumeConnection.connectedCode, "in use") {
                    try await driver.move(spec.id, to: other, isThin: isThin, fence: trial.next())
                }
                try await trial.driver.disconnect(spec.id, from: trial.machine, epoch: epoch)
                try await trial.expectRefusal(.notFound, "a pool that is not there") {
                    try await driver.move(spec.id, to: "nowhere", isThin: isThin, fence: trial.next())
                }
                for (pool, isThin) in [(other, !isThin), (trial.subject.pool, isThin)] {
                    for _ in 0..<2 {
                        try await driver.move(spec.id, to: pool, isThin: isThin, fence: trial.next())
                        try await trial.isWhole(spec.id)
                    }
                    let moved = try await trial.driver.observe(spec.id)
                    try trial.expect(moved?.pool == pool && moved?.isThin == isThin, "\(String(describing: moved))")
                    try trial.expect(moved?.bytes == spec.bytes && moved?.format == format, "another volume")
                    try await trial.expect(spec.id, has: 4)
                    for name in [other, trial.subject.pool] {
                        let promised = try await trial.driver.pools().first { $0.name == name }?.provisionedBytes
                        try trial.expect(promised == (name == pool ? spec.bytes : 0), "\(name): \(promised ?? -1)")
                    }
                }
                let old = Fence(epoch: 1, generation: 0)
                try await trial.expectRefusal(.conflict, code: Fence.staleCode, "an older move") {
                    try await driver.move(spec.id, to: other, isThin: isThin, fence: old)
                }
                try await trial.driver.remove(spec.id, fence: trial.next())
            }
        },
    ]
}

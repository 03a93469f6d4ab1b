import CloudCore
import Drivers
import Foundation
import HostModel
import TestSupport

extension VolumeDriverCheck {
    /// All checks of the suite.
    package static let all: [VolumeDriverCheck] = making + copies + backups + places + machines + crashes

    private static let making: [VolumeDriverCheck] = [
        VolumeDriverCheck("A volume that is made twice is one volume, and is zeros") { trial in
            for (format, isThin) in [(VolumeFormat.raw, true), (.raw, false), (.qcow2, true), (.qcow2, false)] {
                let spec = trial.spec(format: format, isThin: isThin)
                try await trial.whole(spec)
                let first = try await trial.driver.observe(spec.id)
                let again = try await trial.driver.ensure(spec, from: .nothing, fence: trial.last)
                try trial.expect(again == first, "\(again), before \(String(describing: first))")
                try trial.expect(again.bytes == spec.bytes && again.format == format, "\(again)")
                try trial.expect(again.isThin == isThin, "\(again)")
                try trial.expect(try await trial.driver.list().filter { $0.id == spec.id } == [again], "the list")
                try trial.expect(isThin || again.usedBytes >= spec.bytes, "a thick volume takes \(again.usedBytes)")
                try await trial.expect(spec.id, has: nil)
            }
        },
        VolumeDriverCheck("An older generation or epoch is refused, also after the volume is gone") { trial in
            let spec = trial.spec()
            try await trial.driver.ensure(spec, from: .nothing, fence: Fence(epoch: 2, generation: 5))
            try await trial.isWhole(spec.id)
            for (epoch, generation) in [(1, 5), (2, 4), (3, 4)] as [(Int64, Int64)] {
                let old = Fence(epoch: epoch, generation: generation)
                try await trial.expectRefusal(.conflict, code: Fence.staleCode, "ensure with \(old)") {
                    try await trial.driver.ensure(spec, from: .nothing, fence: old)
                }
                try await trial.expectRefusal(.conflict, code: Fence.staleCode, "growth with \(old)") {
                    try await trial.driver.grow(spec.id, to: spec.bytes * 2, fence: old)
                }
                try await trial.expectRefusal(.conflict, code: Fence.staleCode, "removal with \(old)") {
                    try await trial.driver.remove(spec.id, fence: old)
                }
            }
            try await trial.driver.remove(spec.id, fence: Fence(epoch: 2, generation: 6))
            for isRestarted in [false, true] {
                if isRestarted { try await trial.restart() }
                try await trial.expectRefusal(.conflict, code: Fence.staleCode, "ensure after the removal") {
                    try await trial.driver.ensure(spec, from: .nothing, fence: Fence(epoch: 2, generation: 6))
                }
            }
            try await trial.driver.ensure(spec, from: .nothing, fence: Fence(epoch: 2, generation: 7))
        },
        VolumeDriverCheck("A snapshot has a fence of its own") { trial in
            let volume = try await trial.whole(trial.spec())
            let id = trial.snapshotID()
            try await trial.driver.snapshot(id, of: volume, fence: Fence(epoch: 1, generation: 2))
            try await trial.isWhole(id)
            let again = try await trial.driver.snapshot(id, of: volume, fence: Fence(epoch: 1, generation: 2))
            try trial.expect(again.volume == volume && again.bytes == VolumeTrial.bytes, "\(again)")
            try await trial.expectRefusal(.conflict, code: Fence.staleCode, "an old removal") {
                try await trial.driver.removeSnapshot(id, fence: Fence(epoch: 1, generation: 1))
            }
            try await trial.driver.removeSnapshot(id, fence: Fence(epoch: 1, generation: 3))
            try await trial.expectRefusal(.conflict, code: Fence.staleCode, "a late snapshot") {
                try await trial.driver.snapshot(id, of: volume, fence: Fence(epoch: 1, generation: 3))
            }
            try trial.expect(try await trial.driver.observe(id) == nil, "the snapshot is there")
            try await trial.driver.removeSnapshot(id, fence: Fence(epoch: 1, generation: 3))
        },
        VolumeDriverCheck("A volume grows, keeps its bytes, and never shrinks") { trial in
            for (format, isThin) in [(VolumeFormat.raw, true), (.qcow2, true), (.raw, false)] {
                let id = try await trial.whole(trial.spec(format: format, isThin: isThin))
                try await trial.write(7, to: id)
                for _ in 0..<2 {
                    let larger = try await trial.driver.grow(id, to: VolumeTrial.bytes * 2, fence: trial.next())
                    try trial.expect(larger.bytes == VolumeTrial.bytes * 2, "\(larger)")
                }
                let same = try await trial.driver.grow(id, to: VolumeTrial.bytes, fence: trial.next())
                try trial.expect(same.bytes == VolumeTrial.bytes * 2, "it became smaller: \(same)")
                try await trial.expect(id, has: 7)
                try await trial.expect(id, has: nil, at: [VolumeTrial.bytes, VolumeTrial.bytes * 2 - 4096])
            }
        },
        VolumeDriverCheck("A volume that no driver can make is refused") { trial in
            var spec = trial.spec()
            spec.id = VolumeID("../../etc")
            let escaping = spec
            try await trial.expectRefusal(.badRequest, "an id that is no UUID") {
                try await trial.driver.ensure(escaping, from: .nothing, fence: trial.next())
            }
            let odd = trial.spec(VolumeTrial.bytes + 1)
            try await trial.expectRefusal(.badRequest, "half a sector") {
                try await trial.driver.ensure(odd, from: .nothing, fence: trial.next())
            }
            var elsewhere = trial.spec()
            elsewhere.pool = "nowhere"
            let nowhere = elsewhere
            try await trial.expectRefusal(.notFound, "a pool that is not there") {
                try await trial.driver.ensure(nowhere, from: .nothing, fence: trial.next())
            }
            let small = trial.spec(VolumeTrial.bytes / 2)
            let source = try await trial.whole(trial.spec())
            try await trial.expectRefusal(.badRequest, "a volume that is smaller than its content") {
                try await trial.driver.ensure(small, from: .volume(source), fence: trial.next())
            }
        },
        VolumeDriverCheck("A volume that is not there can be removed twice, and nothing else") { trial in
            let id = trial.spec().id
            try await trial.driver.remove(id, fence: trial.next())
            try await trial.driver.remove(id, fence: trial.last)
            try trial.expect(try await trial.driver.observe(id) == nil, "it is there")
            try await trial.expectRefusal(.notFound, "growth") {
                try await trial.driver.grow(id, to: VolumeTrial.bytes, fence: trial.next())
            }
            try await trial.expectRefusal(.notFound, "a connection") {
                _ = try await trial.driver.connect(id, VolumeConnection(machine: trial.machine, epoch: 1))
            }
            let (snapshot, copy) = (trial.snapshotID(), trial.spec())
            try await trial.expectRefusal(.notFound, "a snapshot") {
                try await trial.driver.snapshot(snapshot, of: id, fence: trial.next())
            }
            try await trial.expectRefusal(.notFound, "a copy") {
                try await trial.driver.ensure(copy, from: .volume(id), fence: trial.next())
            }
            try trial.expect(try await trial.driver.observe(copy.id) == nil, "a refused volume is there")
            try await trial.driver.disconnect(id, from: trial.machine, epoch: 1)
        },
        VolumeDriverCheck("A pool says what it has, and refuses more than it may promise") { trial in
            func pool() async throws -> VolumePool? {
                try await trial.driver.pools().first { $0.name == trial.subject.pool }
            }
            guard let before = try await pool() else { return try trial.expect(false, "there is no such pool") }
            try trial.expect(before.totalBytes > 0 && before.freeBytes > 0, "\(before)")
            let spec = trial.spec()
            try await trial.whole(spec)
            let snapshot = try await trial.snapshot(of: spec.id)
            let with = try await pool()?.provisionedBytes
            let wanted = before.provisionedBytes + 2 * spec.bytes
            try trial.expect(with == wanted, "\(before), then \(String(describing: with))")
            for huge in [trial.spec(1 << 50), trial.spec(before.totalBytes / 512 * 512 + (1 << 30), isThin: false)] {
                try await trial.expectRefusal(.unavailable, code: VolumePool.fullCode, "\(huge)") {
                    try await trial.driver.ensure(huge, from: .nothing, fence: trial.next())
                }
                try trial.expect(try await trial.driver.observe(huge.id) == nil, "a refused volume is there")
            }
            try await trial.expectRefusal(.unavailable, code: VolumePool.fullCode, "growth without room") {
                try await trial.driver.grow(spec.id, to: 1 << 50, fence: trial.next())
            }
            try await trial.driver.remove(spec.id, fence: trial.next())
            try await trial.driver.removeSnapshot(snapshot, fence: trial.next())
            try trial.expect(try await pool()?.provisionedBytes == before.provisionedBytes, "the promise stays")
        },
        VolumeDriverCheck("Many volumes at once do not disturb each other") { trial in
            let (specs, first) = ((0..<8).map { _ in trial.spec() }, Fence(epoch: 1, generation: 1))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for spec in specs {
                    for _ in 0..<2 {
                        group.addTask { try await trial.driver.ensure(spec, from: .nothing, fence: first) }
                    }
                }
                try await group.waitForAll()
            }
            for spec in specs { try await trial.isWhole(spec.id) }
            let listed = Set(try await trial.driver.list().map(\.id))
            try trial.expect(listed.isSuperset(of: specs.map(\.id)), "listed \(listed)")
        },
        VolumeDriverCheck("No deleted byte is ever read again") { trial in
            for (format, isThin) in [(VolumeFormat.raw, true), (.raw, false), (.qcow2, true), (.qcow2, false)] {
                let spec = trial.spec(format: format, isThin: isThin)
                let places = stride(from: 0, to: spec.bytes, by: 262_144).map { $0 }
                try await trial.whole(spec)
                try await trial.write(3, to: spec.id, at: places)
                let snapshot = try await trial.snapshot(of: spec.id)
                try await trial.driver.remove(spec.id, fence: trial.next())
                try await trial.driver.removeSnapshot(snapshot, fence: trial.next())
                // The same id, and others that take the freed space.
                try await trial.whole(spec)
                try await trial.expect(spec.id, has: nil, at: places)
                let other = try await trial.whole(trial.spec(format: format, isThin: isThin))
                try await trial.expect(other, has: nil, at: places)
                try await trial.driver.grow(other, to: spec.bytes * 2, fence: trial.next())
                try await trial.expect(other, has: nil, at: places.map { $0 + spec.bytes })
            }
        },
    ]
}

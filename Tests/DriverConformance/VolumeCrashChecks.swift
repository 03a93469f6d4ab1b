import CloudCore
import Drivers
import Foundation
import HostModel
import TestSupport

extension VolumeDriverCheck {
    static let crashes: [VolumeDriverCheck] = [
        VolumeDriverCheck("A restarted process finds its volumes, snapshots and connections", restarts: true) { trial in
            let volume = trial.spec()
            let snapshot = try await trial.alive {
                try await trial.whole(volume)
                try await trial.write(1, to: volume.id)
                _ = try await trial.connect(volume.id, epoch: trial.epoch())
                return try await trial.snapshot(of: volume.id)
            }
            let before = (try await trial.driver.observe(volume.id), try await trial.driver.observe(snapshot))
            try await trial.restart()
            try await trial.alive {
                let after = (try await trial.driver.observe(volume.id), try await trial.driver.observe(snapshot))
                try trial.expect(after.0 == before.0 && after.1 == before.1, "found \(after), left \(before)")
                try trial.expect(try await trial.driver.list().contains { $0 == before.0 }, "not listed")
                let old = Fence(epoch: 1, generation: 0)
                try await trial.expectRefusal(.conflict, code: Fence.staleCode, "an older change") {
                    try await trial.driver.grow(volume.id, to: volume.bytes * 2, fence: old)
                }
            }
        },
        VolumeDriverCheck("A crash at any step leaves nothing half, and calls repeat", restarts: true) { trial in
            guard let crash = trial.subject.crash else { throw NoSuchAbility() }
            for change in CrashedChange.allCases {
                // The change is made with a crash before its first step, its second, and so on, until none is left.
                for step in 1... {
                    let run = try await trial.alive { try await CrashRun(change, trial) }
                    _ = crash(step)
                    let isDone = try await trial.alive {
                        do { try await run.make() } catch { return false }
                        return true
                    }
                    let steps = crash(nil)
                    try await trial.restart()
                    try await run.expectNothingHalf()
                    try await trial.alive {
                        try await run.make()
                        try await run.expectDone()
                        try await run.clean()
                    }
                    let left = try trial.subject.leftovers?() ?? []
                    try trial.expect(left.isEmpty, "\(change), step \(step): left \(left)")
                    if isDone, steps < step { break }
                    try trial.expect(step < 60, "\(change) has no end")
                }
            }
        },
        VolumeDriverCheck("A copy that was interrupted begins again by itself", restarts: true) { trial in
            guard let crash = trial.subject.crash else { throw NoSuchAbility() }
            let (source, copy) = (trial.spec(format: .qcow2), trial.spec())
            try await trial.alive {
                try await trial.whole(source)
                try await trial.write(6, to: source.id)
            }
            // The change is recorded, and the process ends before the copy.
            try await trial.driver.ensure(copy, from: .volume(source.id), fence: trial.next())
            let progress = try await trial.driver.observe(copy.id)?.progress
            try trial.expect(progress == .copying(percent: 0), "\(String(describing: progress))")
            try await trial.expectRefusal(.conflict, "a connection to half a volume") {
                _ = try await trial.connect(copy.id, epoch: trial.epoch())
            }
            _ = crash(nil)
            try await trial.restart()
            try await trial.alive {
                try await trial.isWhole(copy.id)
                try await trial.expect(copy.id, has: 6)
            }
        },
    ]
}

/// A change in which the process ends.
enum CrashedChange: CaseIterable {
    case blank, thick, qcow2, copy, copyToOther, backup, snapshot, grow, growQCOW2, revert, remove, removeSnapshot
    case adopt, release, adoptSnapshot, releaseSnapshot, move
}

/// One run of a change, with all that it needs, which is there before.
struct CrashRun: Sendable {
    private let change: CrashedChange
    private let trial: VolumeTrial
    private let spec: VolumeSpec
    private let source: VolumeSpec
    private let snapshot: SnapshotID
    private let file: String
    private let fence: Fence

    init(_ change: CrashedChange, _ trial: VolumeTrial) async throws {
        self.change = change
        self.trial = trial
        let isQCOW2 = [.qcow2, .growQCOW2].contains(change)
        spec = trial.spec(format: isQCOW2 ? .qcow2 : .raw, isThin: change != .thick)
        source = trial.spec(format: change == .copyToOther ? .qcow2 : .raw)
        var file = ""
        switch change {
        case .copy, .copyToOther, .snapshot, .revert, .removeSnapshot, .releaseSnapshot:
            try await trial.whole(source)
            try await trial.write(1, to: source.id)
        case .adoptSnapshot:
            try await trial.whole(source)
            file = try trial.subject.stranger?(trial.pattern(1), VolumeTrial.bytes) ?? ""
        case .grow, .growQCOW2, .remove, .release, .move:
            try await trial.whole(spec)
            try await trial.write(1, to: spec.id)
        case .adopt: file = try trial.subject.stranger?(trial.pattern(1), VolumeTrial.bytes) ?? ""
        case .blank, .thick, .qcow2, .backup: break
        }
        if [.revert, .removeSnapshot, .releaseSnapshot].contains(change) {
            snapshot = try await trial.snapshot(of: source.id)
            try await trial.write(2, to: source.id)
        } else {
            snapshot = trial.snapshotID()
        }
        self.file = file
        fence = trial.next()
    }

    /// Makes the change with the same fence at each call, and returns when it is done.
    func make() async throws {
        let driver = trial.driver
        switch change {
        case .blank, .thick, .qcow2: try await driver.ensure(spec, from: .nothing, fence: fence)
        case .backup: try await driver.ensure(spec, from: .backup(VolumeSubject.backup), fence: fence)
        case .copy, .copyToOther: try await driver.ensure(spec, from: .volume(source.id), fence: fence)
        case .snapshot:
            try await driver.snapshot(snapshot, of: source.id, fence: fence)
            return try await trial.isWhole(snapshot)
        case .grow, .growQCOW2: try await driver.grow(spec.id, to: spec.bytes * 2, fence: fence)
        case .revert:
            try await trial.ability((any VolumeReverting).self).revert(source.id, to: snapshot, fence: fence)
            return try await trial.isWhole(source.id)
        case .remove: return try await driver.remove(spec.id, fence: fence)
        case .removeSnapshot: return try await driver.removeSnapshot(snapshot, fence: fence)
        case .adopt: try await trial.ability((any VolumeAdopting).self).adopt(file, as: spec, fence: fence)
        case .release:
            _ = try await trial.ability((any VolumeAdopting).self).release(spec.id, as: nil, fence: fence)
            return
        case .adoptSnapshot:
            let able = try trial.ability((any VolumeAdopting).self)
            try await able.adopt(file, as: snapshot, of: source.id, fence: fence)
            return try await trial.isWhole(snapshot)
        case .releaseSnapshot:
            _ = try await trial.ability((any VolumeAdopting).self).release(snapshot, as: nil, fence: fence)
            return
        case .move:
            guard let other = trial.subject.otherPool else { return }
            try await trial.ability((any VolumeMoving).self).move(spec.id, to: other, isThin: true, fence: fence)
        }
        try await trial.isWhole(spec.id)
    }

    /// Looks at a volume that was interrupted, before anybody goes on with it: if it says that it is whole, it is.
    func expectNothingHalf() async throws {
        guard change != .remove, change != .release, let found = try await trial.driver.observe(spec.id) else { return }
        guard found.progress == .whole else { return }
        try await expectBytes()
    }

    func expectDone() async throws {
        switch change {
        case .remove, .release: try trial.expect(try await trial.driver.observe(spec.id) == nil, "it is there")
        case .removeSnapshot, .releaseSnapshot:
            try trial.expect(try await trial.driver.observe(snapshot) == nil, "it is there")
        case .revert: try await trial.expect(source.id, has: 1)
        case .snapshot: try await trial.expect(try await trial.whole(trial.spec(), from: .snapshot(snapshot)), has: 1)
        case .adoptSnapshot:
            let copy = try await trial.whole(trial.spec(), from: .snapshot(snapshot))
            try await trial.expect(copy, has: 1, at: [0])
        default: try await expectBytes()
        }
        if change == .grow || change == .growQCOW2 {
            try trial.expect(try await trial.driver.observe(spec.id)?.bytes == spec.bytes * 2, "another size")
        }
        if change == .move {
            let pool = try await trial.driver.observe(spec.id)?.pool
            try trial.expect(pool == trial.subject.otherPool, "it is in \(pool ?? "no pool")")
        }
    }

    private func expectBytes() async throws {
        let seed: UInt8? = [.blank, .thick, .qcow2].contains(change) ? nil : 1
        try await trial.expect(spec.id, has: seed, at: change == .adopt ? [0] : VolumeTrial.places)
    }

    func clean() async throws {
        for volume in try await trial.driver.list() { try await trial.driver.remove(volume.id, fence: trial.next()) }
        for snapshot in try await trial.driver.listSnapshots() {
            try await trial.driver.removeSnapshot(snapshot.id, fence: trial.next())
        }
        guard change == .release || change == .releaseSnapshot else { return }
        let driver = try trial.ability((any VolumeAdopting).self)
        for file in try await driver.manageable(in: spec.pool) {
            let again = trial.spec()
            try await driver.adopt(file.name, as: again, fence: trial.next())
            try await trial.driver.remove(again.id, fence: trial.next())
        }
    }
}

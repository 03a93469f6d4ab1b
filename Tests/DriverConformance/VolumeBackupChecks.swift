import CloudCore
package import Drivers
import HostModel
import NIOCore
import TestSupport

extension VolumeSubject {
    /// The source of backups that every driver under test is opened with. It has one whole content, and one of which
    /// the second piece is damaged.
    package static let backups = BackupSource { reference, sink in
        for place in VolumeTrial.places {
            if place > 0, reference == damagedBackup { throw CloudError.conflict("The backup is damaged.") }
            try await sink(place, ByteBuffer(bytes: VolumeTrial.pattern(1)))
        }
    }

    static let backup = BackupReference(manifest: "m", backup: "b", bytes: VolumeTrial.bytes)
    static let damagedBackup = BackupReference(manifest: "d", backup: "b", bytes: VolumeTrial.bytes)
}

extension VolumeDriverCheck {
    static let backups: [VolumeDriverCheck] = [
        VolumeDriverCheck("A volume of a backup has its bytes and zeros around them, and may be larger") { trial in
            for isThin in [true, false] {
                let spec = trial.spec(VolumeTrial.bytes * 2, isThin: isThin)
                let volume = try await trial.whole(spec, from: .backup(VolumeSubject.backup))
                try await trial.expect(volume, has: 1)
                try await trial.expect(volume, has: nil, at: [4096, VolumeTrial.bytes, VolumeTrial.bytes * 2 - 4096])
            }
            try await trial.expectRefusal(.badRequest, "a volume that is too small") {
                let small = trial.spec(VolumeTrial.bytes / 2)
                try await trial.driver.ensure(small, from: .backup(VolumeSubject.backup), fence: trial.next())
            }
        },
        VolumeDriverCheck("A damaged backup makes no volume") { trial in
            let spec = trial.spec()
            do {
                let content = VolumeContent.backup(VolumeSubject.damagedBackup)
                try await trial.driver.ensure(spec, from: content, fence: trial.last)
            } catch let error as CloudError where error.kind == .conflict {
                return
            }
            // Another order would begin the copy again.
            try await eventually("the failure") {
                let progress = try await trial.driver.observe(spec.id)?.progress
                guard case .failed(let problem) = progress else { return false }
                return problem.kind == .conflict
            }
        },
    ]
}

import CloudCore
import Drivers
import Foundation
import HostModel

extension FileVolumes {
    /// Makes the draft of a raw volume with the content of a backup. Only the pieces of the content are written.
    func fill(_ target: TargetFile, from backup: BackupReference, _ ticket: String) async throws {
        guard target.format == .raw else {
            throw CloudError.badRequest("A backup can only be restored into a raw volume.")
        }
        try await blocking { try VolumeFile.makeBlank(target) }
        try step("copy")
        try await settings.backups.read(backup) { [self] offset, bytes in
            if copies.isCancelled(ticket) { throw CancellationError() }
            try await blocking { try VolumeFile.write(bytes, at: offset, to: target.draft) }
            copies.note(Int(offset * 100 / max(backup.bytes, 1)), of: ticket)
        }
    }
}

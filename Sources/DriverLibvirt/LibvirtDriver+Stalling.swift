import CloudCore
import Drivers
import Foundation
package import HostModel

extension LibvirtDriver: Stalling {
    /// The bytes that must be free before a machine goes on: with less it would stand still again at once.
    private static let leastRoom: Int64 = 16 << 20

    /// QEMU repeats the writes for which there was no room, so the guest sees no error.
    @discardableResult
    package func goOn(_ id: MachineID, fence: Fence) async throws -> ObservedMachine {
        try await change(id, fence) { found in
            guard !found.fullDisks.isEmpty else { return }
            let files = try fullFiles(found)
            let hasRoom = try await connection.detached(within: .seconds(30)) {
                files.allSatisfy { Self.room(beside: $0) >= Self.leastRoom }
            }
            if hasRoom { try await start(found, fence) }
        }
    }

    private func fullFiles(_ found: ObservedMachine) throws -> [String] {
        let disks = try machine(found.id).spec.asStarted.disks
        return disks.filter { found.fullDisks.contains($0.id) }.map { folder(found.id).file(of: $0) }
    }

    /// Returns the free bytes of the file system of a file.
    private static func room(beside file: String) -> Int64 {
        var disk = statvfs()
        guard statvfs(file, &disk) == 0 else { return 0 }
        return Int64(disk.f_bavail) * Int64(disk.f_frsize)
    }
}

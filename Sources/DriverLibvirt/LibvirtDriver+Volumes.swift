import CLibvirt
import CloudCore
import Drivers
import Foundation
package import HostModel

extension LibvirtDriver: VolumeHolding {
    package func attach(_ disk: Disk, to id: MachineID, fence: Fence) async throws {
        guard case .volume(let volume) = disk.source else {
            throw CloudError.badRequest("Only a volume can be attached.")
        }
        try await plug(id, fence, Plugged(disk, at: volume.path)) { spec in
            spec.disks.removeAll { $0.id == disk.id }
            spec.disks.append(disk)
        }
    }

    package func detachDisk(_ disk: String, from id: MachineID, fence: Fence) async throws {
        guard let found = records.value(id.text)?.spec.disks.first(where: { $0.id == disk }),
            case .volume(let volume) = found.source
        else { return }
        try await unplug(id, fence, Plugged(found, at: volume.path)) { spec in spec.disks.removeAll { $0.id == disk } }
    }

    /// Takes the disk from a guest that does not release it: QEMU is ended, and starts again without the disk. QEMU has
    /// no other way in which the guest surely does not write any more.
    package func forceDetachDisk(_ disk: String, from id: MachineID, fence: Fence) async throws {
        do { return try await detachDisk(disk, from: id, fence: fence) } catch let error as CloudError {
            guard error.code == VolumeKept.code else { throw error }
        }
        let power = try await observe(id)?.power
        try await setPower(id, to: .off, fence: fence)
        try await detachDisk(disk, from: id, fence: fence)
        if power == .running { try await setPower(id, to: .running, fence: fence) }
    }

    // MARK: What a volume driver needs

    package func growDisk(_ disk: String, of id: MachineID, to bytes: Int64) async throws -> Bool {
        try await lanes.run(id) {
            guard let target = try await target(of: disk, in: id) else { return false }
            try await connection.run { calls in
                try Domains(calls: calls).with(id) { domain in
                    let unit = VIR_DOMAIN_BLOCK_RESIZE_BYTES.rawValue
                    let size = UInt64(bytes)
                    let result = calls.functions.virDomainBlockResize(domain, target, size, unit)
                    try calls.check("resize a disk of \(id)", result)
                }
            }
            return true
        }
    }

    package func copyDisk(
        _ disk: String, of id: MachineID, to path: String, format: VolumeFormat,
        progress: @escaping @Sendable (Int) -> Void
    ) async throws -> Bool {
        try await lanes.run(id) {
            guard let target = try await target(of: disk, in: id) else { return false }
            let copy = LiveCopy(path: path, format: format.rawValue, progress: progress)
            try await copyLive(id, target: target, to: copy)
            return true
        }
    }

    /// Returns libvirt's name of a volume's disk; nil if the machine does not run or does not have the volume.
    private func target(of disk: String, in id: MachineID) async throws -> String? {
        guard let machine = records.value(id.text),
            machine.spec.disks.contains(where: { $0.id == disk && !$0.isLocal }), let target = machine.targets[disk]
        else { return nil }
        return try await connection.run { calls in
            guard try Domains(calls: calls).state(id)?.isActive == true else { return nil }
            // A disk that was only recorded is not the guest's.
            return try Domains(calls: calls).document(id).contains("dev='\(target)'") ? target : nil
        }
    }
}

import CLibvirt
import CloudCore
import Drivers
import Foundation
package import HostModel

extension LibvirtDriver: Snapshotting {
    package func snapshot(_ id: MachineID, as snapshot: String, fence: Fence) async throws -> DiskSnapshot {
        guard PathPart.isUUID(snapshot) else { throw CloudError.badRequest("A snapshot's id must be a UUID in lower case.") }
        let path = "\(settings.folder)/snapshots/\(snapshot).qcow2"
        try await change(id, fence) { found in
            let machine = try machine(id)
            guard let root = machine.spec.rootDisk, root.isLocal, let target = machine.targets[root.id] else {
                throw CloudError.conflict("The machine has no disk of its own.")
            }
            guard access(path, F_OK) != 0 else { return }
            if found.power == .running || found.power == .paused {
                let draft = path + ".draft"
                try await copyLive(id, target: target, to: LiveCopy(path: draft, format: "qcow2"))
                try await connection.detached(within: .seconds(60)) { try DiskImage.adopt(draft, as: path) }
            } else {
                let file = folder(id).file(of: root)
                try await connection.detached(within: .seconds(3700)) {
                    try DiskImage.copy(file, isQCOW2: file.hasSuffix(".qcow2"), to: path)
                }
            }
        }
        return try await connection.detached(within: .seconds(90)) {
            var status = stat()
            guard stat(path, &status) == 0 else { throw DurableFile.failure("read", path) }
            return DiskSnapshot(
                path: path, format: "qcow2", virtualBytes: try DiskImage.virtualBytes(path, isQCOW2: true), sizeBytes: Int64(status.st_size))
        }
    }

    package func removeSnapshot(_ snapshot: String) async throws {
        guard PathPart.isUUID(snapshot) else { return }
        let path = "\(settings.folder)/snapshots/\(snapshot).qcow2"
        try await connection.detached(within: .seconds(60)) {
            unlink(path + ".draft")
            try DurableFile.remove(path)
        }
    }

    /// Copies the disk of a running machine. QEMU copies the disk as it was when the copy began, while the guest
    /// continues to write (libvirt's push backup). The copy is flat.
    func copyLive(_ id: MachineID, target: String, to copy: LiveCopy) async throws {
        var xml = XMLWriter()
        xml.element("domainbackup", ["mode": "push"]) { xml in
            xml.element("disks") { xml in
                xml.element("disk", ["name": target, "backup": "yes", "type": "file"]) { xml in
                    xml.element("driver", ["type": copy.format])
                    xml.element("target", ["file": copy.path])
                }
            }
        }
        let document = xml.text
        let folder = (copy.path as NSString).deletingLastPathComponent
        try await connection.run { calls in
            try Domains(calls: calls).with(id) { domain in
                // A copy that an earlier process has begun belongs to nobody now, whether libvirt has recorded it or
                // not.
                if calls.functions.virDomainAbortJob(domain) == 0 { try Self.waitForNoJob(id, domain, calls) }
                try EmulatorMonitor(calls: calls, id: id, domain: domain).endCopies(into: folder)
                unlink(copy.path)
                try calls.check("copy the disk of \(id)", calls.functions.virDomainBackupBegin(domain, document, nil, 0))
            }
        }
        let clock = ContinuousClock()
        let end = clock.now + .seconds(3600)
        while try await connection.run({ calls in try Self.isCopying(id, copy, calls) }) {
            guard clock.now < end, !Task.isCancelled else {
                try await connection.run { calls in try Domains(calls: calls).with(id) { _ = calls.functions.virDomainAbortJob($0) } }
                throw CloudError(.unavailable, "The disk could not be copied in time.", detail: "\(id)", code: "snapshot_failed")
            }
            try await clock.sleep(for: .milliseconds(50))
        }
    }

    /// Returns whether the copy still runs.
    ///
    /// - Throws: `unavailable` if the copy has failed.
    private static func isCopying(_ id: MachineID, _ copy: LiveCopy, _ calls: LibvirtConnection.Calls) throws -> Bool {
        try Domains(calls: calls).with(id) { domain in
            if try jobType(id, domain, calls, tell: copy.progress) != VIR_DOMAIN_JOB_NONE { return true }
            var complaint = ""
            let flags = VIR_DOMAIN_JOB_STATS_COMPLETED.rawValue
            let ended = try jobType(id, domain, calls, flags, hear: { complaint = $0 })
            guard ended == VIR_DOMAIN_JOB_COMPLETED else {
                if complaint.contains("No space left") {
                    throw CloudError(
                        .unavailable, "There is no room for a copy of the disk.", detail: "\(id): \(complaint)",
                        code: VolumePool.fullCode)
                }
                var failed = CloudError(.unavailable, "The disk could not be copied.", detail: "\(id): job \(ended)", code: "snapshot_failed")
                failed.isTransient = true
                throw failed
            }
            return false
        }
    }

    private static func jobType(
        _ id: MachineID, _ domain: OpaquePointer, _ calls: LibvirtConnection.Calls, _ flags: UInt32 = 0,
        tell: (Int) -> Void = { _ in }, hear: (String) -> Void = { _ in }
    ) throws -> virDomainJobType {
        var type: Int32 = 0
        var parameters: virTypedParameterPtr?
        var count: Int32 = 0
        try calls.check("ask for the job of \(id)", calls.functions.virDomainGetJobStats(domain, &type, &parameters, &count, flags))
        var (done, total): (UInt64, UInt64) = (0, 0)
        let get = calls.functions.virTypedParamsGetULLong
        let hasDone = get?(parameters, count, "disk_processed", &done) == 1
        let isTold = hasDone && get?(parameters, count, "disk_total", &total) == 1
        if isTold, total > 0 { tell(Int(done * 100 / total)) }
        var complaint: UnsafePointer<CChar>?
        if calls.functions.virTypedParamsGetString(parameters, count, "errmsg", &complaint) == 1, let complaint {
            hear(String(cString: complaint))
        }
        calls.functions.virTypedParamsFree(parameters, count)
        return virDomainJobType(rawValue: UInt32(bitPattern: type))
    }

    /// Waits until a job that was aborted has ended in QEMU.
    private static func waitForNoJob(_ id: MachineID, _ domain: OpaquePointer, _ calls: LibvirtConnection.Calls) throws {
        for _ in 0..<300 {
            if try jobType(id, domain, calls) == VIR_DOMAIN_JOB_NONE { return }
            usleep(100_000)
        }
    }
}

extension DiskImage {
    /// Gives a finished draft its name.
    static func adopt(_ draft: String, as path: String) throws(CloudError) {
        // Its owner may be the user under which QEMU runs.
        guard chown(draft, geteuid(), getegid()) == 0, chmod(draft, 0o600) == 0 else {
            throw DurableFile.failure("name", path)
        }
        try DurableFile.publish(draft, as: path)
    }
}

extension LibvirtDriver: Resizing {
    @discardableResult
    package func resize(to spec: MachineSpec, fence: Fence) async throws -> ObservedMachine {
        try spec.check()
        return try await change(spec.id, fence) { found in
            guard found.power == .off || found.power == .crashed else { throw CloudError.conflict("The machine is \(found.power.rawValue).") }
            try spec.requireNoShrinking(from: try machine(spec.id).spec)
            try await images.with(spec.images) { try await shape(spec, fence, $0) }
        }
    }
}

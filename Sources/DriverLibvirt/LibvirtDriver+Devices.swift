import CLibvirt
import CloudCore
import Drivers
import Foundation
package import HostModel

extension LibvirtDriver: InterfaceAttaching {
    package func attach(_ nic: NIC, to id: MachineID, fence: Fence) async throws {
        let alias = DomainXML.alias(of: nic)
        try await plug(id, fence, isThere: { $0.contains("address='\(nic.mac)'") }) { spec in
            spec.nics.removeAll { $0.id == nic.id }
            spec.nics.append(nic)
        } device: {
            $0.device(nic)
        } clear: {
            try $0.removeCard(alias)
        }
    }

    package func detachNIC(_ nic: String, from id: MachineID, fence: Fence) async throws {
        guard let card = records.value(id.text)?.spec.nics.first(where: { $0.id == nic }) else { return }
        try await unplug(id, fence, isThere: { $0.contains("address='\(card.mac)'") }, device: { $0.device(card) }) { spec in
            spec.nics.removeAll { $0.id == nic }
        }
    }
}

extension LibvirtDriver: VolumeAttaching {
    package func attach(_ disk: Disk, to id: MachineID, fence: Fence) async throws {
        guard case .volume(let volume) = disk.source else { throw CloudError.badRequest("Only a volume can be attached.") }
        let path = XMLWriter.escaped(volume.path)
        try await plug(id, fence, isThere: { $0.contains("'\(path)'") }) { spec in
            spec.disks.removeAll { $0.id == disk.id }
            spec.disks.append(disk)
        } device: { $0.device(disk) }
    }

    package func detachDisk(_ disk: String, from id: MachineID, fence: Fence) async throws {
        guard let found = records.value(id.text)?.spec.disks.first(where: { $0.id == disk }), case .volume(let volume) = found.source else {
            return
        }
        let path = XMLWriter.escaped(volume.path)
        try await unplug(id, fence, isThere: { $0.contains("'\(path)'") }, device: { $0.device(found) }) { spec in
            spec.disks.removeAll { $0.id == disk }
        }
    }
}

extension LibvirtDriver {
    /// Adds a device to the machine's definition, and to the running machine.
    ///
    /// - Parameter clear: removes what an earlier process has left of the device in QEMU, unknown to libvirt.
    private func plug(
        _ id: MachineID, _ fence: Fence, isThere: @escaping @Sendable (String) -> Bool, _ add: (inout MachineSpec) -> Void,
        device: (DomainXML) -> String, clear: @escaping @Sendable (EmulatorMonitor) throws -> Void = { _ in }
    ) async throws {
        try await change(id, fence) { found in
            var spec = try machine(id).spec
            add(&spec)
            try spec.check()
            try await images.with(spec.images) { try await shape(spec, fence, $0) }
            guard found.power == .running || found.power == .paused else { return }
            let xml = device(document(try machine(id)))
            try await connection.run { calls in
                guard !isThere(try Domains(calls: calls).document(id)) else { return }
                try Domains(calls: calls).with(id) { domain in
                    try clear(EmulatorMonitor(calls: calls, id: id, domain: domain))
                    let flags = VIR_DOMAIN_AFFECT_LIVE.rawValue
                    try calls.check("plug into \(id)", calls.functions.virDomainAttachDeviceFlags(domain, xml, flags))
                }
            }
        }
    }

    /// Removes a device from the running machine, and waits until the guest has released it. Only then is it removed
    /// from the definition as well.
    private func unplug(
        _ id: MachineID, _ fence: Fence, isThere: @escaping @Sendable (String) -> Bool, device: (DomainXML) -> String,
        _ remove: (inout MachineSpec) -> Void
    ) async throws {
        try await change(id, fence) { found in
            if found.power == .running || found.power == .paused {
                try await release(id, isThere: isThere, device(document(try machine(id))))
            }
            var spec = try machine(id).spec
            remove(&spec)
            try await images.with(spec.images) { try await shape(spec, fence, $0) }
        }
    }

    private func release(_ id: MachineID, isThere: @escaping @Sendable (String) -> Bool, _ xml: String) async throws {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(60)
        var nextAsk = clock.now
        while try await connection.run({ calls in isThere(try Domains(calls: calls).document(id)) }) {
            guard clock.now < end else {
                var kept = CloudError(.conflict, "The guest does not let go of the device.", detail: "\(id)", code: "device_kept")
                kept.isTransient = true
                throw kept
            }
            if clock.now >= nextAsk {
                // A guest that is still starting does not react, so it is asked again. libvirt refuses a second request
                // while the first is open.
                nextAsk = clock.now + .seconds(8)
                try await connection.run { calls in
                    try Domains(calls: calls).with(id) { _ = calls.functions.virDomainDetachDeviceFlags($0, xml, VIR_DOMAIN_AFFECT_LIVE.rawValue) }
                }
            }
            try await clock.sleep(for: .milliseconds(100))
        }
    }
}

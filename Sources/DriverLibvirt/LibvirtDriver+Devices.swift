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
        let device = Plugged(alias: DomainXML.alias(of: card), xml: document(try machine(id)).device(card)) { document in
            document.contains("address='\(card.mac)'")
        }
        try await unplug(id, fence, device) { spec in spec.nics.removeAll { $0.id == nic } }
    }
}

extension LibvirtDriver {
    /// Adds a device to the machine's definition, and to the running machine.
    ///
    /// - Parameter clear: removes what an earlier process has left of the device in QEMU, unknown to libvirt.
    func plug(
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
    func unplug(
        _ id: MachineID, _ fence: Fence, _ device: Plugged, _ remove: (inout MachineSpec) -> Void
    ) async throws {
        try await change(id, fence) { found in
            if found.power == .running || found.power == .paused {
                try await release(id, device)
            }
            var spec = try machine(id).spec
            remove(&spec)
            try await images.with(spec.images) { try await shape(spec, fence, $0) }
        }
    }

    /// A device that a machine is to release.
    struct Plugged: Sendable {
        /// libvirt's name of the device.
        var alias: String
        /// The device in libvirt's words.
        var xml: String
        /// Whether the device is in libvirt's document of the machine.
        var isThere: @Sendable (String) -> Bool
        /// Whether QEMU has also let go of what is behind the device.
        var isClosed: @Sendable (EmulatorMonitor) throws -> Bool = { _ in true }
    }

    private func release(_ id: MachineID, _ device: Plugged) async throws {
        let clock = ContinuousClock()
        let end = clock.now + settings.releaseTime
        var nextAsk = clock.now
        while try await !connection.run({ calls in try Self.isReleased(id, device, calls) }) {
            guard clock.now < end else { throw VolumeKept.error(id) }
            if clock.now >= nextAsk {
                // A guest that is still starting does not react, so it is asked again. libvirt refuses a second request
                // while the first is open.
                nextAsk = clock.now + .seconds(8)
                try await connection.run { calls in
                    let document = try Domains(calls: calls).document(id)
                    guard device.isThere(document) else { return }
                    try Domains(calls: calls).with(id) { domain in
                        let live = VIR_DOMAIN_AFFECT_LIVE.rawValue
                        // By its alias libvirt does not wait for the guest. A device of an older process has another.
                        if document.contains("alias name='\(device.alias)'") {
                            _ = calls.functions.virDomainDetachDeviceAlias(domain, device.alias, live)
                        } else {
                            _ = calls.functions.virDomainDetachDeviceFlags(domain, device.xml, live)
                        }
                    }
                }
            }
            try await clock.sleep(for: .milliseconds(50))
        }
    }

    /// Returns whether neither libvirt nor QEMU has the device. libvirt forgets a disk a moment before QEMU closes it.
    private static func isReleased(_ id: MachineID, _ device: Plugged, _ calls: LibvirtConnection.Calls) throws -> Bool {
        guard !device.isThere(try Domains(calls: calls).document(id)) else { return false }
        return try Domains(calls: calls).with(id) { domain in
            // A machine that ends meanwhile has released everything.
            guard try Domains(calls: calls).state(id)?.isActive == true else { return true }
            return try device.isClosed(EmulatorMonitor(calls: calls, id: id, domain: domain))
        }
    }
}

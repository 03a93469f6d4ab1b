import CLibvirt
import CloudCore
import Drivers
import Foundation
package import HostModel

extension LibvirtDriver: InterfaceAttaching {
    package func attach(_ nic: NIC, to id: MachineID, fence: Fence) async throws {
        try await plug(id, fence, Plugged(card: nic)) { spec in
            spec.nics.removeAll { $0.id == nic.id }
            spec.nics.append(nic)
        }
    }

    package func detachNIC(_ nic: String, from id: MachineID, fence: Fence) async throws {
        guard let card = records.value(id.text)?.spec.nics.first(where: { $0.id == nic }) else { return }
        try await unplug(id, fence, Plugged(card: card)) { spec in spec.nics.removeAll { $0.id == nic } }
    }
}

extension LibvirtDriver {
    /// A device that a running machine gets or releases.
    struct Plugged: Sendable {
        /// The names that the device can have in libvirt and QEMU.
        var names: [String]
        /// Returns the device in libvirt's words.
        var xml: @Sendable (DomainXML) -> String
        /// Whether the device is in libvirt's document of the machine.
        var isThere: @Sendable (String) -> Bool
        /// Removes a device of this name that QEMU has and libvirt does not know.
        var clear: @Sendable (EmulatorMonitor, String) throws -> Void
        /// Whether QEMU has also let go of what is behind the device.
        var isClosed: @Sendable (EmulatorMonitor) throws -> Bool = { _ in true }

        init(card: NIC) {
            names = DomainXML.names(of: card.id)
            xml = { $0.device(card) }
            isThere = { $0.contains("address='\(card.mac)'") }
            clear = { try $0.removeCard($1) }
        }

        init(_ disk: Disk, at file: String) {
            let path = XMLWriter.escaped(file)
            names = DomainXML.names(of: disk.id)
            xml = { $0.device(disk) }
            isThere = { $0.contains("'\(path)'") }
            clear = { try $0.removeDisk($1, file: file) }
            isClosed = { try !$0.hasFile(file) }
        }

        /// Removes what QEMU has of the device, unknown to libvirt.
        ///
        /// - Returns: whether a device had the first name.
        func clearAll(_ monitor: EmulatorMonitor) throws -> Bool {
            let hadFirst = try monitor.hasDevice(names[0])
            // Without a device, there may still be what is behind one.
            for name in names { try clear(monitor, name) }
            return hadFirst
        }
    }

    /// Adds a device to the machine's definition, and to the running machine.
    func plug(_ id: MachineID, _ fence: Fence, _ device: Plugged, _ add: (inout MachineSpec) -> Void) async throws {
        try await change(id, fence) { found in
            var spec = try machine(id).spec
            add(&spec)
            try spec.check()
            try await images.with(spec.images) { try await shape(spec, fence, $0) }
            guard found.power == .running || found.power == .paused else { return }
            var document = document(try machine(id))
            let first = device.xml(document)
            document.hasSecondNames = true
            let second = device.xml(document)
            try await connection.run { calls in
                guard !device.isThere(try Domains(calls: calls).document(id)) else { return }
                try Domains(calls: calls).with(id) { domain in
                    let monitor = EmulatorMonitor(calls: calls, id: id, domain: domain)
                    let xml = try device.clearAll(monitor) ? second : first
                    let flags = VIR_DOMAIN_AFFECT_LIVE.rawValue
                    try calls.check("plug into \(id)", calls.functions.virDomainAttachDeviceFlags(domain, xml, flags))
                }
            }
        }
    }

    /// Removes a device from the running machine, and waits until the guest has released it. Only then is it removed
    /// from the definition as well.
    func unplug(_ id: MachineID, _ fence: Fence, _ device: Plugged, _ remove: (inout MachineSpec) -> Void) async throws {
        try await change(id, fence) { found in
            if found.power == .running || found.power == .paused {
                try await release(id, device)
            }
            var spec = try machine(id).spec
            remove(&spec)
            try await images.with(spec.images) { try await shape(spec, fence, $0) }
        }
    }

    private func release(_ id: MachineID, _ device: Plugged) async throws {
        let clock = ContinuousClock()
        let end = clock.now + settings.releaseTime
        var nextAsk = clock.now
        let xml = device.xml(document(try machine(id)))
        while try await !connection.run({ calls in try Self.isReleased(id, device, calls) }) {
            guard clock.now < end else { throw VolumeKept.error(id) }
            if clock.now >= nextAsk {
                // A guest that is still starting does not react, so it is asked again. libvirt refuses a second request
                // while the first is open.
                nextAsk = clock.now + .seconds(8)
                try await connection.run { calls in try Self.askToRelease(id, device, xml, calls) }
            }
            try await clock.sleep(for: .milliseconds(50))
        }
    }

    private static func askToRelease(
        _ id: MachineID, _ device: Plugged, _ xml: String, _ calls: LibvirtConnection.Calls
    ) throws {
        let document = try Domains(calls: calls).document(id)
        try Domains(calls: calls).with(id) { domain in
            guard device.isThere(document) else {
                _ = try device.clearAll(EmulatorMonitor(calls: calls, id: id, domain: domain))
                return
            }
            let live = VIR_DOMAIN_AFFECT_LIVE.rawValue
            // By its alias libvirt does not wait for the guest. A device of an older process has another.
            if let name = device.names.first(where: { document.contains("alias name='\($0)'") }) {
                _ = calls.functions.virDomainDetachDeviceAlias(domain, name, live)
            } else {
                _ = calls.functions.virDomainDetachDeviceFlags(domain, xml, live)
            }
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

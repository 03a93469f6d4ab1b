import CloudCore
import Drivers
import HostModel

/// A machine in libvirt's XML (https://libvirt.org/formatdomain.html).
struct DomainXML {
    let spec: MachineSpec
    let placement: Placement
    /// Whether cards and volumes have their second names (see `names(of:)`).
    var hasSecondNames = false

    /// The facts that this host adds to the specification.
    struct Placement {
        var usesKVM: Bool
        /// The translated code that QEMU keeps when it emulates, in MiB; without this limit QEMU keeps a GiB.
        var translationCacheMiB: Int
        var folder: String
        /// The path of the file of each local disk.
        var files: [String: String]
        /// The image under each disk.
        var bases: [String: (path: String, isQCOW2: Bool)]
        /// The names of the disks' devices, such as `vda`, by disk id.
        var targets: [String: String]
        var guestUser: UInt32?
        var guestGroup: UInt32?
    }

    /// The namespace of the element that marks a domain as ours.
    static let namespace = "https://novella.dev/machine/1"

    func text() throws(CloudError) -> String {
        try check()
        var xml = XMLWriter()
        xml.element("domain", ["type": placement.usesKVM ? "kvm" : "qemu"]) { xml in
            xml.element("name", text: spec.id.text)
            xml.element("uuid", text: spec.id.text)
            xml.element("title", text: String(spec.name.prefix(200)))
            xml.element("metadata") { $0.element("novella:machine", ["xmlns:novella": Self.namespace]) }
            xml.element("memory", ["unit": "MiB"], text: "\(spec.memoryMiB)")
            xml.element("vcpu", text: "\(spec.cpu.count)")
            identity(&xml)
            boot(&xml)
            features(&xml)
            cpu(&xml)
            clock(&xml)
            xml.element("on_poweroff", text: "destroy")
            xml.element("on_reboot", text: "restart")
            xml.element("on_crash", text: "destroy")
            xml.element("devices") { devices(&$0) }
            if let user = placement.guestUser {
                let group = placement.guestGroup ?? user
                xml.element("seclabel", ["type": "static", "model": "dac", "relabel": "yes"]) {
                    $0.element("label", text: "+\(user):+\(group)")
                }
            }
        }
        return xml.text
    }

    private func check() throws(CloudError) {
        var names: [String] = []
        if case .named(let type) = spec.platform.machineType { names.append(type) }
        if case .named(let model) = spec.cpu.model { names.append(model) }
        for name in names where !name.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) || name.utf8.count > 64 {
            throw .badRequest("The host knows no '\(name)'.")
        }
    }

    private var isX86: Bool { spec.platform.architecture == .x86_64 }

    /// Writes the facts by which cloud-init recognises the cloud.
    private func identity(_ xml: inout XMLWriter) {
        guard isX86 else { return }
        xml.element("sysinfo", ["type": "smbios"]) { xml in
            xml.element("system") { xml in
                xml.element("entry", ["name": "manufacturer"], text: "OpenStack Foundation")
                xml.element("entry", ["name": "product"], text: "OpenStack Nova")
                xml.element("entry", ["name": "serial"], text: spec.id.text)
                xml.element("entry", ["name": "uuid"], text: spec.id.text)
                xml.element("entry", ["name": "family"], text: "Virtual Machine")
            }
        }
    }

    private var machineType: String {
        if case .named(let type) = spec.platform.machineType { return type }
        return isX86 ? "q35" : "virt"
    }

    /// Whether devices are plugged into PCI Express ports, which must exist beforehand.
    private var hasPCIExpress: Bool { machineType.contains("q35") || machineType.contains("virt") }

    private func boot(_ xml: inout XMLWriter) {
        let type = machineType
        func content(_ xml: inout XMLWriter) {
            xml.element("type", ["arch": spec.platform.architecture.rawValue, "machine": type], text: "hvm")
            if case .kernel(_, let ramdisk, let line) = spec.boot {
                xml.element("kernel", text: "\(placement.folder)/kernel")
                if ramdisk != nil { xml.element("initrd", text: "\(placement.folder)/ramdisk") }
                // On a busy host a guest with an emulated CPU gets its interrupts late. Linux then stops with a kernel
                // panic if the timer's interrupts do not come as soon as it looks for them.
                xml.element("cmdline", text: isX86 && !placement.usesKVM ? "\(line) no_timer_check" : line)
            }
            if isX86 { xml.element("smbios", ["mode": "sysinfo"]) }
            if spec.hardware.hasBootMenu { xml.element("bootmenu", ["enable": "yes"]) }
        }
        switch spec.platform.firmware {
        case .uefi(let secure):
            xml.element("os", ["firmware": "efi"]) { xml in
                content(&xml)
                xml.element("firmware") { $0.element("feature", ["enabled": secure ? "yes" : "no", "name": "secure-boot"]) }
            }
        case .hostDefault where !isX86: xml.element("os", ["firmware": "efi"]) { content(&$0) }
        case .hostDefault, .bios: xml.element("os") { content(&$0) }
        }
    }

    private func features(_ xml: inout XMLWriter) {
        xml.element("features") { xml in
            xml.element("acpi")
            if isX86 { xml.element("apic") }
            if case .uefi(secureBoot: true) = spec.platform.firmware { xml.element("smm", ["state": "on"]) }
            if !placement.usesKVM {
                xml.element("tcg") { $0.element("tb-cache", ["unit": "MiB"], text: "\(placement.translationCacheMiB)") }
            }
        }
    }

    private func cpu(_ xml: inout XMLWriter) {
        let shape: XMLWriter.Attributes = [
            "sockets": "\(spec.cpu.sockets)", "cores": "\(spec.cpu.cores)", "threads": "\(spec.cpu.threads)",
        ]
        func custom(_ model: String) {
            // Emulated CPUs have the features that QEMU can emulate, which libvirt's comparison with the host's CPU
            // would refuse.
            let check = placement.usesKVM ? "partial" : "none"
            xml.element("cpu", ["mode": "custom", "match": "exact", "check": check]) { xml in
                xml.element("model", ["fallback": "forbid"], text: model)
                xml.element("topology", shape)
            }
        }
        switch spec.cpu.model {
        case .named(let model): custom(model)
        case .hostPassthrough: xml.element("cpu", ["mode": "host-passthrough"]) { $0.element("topology", shape) }
        case .hostModel: xml.element("cpu", ["mode": "host-model"]) { $0.element("topology", shape) }
        case .hostDefault where placement.usesKVM: xml.element("cpu", ["mode": "host-model"]) { $0.element("topology", shape) }
        // This is the least CPU on which current distributions start (x86-64-v2), and every QEMU can emulate and
        // migrate it.
        case .hostDefault: custom(isX86 ? "Nehalem" : "cortex-a57")
        }
    }

    private func clock(_ xml: inout XMLWriter) {
        xml.element("clock", ["offset": "utc"]) { xml in
            guard isX86 else { return }
            xml.element("timer", ["name": "pit", "tickpolicy": "delay"])
            xml.element("timer", ["name": "rtc", "tickpolicy": "catchup"])
            xml.element("timer", ["name": "hpet", "present": "no"])
        }
    }

    /// The number of free ports for cards and volumes that are attached later.
    private static let sparePorts = 16

    private func devices(_ xml: inout XMLWriter) {
        if hasPCIExpress {
            xml.element("controller", ["type": "pci", "index": "0", "model": "pcie-root"])
            for _ in 0..<spec.disks.count + spec.nics.count + Self.sparePorts {
                xml.element("controller", ["type": "pci", "model": "pcie-root-port"])
            }
        }
        if spec.disks.contains(where: { bus(of: $0) == .scsi }) { xml.element("controller", ["type": "scsi", "model": "virtio-scsi"]) }
        xml.element("controller", ["type": "usb", "model": "qemu-xhci"])
        let isOrdered = spec.disks.contains { $0.bootOrder != nil }
        for (place, disk) in spec.disks.enumerated() {
            self.disk(disk, boot: spec.boot == .disk ? isOrdered ? disk.bootOrder : place + 1 : nil, &xml)
        }
        for nic in spec.nics { self.nic(nic, &xml) }
        xml.element("serial", ["type": "file"]) { $0.element("source", ["path": "\(placement.folder)/console.log", "append": "on"]) }
        xml.element("graphics", ["type": "vnc"]) { $0.element("listen", ["type": "socket"]) }
        xml.element("video") { $0.element("model", ["type": spec.hardware.video.rawValue]) }
        xml.element("input", ["type": "tablet", "bus": spec.hardware.input.rawValue])
        if spec.hardware.hasGuestAgent {
            xml.element("channel", ["type": "unix"]) { $0.element("target", ["type": "virtio", "name": "org.qemu.guest_agent.0"]) }
        }
        if spec.hardware.hasRandomness {
            xml.element("rng", ["model": "virtio"]) { $0.element("backend", ["model": "random"], text: "/dev/urandom") }
        }
        if let action = spec.hardware.watchdog {
            xml.element("watchdog", ["model": isX86 ? "i6300esb" : "itco", "action": action.rawValue])
        }
        xml.element("memballoon", ["model": "virtio"])
    }

    private func bus(of disk: Disk) -> DiskBus {
        disk.bus ?? (disk.kind == .cdrom ? spec.hardware.cdromBus : spec.hardware.diskBus)
    }

    /// Returns the XML of one device, for attaching and detaching it.
    func device(_ disk: Disk) -> String {
        var xml = XMLWriter()
        self.disk(disk, boot: nil, &xml)
        return xml.text
    }

    func device(_ nic: NIC) -> String {
        var xml = XMLWriter()
        self.nic(nic, &xml)
        return xml.text
    }

    private func disk(_ disk: Disk, boot: Int?, _ xml: inout XMLWriter) {
        var isDevice = false
        var format = "raw"
        var path = placement.files[disk.id] ?? ""
        switch disk.source {
        case .image: format = "qcow2"
        case .volume(.device(let device)): (isDevice, path) = (true, device)
        case .volume(.file(let file, let isQCOW2)): (path, format) = (file, isQCOW2 ? "qcow2" : "raw")
        case .blank, .swap, .configDrive: break
        }
        xml.element("disk", ["type": isDevice ? "block" : "file", "device": disk.kind.rawValue]) { xml in
            // Blocks that the guest discards go back to the pool.
            let driver: XMLWriter.Attributes =
                disk.isLocal ? ["name": "qemu", "type": format] : ["name": "qemu", "type": format, "discard": "unmap"]
            xml.element("driver", driver)
            xml.element("source", isDevice ? ["dev": path] : ["file": path])
            if let base = placement.bases[disk.id] {
                // The chain is stated in full, so that nothing is probed. Many machines read the base, so it must
                // belong to none of their users.
                xml.element("backingStore", ["type": "file"]) { xml in
                    xml.element("format", ["type": base.isQCOW2 ? "qcow2" : "raw"])
                    xml.element("source", ["file": base.path]) { $0.element("seclabel", ["model": "dac", "relabel": "no"]) }
                    xml.element("backingStore")
                }
            }
            xml.element("target", ["dev": placement.targets[disk.id] ?? "", "bus": bus(of: disk).rawValue])
            if let serial = disk.serial { xml.element("serial", text: serial) }
            let isConfigDrive = if case .configDrive = disk.source { true } else { false }
            if isConfigDrive || disk.isReadOnly { xml.element("readonly") }
            if disk.isShared { xml.element("shareable") }
            if let rates = disk.rates { self.rates(rates, &xml) }
            if !disk.isLocal { xml.element("alias", ["name": name(of: disk.id)]) }
            if let boot { xml.element("boot", ["order": "\(boot)"]) }
        }
    }

    private func rates(_ rates: DiskRates, _ xml: inout XMLWriter) {
        let bounds: [(StaticString, Int64?)] = [
            ("total_bytes_sec", rates.bytes.total), ("read_bytes_sec", rates.bytes.read),
            ("write_bytes_sec", rates.bytes.write),
            ("total_iops_sec", rates.operations.total), ("read_iops_sec", rates.operations.read),
            ("write_iops_sec", rates.operations.write),
            ("total_bytes_sec_max", rates.burstBytes.total), ("read_bytes_sec_max", rates.burstBytes.read),
            ("write_bytes_sec_max", rates.burstBytes.write),
            ("total_iops_sec_max", rates.burstOperations.total), ("read_iops_sec_max", rates.burstOperations.read),
            ("write_iops_sec_max", rates.burstOperations.write), ("size_iops_sec", rates.operationBytes),
        ]
        xml.element("iotune") { xml in
            for case (let name, let number?) in bounds { xml.element(name, text: "\(number)") }
        }
    }

    private func nic(_ nic: NIC, _ xml: inout XMLWriter) {
        xml.element("interface", ["type": "ethernet"]) { xml in
            xml.element("mac", ["address": nic.mac])
            // The network driver has made the tap.
            xml.element("target", ["dev": nic.tap, "managed": "no"])
            xml.element("model", ["type": (nic.model ?? spec.hardware.nicModel).rawValue])
            if let mtu = nic.mtu { xml.element("mtu", ["size": "\(mtu)"]) }
            xml.element("alias", ["name": name(of: nic.id)])
        }
    }

    private func name(of device: String) -> String { Self.names(of: device)[hasSecondNames ? 1 : 0] }

    /// Returns the two names that a card or a volume can have in libvirt and QEMU. They are set explicitly, so that a
    /// device that libvirt does not know can be found. libvirt demands the prefix.
    ///
    /// If such a device had one name, the next one gets the other. libvirt hears of the end of the first one late,
    /// knows it by its name alone, and would forget the next one.
    static func names(of device: String) -> [String] { ["ua-\(device)", "ua-\(device)-2"] }

    /// Returns the names of the disks' devices. Existing names are kept, because a running guest knows them. If another
    /// disk comes first than before, as with a rescue, the guest does not run and all disks get new names, since
    /// libvirt orders disks by name.
    static func targets(for spec: MachineSpec, keeping former: [String: String]) -> [String: String] {
        let isFirst = { (name: String) in name.hasSuffix("da") && name.count == 3 }
        let first = spec.disks.first?.id
        let isReordered = spec.disks.contains { $0.id != first && former[$0.id].map(isFirst) == true }
            || first.flatMap { former[$0] }.map { !isFirst($0) } == true
        let old = isReordered ? [:] : former
        var targets: [String: String] = [:]
        for disk in spec.disks { targets[disk.id] = old[disk.id] }
        for disk in spec.disks where targets[disk.id] == nil {
            let bus = disk.bus ?? (disk.kind == .cdrom ? spec.hardware.cdromBus : spec.hardware.diskBus)
            let used = Set(targets.values)
            targets[disk.id] = (0..<702).lazy.map { bus.deviceName($0) }.first { !used.contains($0) }
        }
        return targets
    }
}

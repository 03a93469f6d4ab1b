package import CloudCore

/// The id of a machine, which is its server's id: a UUID with dashes, in lower case, which every hypervisor accepts.
package typealias MachineID = ID<Kind.Server>

/// The specification of a machine: everything that is wanted of it except its power, and never a difference. A driver
/// makes exactly this.
package struct MachineSpec: Hashable, StoredValue {
    package static let storedName = "machine-spec"

    package var id: MachineID
    /// The user's name for the machine. It may be any text; no path, no name in the hypervisor and no host name is made
    /// from it.
    package var name: String
    package var cpu: VirtualCPU
    package var memoryMiB: Int
    package var platform: Platform
    package var boot: Boot
    /// The disks in the order in which the guest finds them; the first is the root disk.
    package var disks: [Disk]
    package var nics: [NIC]
    package var hardware: Hardware
    /// The server's metadata. A guest cannot read it from here; the simulated driver reads its faults from it.
    package var metadata: [String: String]
    /// The rescue from which the machine starts for a while, with its own disks behind it; nil for none.
    package var rescue: Rescue?

    package init(
        id: MachineID, name: String, cpu: VirtualCPU = VirtualCPU(), memoryMiB: Int, platform: Platform = Platform(),
        boot: Boot = .disk, disks: [Disk] = [], nics: [NIC] = [], hardware: Hardware = Hardware(), metadata: [String: String] = [:]
    ) {
        self.id = id
        self.name = name
        self.cpu = cpu
        self.memoryMiB = memoryMiB
        self.platform = platform
        self.boot = boot
        self.disks = disks
        self.nics = nics
        self.hardware = hardware
        self.metadata = metadata
    }

    package struct Rescue: Hashable, Sendable, Codable {
        package var disk: Disk
        package var boot: Boot
        /// Whether the machine's own disks keep their places: then the disk comes last, and the firmware tries it
        /// first.
        @Defaulted<Default.False> package var isLast = false

        package init(disk: Disk, boot: Boot) {
            self.disk = disk
            self.boot = boot
        }
    }

    /// The machine as the guest gets it: with a rescue, the rescue's disk comes first, or last if the machine's own
    /// disks keep their places, and its boot replaces the machine's.
    package var asStarted: MachineSpec {
        guard let rescue else { return self }
        var spec = self
        (spec.boot, spec.rescue) = (rescue.boot, nil)
        guard rescue.isLast else {
            spec.disks = [rescue.disk] + disks
            return spec
        }
        var last = rescue.disk
        last.bootOrder = 1
        for place in spec.disks.indices { spec.disks[place].bootOrder = nil }
        spec.disks.append(last)
        return spec
    }

    /// The first stage of a start.
    package enum Boot: Hashable, Sendable, Codable {
        /// The firmware tries the disks in their order.
        case disk
        /// The hypervisor itself loads a Linux kernel (Glance's `kernel_id` and `ramdisk_id`).
        case kernel(ContentID, ramdisk: ContentID?, commandLine: String)
    }

    /// The images that must be on the host before the machine can be made.
    package var images: Set<ImageReference> {
        if rescue != nil { return asStarted.images.union(Self.images(disks, boot)) }
        return Self.images(disks, boot)
    }

    private static func images(_ disks: [Disk], _ boot: Boot) -> Set<ImageReference> {
        var images = Set(disks.compactMap { if case .image(let image, _) = $0.source { image } else { nil } })
        if case .kernel(let kernel, let ramdisk, _) = boot {
            images.insert(.kernel(kernel))
            if let ramdisk { images.insert(.ramdisk(ramdisk)) }
        }
        return images
    }

    package var rootDisk: Disk? {
        disks.first { if case .image = $0.source { true } else { false } } ?? disks.first { $0.kind == .disk }
    }

    /// Throws if no driver can make the machine. Drivers call it before anything else.
    ///
    /// - Throws: `badRequest`. The API has already checked all of it with its own messages; this check keeps files and
    ///   XML safe.
    package func check() throws(CloudError) {
        if rescue != nil { try asStarted.check() }
        guard id.isUUID else { throw .badRequest("A machine's id must be a UUID in lower case.") }
        guard (1...512).contains(cpu.count), cpu.sockets * cpu.cores * cpu.threads == cpu.count else {
            throw .badRequest("A machine's CPUs must be the product of its sockets, cores and threads.")
        }
        guard (16...16_777_216).contains(memoryMiB) else { throw .badRequest("A machine must have 16 MiB to 16 TiB of memory.") }
        guard Set(disks.map(\.id)).count == disks.count, Set(nics.map(\.id)).count == nics.count else {
            throw .badRequest("Each disk and each network card of a machine must have an id of its own.")
        }
        for disk in disks { try disk.check() }
        for nic in nics { try nic.check() }
        if case .kernel(_, _, let line) = boot, line.utf8.count > 2047 || line.utf8.contains(where: { $0 < 32 }) {
            throw .badRequest("A kernel's command line must be one line of at most 2047 bytes.")
        }
    }
}

extension ID where Entity == Kind.Server {
    /// Whether the id has 8-4-4-4-12 lower-case hexadecimal digits. Such a text is safe in a path.
    package var isUUID: Bool { PathPart.isUUID(text) }
}

/// Checks of texts that may become a part of a path.
package enum PathPart {
    package static func isUUID(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.count == 36
            && bytes.enumerated().allSatisfy { place, byte in
                [8, 13, 18, 23].contains(place) ? byte == 45 : (48...57).contains(byte) || (97...102).contains(byte)
            }
    }

    /// Returns whether the text consists of 1 to 64 characters `a-z`, `0-9`, `-` and `_`.
    package static func isPlain(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 95 }
    }
}

/// The CPUs as the guest sees them; `count` is always `sockets * cores * threads`.
package struct VirtualCPU: Hashable, Sendable, Codable {
    package var sockets: Int
    package var cores: Int
    package var threads: Int
    package var model: CPUModel

    package var count: Int { sockets * cores * threads }

    /// Creates CPUs. The default shape has only sockets, as Nova chooses if no shape is wanted.
    package init(sockets: Int = 1, cores: Int = 1, threads: Int = 1, model: CPUModel = .hostDefault) {
        self.sockets = sockets
        self.cores = cores
        self.threads = threads
        self.model = model
    }
}

package enum CPUModel: Hashable, Sendable, Codable {
    /// The host's own model with KVM. With emulation, the hypervisor's plain model, which can be migrated anywhere.
    case hostDefault
    case hostPassthrough
    case hostModel
    /// A model by the hypervisor's name, such as `qemu64` or `Skylake-Server`.
    case named(String)
}

/// The kind of computer.
package struct Platform: Hashable, Sendable, Codable {
    package var architecture: Architecture
    package var machineType: MachineType
    package var firmware: Firmware

    package init(
        architecture: Architecture = .x86_64, machineType: MachineType = .hostDefault, firmware: Firmware = .hostDefault
    ) {
        self.architecture = architecture
        self.machineType = machineType
        self.firmware = firmware
    }
}

/// The architecture, in libvirt's and Glance's words.
package enum Architecture: String, Hashable, Sendable, Codable, CaseIterable {
    case x86_64, aarch64
}

package enum MachineType: Hashable, Sendable, Codable {
    /// The type `q35` for x86_64, and `virt` for aarch64.
    case hostDefault
    /// A versioned type such as `pc-q35-7.2`, which a guest needs to be migrated.
    case named(String)
}

package enum Firmware: Hashable, Sendable, Codable {
    /// BIOS for x86_64, and UEFI for aarch64.
    case hostDefault
    case bios
    case uefi(secureBoot: Bool)
}

extension MachineSpec {
    /// Throws if a disk would lose bytes in the change from `old` to this specification.
    ///
    /// - Throws: `badRequest`.
    package func requireNoShrinking(from old: MachineSpec) throws(CloudError) {
        for disk in disks {
            guard let before = old.disks.first(where: { $0.id == disk.id })?.virtualBytes, let bytes = disk.virtualBytes else { continue }
            guard bytes >= before else { throw .badRequest("A disk cannot become smaller.") }
        }
    }
}

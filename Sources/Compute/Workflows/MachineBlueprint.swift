import CloudCore
import HostModel

/// The rules by which a machine's specification is made from its server.
struct MachineBlueprint: Sendable {
    let intent: Intent
    /// The specification that the host was given before; nil for a machine that is new to the host. The image may have
    /// been deleted meanwhile, but a disk that was made from it stays.
    let present: MachineSpec?
    /// The generation of the rebuild that gives the root disk another content; nil to keep its content.
    let diskRevision: Int64?
    /// Returns the facts about an image's bytes.
    let image: @Sendable (ID<Kind.Image>) async throws -> MachineImage
    /// Returns the first stage of a start from a volume whose image had some properties.
    let boot: @Sendable ([String: String]) async throws -> MachineSpec.Boot
    /// Lets the machine use a volume.
    let connect: @Sendable (ServerVolume) async throws -> ConnectedVolume
    let configDrives: ConfigDrives

    private var server: Server { intent.server }
    private var flavor: Flavor { intent.server.flavor }

    func spec() async throws -> MachineSpec {
        var properties = server.imageProperties
        // Users know the property by its older name `architecture`.
        if let architecture = properties["architecture"], properties["hw_architecture"] == nil { properties["hw_architecture"] = architecture }
        if properties["hw_watchdog_action"] == nil { properties["hw_watchdog_action"] = flavor.extraSpecs["hw:watchdog_action"] }
        if properties["hw_boot_menu"] == nil { properties["hw_boot_menu"] = flavor.extraSpecs["hw:boot_menu"] }
        let choice = try HardwareChoice(properties: properties)
        var hardware = choice.hardware
        if let word = flavor.extraSpecs["hw_rng:allowed"]?.lowercased(), ["false", "no", "0", "off"].contains(word) {
            hardware.hasRandomness = false
        }
        let (root, boot) = try await root(properties)
        var spec = MachineSpec(
            id: server.id, name: server.name, cpu: cpu(choice), memoryMiB: flavor.ramMiB, platform: choice.platform,
            boot: boot, disks: [root] + (try await others(root, properties)) + (try await volumes()), nics: intent.ports.map(\.card),
            hardware: hardware, metadata: server.metadata)
        spec.rescue = try await rescue()
        return spec
    }

    // MARK: Disks

    /// Returns the root disk, and how the machine boots. The content of a disk never changes; another content is
    /// another disk with another id.
    private func root(_ properties: [String: String]) async throws -> (disk: Disk, boot: MachineSpec.Boot) {
        if let volume = intent.volumes.first(where: \.isRoot) {
            let disk = volume.disk(try await connect(volume))
            // The images of a kernel may have been deleted meanwhile.
            if let present, present.rootDisk?.id == disk.id { return (disk, present.boot) }
            return (disk, try await boot(properties))
        }
        let id = diskRevision.map { "root-\($0)" } ?? "root"
        if let present, var disk = present.rootDisk, diskRevision == nil || disk.id == id {
            // A disk grows and never shrinks, because the guest may have data at its end.
            let bytes = max(disk.virtualBytes ?? 0, Int64(flavor.diskGiB) << 30)
            switch disk.source {
            case .image(let image, _): disk.source = .image(image, virtualBytes: bytes)
            case .blank: disk.source = .blank(virtualBytes: bytes)
            case .swap, .configDrive, .volume: break
            }
            return (disk, present.boot)
        }
        let bus = Self.bus(server.disks?.rootBus)
        guard let imageID = server.image?.id else {
            return (Disk(id: id, source: .blank(virtualBytes: max(1, Int64(flavor.diskGiB)) << 30), bus: bus), .disk)
        }
        let image = try await self.image(imageID)
        let bytes = flavor.diskGiB == 0 ? image.wholeSectors : Int64(flavor.diskGiB) << 30
        guard bytes >= image.virtualBytes else {
            throw CloudError.badRequest(
                """
                Flavor's disk is too small for requested image. Flavor disk is \(bytes) bytes, image is \(image.virtualBytes) \
                bytes.
                """)
        }
        return (Disk(id: id, source: .image(image.reference, virtualBytes: bytes), bus: bus), image.boot)
    }

    /// Returns the disk from which a rescued machine boots. A disk that was made before stays as it is, because it has
    /// the guest's changes.
    private func rescue() async throws -> MachineSpec.Rescue? {
        guard let imageID = server.rescueImage?.id else { return nil }
        if let made = present?.rescue { return made }
        let image = try await self.image(imageID)
        let disk = Disk(id: "rescue", source: .image(image.reference, virtualBytes: image.wholeSectors))
        var rescue = MachineSpec.Rescue(disk: disk, boot: image.boot)
        guard let reference = server.rescueImage, reference.isRescueDevice else { return rescue }
        rescue.isLast = true
        rescue.disk.bus = Self.bus(reference.properties["hw_rescue_bus"])
        if reference.properties["hw_rescue_device"] == "cdrom" { rescue.disk.kind = .cdrom }
        return rescue
    }

    /// Returns the disks of the volumes that are not the root disk, those that the machine may boot from first.
    private func volumes() async throws -> [Disk] {
        var disks: [Disk] = []
        let others = intent.volumes.filter { !$0.isRoot }
        let bootable = others.filter { $0.bootIndex != nil }.sorted { $0.bootIndex ?? 0 < $1.bootIndex ?? 0 }
        for volume in bootable + others.filter({ $0.bootIndex == nil }) {
            disks.append(volume.disk(try await connect(volume)))
        }
        return disks
    }

    private static func bus(_ name: String?) -> DiskBus? { name.flatMap { DiskBus(rawValue: $0) } }

    private func others(_ root: Disk, _ properties: [String: String]) async throws -> [Disk] {
        var disks: [Disk] = []
        for (number, disk) in ephemerals.enumerated() {
            let bytes = Int64(disk.sizeGiB ?? 0) << 30
            disks.append(Disk(id: "ephemeral\(number)", source: .blank(virtualBytes: bytes), bus: Self.bus(disk.bus)))
        }
        let swapMiB = server.disks?.swapMiB(flavor) ?? flavor.swapMiB
        if swapMiB > 0 {
            let bus = Self.bus(server.disks?.swap?.bus)
            disks.append(Disk(id: "swap", source: .swap(virtualBytes: Int64(swapMiB) << 20), bus: bus))
        }
        if server.hasConfigDrive {
            // By default it is a plain disk, which needs no driver that a small guest might lack; the image's
            // `hw_cdrom_bus` makes it a CD. It is made with the root disk and stays as long as the root disk: a new one
            // would differ, because it has random bytes. A root disk that is a volume has the same id after a rebuild.
            let former = present.flatMap { present in
                present.rootDisk?.id == root.id && (root.isLocal || diskRevision == nil) ? present.disks.first { $0.id == Disk.configDriveID }?.source : nil
            }
            let source = if let former { former } else { Disk.Source.configDrive(try await configDrives.drive(of: server.id)) }
            let bus = properties["hw_cdrom_bus"].flatMap { DiskBus(rawValue: $0) }
            disks.append(
                Disk(id: Disk.configDriveID, source: source, bus: bus ?? .virtio, kind: bus == nil ? .disk : .cdrom))
        }
        return disks
    }

    /// The empty disks that the server's user described, or else one disk of the flavor's size.
    private var ephemerals: [LocalDisks.Empty] {
        if let described = server.disks?.ephemeral { return described }
        return flavor.ephemeralGiB > 0 ? [.init(sizeGiB: flavor.ephemeralGiB)] : []
    }

    // MARK: CPUs

    /// Returns the CPUs in the shape that was asked for, if that shape gives the flavor's number of CPUs. The flavor's
    /// extra specs take precedence over the image's properties.
    private func cpu(_ choice: HardwareChoice) -> VirtualCPU {
        func wanted(_ name: String, _ image: Int?) -> Int? {
            flavor.extraSpecs[name].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil } ?? image
        }
        let sockets = wanted("hw:cpu_sockets", choice.sockets)
        let cores = wanted("hw:cpu_cores", choice.cores)
        let threads = wanted("hw:cpu_threads", choice.threads)
        let count = flavor.vcpus
        let most = (cores ?? 1) * (threads ?? 1)
        if cores != nil || threads != nil, sockets == nil || (sockets ?? 0) * most == count, count % most == 0 {
            return VirtualCPU(sockets: count / most, cores: cores ?? 1, threads: threads ?? 1)
        }
        if let sockets, count % sockets == 0 { return VirtualCPU(sockets: sockets, cores: count / sockets) }
        return VirtualCPU(sockets: count)
    }
}

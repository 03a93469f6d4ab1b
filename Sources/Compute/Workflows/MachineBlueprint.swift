import CloudCore
import HostModel

/// Makes a machine's specification from what is wanted of its server.
struct MachineBlueprint: Sendable {
    let intent: Intent
    /// What the host was asked for before; nil for a machine that is new to it. The image may be gone meanwhile, but what was made
    /// from it stays.
    let present: MachineSpec?
    /// The number of the rebuild that gives the root disk another content; nil for the content that it has.
    let diskRevision: Int64?
    /// Says what an image's bytes are.
    let image: @Sendable (ID<Kind.Image>) async throws -> MachineImage
    let configDrives: ConfigDrives

    private var server: Server { intent.server }
    private var flavor: Flavor { intent.server.flavor }

    func spec() async throws -> MachineSpec {
        var properties = server.image?.properties ?? [:]
        // The image's `architecture` is the property that users know.
        if let architecture = properties["architecture"], properties["hw_architecture"] == nil { properties["hw_architecture"] = architecture }
        if properties["hw_watchdog_action"] == nil { properties["hw_watchdog_action"] = flavor.extraSpecs["hw:watchdog_action"] }
        if properties["hw_boot_menu"] == nil { properties["hw_boot_menu"] = flavor.extraSpecs["hw:boot_menu"] }
        let choice = try HardwareChoice(properties: properties)
        var hardware = choice.hardware
        if let word = flavor.extraSpecs["hw_rng:allowed"]?.lowercased(), ["false", "no", "0", "off"].contains(word) {
            hardware.hasRandomness = false
        }
        let (root, boot) = try await root()
        var spec = MachineSpec(
            id: server.id, name: server.name, cpu: cpu(choice), memoryMiB: flavor.ramMiB, platform: choice.platform, boot: boot,
            disks: [root] + (try await others(root, properties)), nics: intent.ports.map(\.card), hardware: hardware,
            metadata: server.metadata)
        spec.rescue = try await rescue()
        return spec
    }

    // MARK: Disks

    /// A disk has its content for ever: another content is another disk, with another id.
    private func root() async throws -> (disk: Disk, boot: MachineSpec.Boot) {
        let id = diskRevision.map { "root-\($0)" } ?? "root"
        if let present, var disk = present.rootDisk, diskRevision == nil || disk.id == id {
            // It grows and never shrinks: what lies at its end may be the guest's.
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

    /// One that was made stays as it is: what the guest has done with it lies on it.
    private func rescue() async throws -> MachineSpec.Rescue? {
        guard let imageID = server.rescueImage?.id else { return nil }
        if let made = present?.rescue { return made }
        let image = try await self.image(imageID)
        return .init(disk: Disk(id: "rescue", source: .image(image.reference, virtualBytes: image.wholeSectors)), boot: image.boot)
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
            // A plain disk needs no driver that a small guest might not have; who wants a CD says so by its bus.
            // It is made with the root disk, and stays while that stays: what is random in it would make it another one each time.
            let former = present.flatMap { present in
                present.rootDisk?.id == root.id ? present.disks.first { $0.id == Disk.configDriveID }?.source : nil
            }
            let source = if let former { former } else { Disk.Source.configDrive(try await configDrives.drive(of: server.id)) }
            let bus = properties["hw_cdrom_bus"].flatMap { DiskBus(rawValue: $0) }
            disks.append(
                Disk(id: Disk.configDriveID, source: source, bus: bus ?? .virtio, kind: bus == nil ? .disk : .cdrom))
        }
        return disks
    }

    /// The empty disks: those that the server's user described, or else one as large as the flavor says.
    private var ephemerals: [LocalDisks.Empty] {
        if let described = server.disks?.ephemeral { return described }
        return flavor.ephemeralGiB > 0 ? [.init(sizeGiB: flavor.ephemeralGiB)] : []
    }

    // MARK: CPUs

    /// The shape that was asked for, as far as it gives the number of CPUs; the flavor's word before the image's.
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

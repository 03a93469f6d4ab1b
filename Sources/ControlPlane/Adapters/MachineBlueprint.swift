import CloudCore
import Compute
import Drivers
import Foundation
import ImageFormats

/// What machines are made from, as bytes.
package protocol MachineImages: Sendable {
    /// - Throws: `notFound`, `conflict` for an image without data.
    func image(_ id: String) async throws -> MachineImage
}

package struct MachineImage: Sendable, Hashable {
    var reference: ImageReference
    /// Bytes of the disk that a guest sees.
    var virtualBytes: Int64
    var kernel: ContentID?
    var ramdisk: ContentID?
    var kernelArguments: String?

    /// - Throws: `badRequest` for what a machine cannot be made from.
    package init(
        content: String, format: String, virtualBytes: Int64, kernel: String? = nil, ramdisk: String? = nil, kernelArguments: String? = nil
    ) throws {
        guard let content = ContentID(content), let format = DiskFormat(rawValue: format) else {
            throw CloudError.badRequest("A machine cannot be made from an image of the format \(format).")
        }
        reference = ImageReference(content: content, format: format)
        self.virtualBytes = virtualBytes
        self.kernel = kernel.flatMap { ContentID($0) }
        self.ramdisk = ramdisk.flatMap { ContentID($0) }
        self.kernelArguments = kernelArguments
    }
}

extension MachineImage {
    /// Bytes of a disk that is as large as the image.
    fileprivate var wholeSectors: Int64 { (max(virtualBytes, 512) + 511) / 512 * 512 }

    fileprivate var boot: MachineSpec.Boot {
        guard let kernel else { return .disk }
        return .kernel(kernel, ramdisk: ramdisk, commandLine: "root=/dev/vda \(kernelArguments ?? "console=tty0 console=ttyS0")")
    }
}

/// Makes a machine's specification from what Compute orders.
struct MachineBlueprint: Sendable {
    let order: MachineOrder
    /// What the host was asked for before; nil for a machine that is new to it. The image may be gone meanwhile, but what was made
    /// from it stays.
    let present: MachineSpec?
    let images: any MachineImages
    let configDrives: ConfigDrives

    static let configDrive = "config"

    func spec() async throws -> MachineSpec {
        var properties = order.imageProperties
        // The image's `architecture` is the property that users know.
        if let architecture = properties["architecture"], properties["hw_architecture"] == nil { properties["hw_architecture"] = architecture }
        if properties["hw_watchdog_action"] == nil { properties["hw_watchdog_action"] = order.extraSpecs["hw:watchdog_action"] }
        if properties["hw_boot_menu"] == nil { properties["hw_boot_menu"] = order.extraSpecs["hw:boot_menu"] }
        let choice = try HardwareChoice(properties: properties)
        var hardware = choice.hardware
        if order.extraSpecs["hw_rng:allowed"].map({ ["false", "no", "0", "off"].contains($0.lowercased()) }) == true { hardware.hasRandomness = false }
        let (root, boot) = try await root()
        var spec = MachineSpec(
            id: MachineID(order.id), name: order.name, cpu: cpu(choice), memoryMiB: order.memoryMiB, platform: choice.platform, boot: boot,
            disks: [root] + (try await others(root, properties)), nics: order.ports.map { port in
                NIC(id: port.id, mac: port.mac.lowercased(), tap: PortSpec.tap(of: port.id))
            }, hardware: hardware, metadata: order.metadata)
        spec.rescue = try await rescue()
        return spec
    }

    // MARK: Disks

    /// A disk has its content for ever: another content is another disk, with another id.
    private func root() async throws -> (disk: Disk, boot: MachineSpec.Boot) {
        let id = order.diskRevision == 0 ? "root" : "root-\(order.diskRevision)"
        if let present, var disk = present.rootDisk, order.diskRevision == 0 || disk.id == id {
            // It grows and never shrinks: what lies at its end may be the guest's.
            let bytes = max(disk.virtualBytes ?? 0, Int64(order.rootGiB) << 30)
            switch disk.source {
            case .image(let image, _): disk.source = .image(image, virtualBytes: bytes)
            case .blank: disk.source = .blank(virtualBytes: bytes)
            case .swap, .configDrive, .volume: break
            }
            return (disk, present.boot)
        }
        guard let imageID = order.imageID else {
            return (Disk(id: id, source: .blank(virtualBytes: max(1, Int64(order.rootGiB)) << 30), bus: Self.bus(order.rootBus)), .disk)
        }
        let image = try await images.image(imageID)
        let bytes = order.rootGiB == 0 ? image.wholeSectors : Int64(order.rootGiB) << 30
        guard bytes >= image.virtualBytes else {
            throw CloudError.badRequest("Flavor's disk is too small for requested image. Flavor disk is \(bytes) bytes, image is \(image.virtualBytes) bytes.")
        }
        return (Disk(id: id, source: .image(image.reference, virtualBytes: bytes), bus: Self.bus(order.rootBus)), image.boot)
    }

    /// One that was made stays as it is: what the guest has done with it lies on it.
    private func rescue() async throws -> MachineSpec.Rescue? {
        guard let imageID = order.rescueImageID else { return nil }
        if let made = present?.rescue { return made }
        let image = try await images.image(imageID)
        return .init(disk: Disk(id: "rescue", source: .image(image.reference, virtualBytes: image.wholeSectors)), boot: image.boot)
    }

    private static func bus(_ name: String?) -> DiskBus? { name.flatMap { DiskBus(rawValue: $0) } }

    private func others(_ root: Disk, _ properties: [String: String]) async throws -> [Disk] {
        var disks: [Disk] = []
        for (number, disk) in order.ephemerals.enumerated() {
            disks.append(Disk(id: "ephemeral\(number)", source: .blank(virtualBytes: Int64(disk.sizeGiB) << 30), bus: Self.bus(disk.bus)))
        }
        if order.swapMiB > 0 {
            disks.append(Disk(id: "swap", source: .swap(virtualBytes: Int64(order.swapMiB) << 20), bus: Self.bus(order.swapBus)))
        }
        if order.hasConfigDrive {
            // A plain disk needs no driver that a small guest might not have; who wants a CD says so by its bus.
            // It is made with the root disk, and stays while that stays: what is random in it would make it another one each time.
            let former = present.flatMap { present in
                present.rootDisk?.id == root.id ? present.disks.first { $0.id == Self.configDrive }?.source : nil
            }
            let source = if let former { former } else { Disk.Source.configDrive(try await configDrives.drive(of: order.id)) }
            let bus = properties["hw_cdrom_bus"].flatMap { DiskBus(rawValue: $0) }
            disks.append(
                Disk(
                    id: Self.configDrive, source: source, bus: bus ?? .virtio,
                    kind: bus == nil ? .disk : .cdrom))
        }
        return disks
    }

    // MARK: CPUs

    /// The shape that was asked for, as far as it gives the number of CPUs; the flavor's word before the image's.
    private func cpu(_ choice: HardwareChoice) -> VirtualCPU {
        func wanted(_ name: String, _ image: Int?) -> Int? { order.extraSpecs[name].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil } ?? image }
        let sockets = wanted("hw:cpu_sockets", choice.sockets)
        let cores = wanted("hw:cpu_cores", choice.cores)
        let threads = wanted("hw:cpu_threads", choice.threads)
        let count = order.vcpus
        let most = (cores ?? 1) * (threads ?? 1)
        if cores != nil || threads != nil, sockets == nil || (sockets ?? 0) * most == count, count % most == 0 {
            return VirtualCPU(sockets: count / most, cores: cores ?? 1, threads: threads ?? 1)
        }
        if let sockets, count % sockets == 0 { return VirtualCPU(sockets: sockets, cores: count / sockets) }
        return VirtualCPU(sockets: count)
    }
}

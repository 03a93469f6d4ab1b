import CloudCore
import HostModel

extension ImageDevices {
    /// The devices that an image describes.
    struct Devices: Sendable {
        var volumes: [VolumeWish] = []
        var disks = LocalDisks()

        var hasRoot: Bool { volumes.contains(where: \.isRoot) }
    }

    /// The most values in a text of devices.
    private static let mostValues = 4096  // tidy: allow bound, of a property

    /// Returns the devices that the properties of an image describe; nil if they describe none.
    ///
    /// Anybody may write such properties, so everything is checked as in the body of a request.
    ///
    /// - Throws: `badRequest` for a device that a server cannot have.
    static func devices(in properties: [String: String]) throws -> Devices? {
        guard let text = properties[mapping], !text.isEmpty else { return nil }
        guard let list = (try? JSON.parse(text, mostValues: mostValues))?.array, list.count <= DeviceNames.most else {
            throw wrong("the image's devices cannot be read")
        }
        let root = properties[rootDevice].map(plain) ?? "vda"
        let isNewer = ["true", "1", "yes"].contains(properties[Self.isNewer]?.lowercased() ?? "")
        var devices = Devices()
        for device in list where device["no_device"]?.bool != true {
            try add(device, to: &devices, olderRoot: isNewer ? nil : root)
        }
        return list.isEmpty ? nil : devices
    }

    /// - Parameter root: the name of the root disk's device, by which the older form tells the root disk; nil in the
    ///   newer form.
    private static func add(_ device: JSON, to devices: inout Devices, olderRoot root: String?) throws {
        if device["source_type"]?.string == "blank", device["destination_type"]?.string != "volume" {
            return try addLocal(device, to: &devices)
        }
        func id(_ name: String) -> String? { device[name]?.string.flatMap { UUIDText.normal($0) } }
        var wish: VolumeWish
        if let snapshot = id("snapshot_id") {
            wish = VolumeWish(.snapshot(ID(snapshot)))
        } else if let volume = id("volume_id") {
            wish = VolumeWish(.volume(ID(volume)))
        } else if let image = id("image_id"), device["destination_type"]?.string == "volume" {
            wish = VolumeWish(.image(ID(image)))
        } else {
            throw wrong("the image has a device of no known form")
        }
        wish.sizeGiB = try size(device)
        if case .image = wish.source, wish.sizeGiB == nil { throw wrong("a volume of an image needs a size") }
        wish.type = device["volume_type"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        wish.device = try name(device)
        wish.bus = device["disk_bus"]?.string.flatMap { DiskBus(rawValue: $0)?.rawValue }
        wish.isCD = device["device_type"]?.string == "cdrom"
        wish.isDeletedWithServer = device["delete_on_termination"]?.bool ?? false
        if let root {
            wish.bootIndex = wish.device.map(plain) == root ? 0 : nil
        } else if let index = device["boot_index"]?.integer, index >= 0 {
            guard index < Int64(DeviceNames.most) else { throw wrong("the image has a boot index that is too large") }
            wish.bootIndex = Int(index)
        }
        devices.volumes.append(wish)
    }

    private static func addLocal(_ device: JSON, to devices: inout Devices) throws {
        let bus = device["disk_bus"]?.string.flatMap { DiskBus(rawValue: $0)?.rawValue }
        guard device["guest_format"]?.string == "swap" else {
            devices.disks.ephemeral = (devices.disks.ephemeral ?? []) + [.init(sizeGiB: try size(device), bus: bus)]
            return
        }
        devices.disks.swap = .init(sizeMiB: try size(device), bus: bus)
    }

    private static func size(_ device: JSON) throws -> Int? {
        guard let size = device["volume_size"]?.integer else { return nil }
        guard (1...Int64(Int32.max)).contains(size) else { throw wrong("the image has a device of an impossible size") }
        return Int(size)
    }

    private static func name(_ device: JSON) throws -> String? {
        guard let name = device["device_name"]?.string, !name.isEmpty else { return nil }
        guard name.utf8.count <= 255, name.utf8.allSatisfy({ (33...126).contains($0) }) else {
            throw wrong("the image has a device with an impossible name")
        }
        return name
    }

    static func plain(_ name: String) -> String { name.hasPrefix("/dev/") ? String(name.dropFirst(5)) : name }

    private static func wrong(_ why: String) -> CloudError { .badRequest("Block Device Mapping is Invalid: \(why).") }
}

extension ServerCreation.Wish {
    /// Returns the same wish with the devices of an image. The wish's own devices take precedence by their names, and
    /// the image's root disk takes the place of a root disk that would be made of the image.
    ///
    /// - Throws: `badRequest` if there are two root disks.
    func with(_ devices: ImageDevices.Devices) throws -> Self {
        var wish = self
        if devices.hasRoot {
            wish.volumes.removeAll { volume in
                if case .image = volume.source { volume.isRoot } else { false }
            }
        }
        let names = Set(wish.volumes.compactMap { $0.device.map(ImageDevices.plain) })
        let others = devices.volumes.filter { !names.contains($0.device.map(ImageDevices.plain) ?? "") }
        wish.volumes = others + wish.volumes
        if wish.disks == nil, devices.disks != LocalDisks() { wish.disks = devices.disks }
        guard wish.volumes.count(where: \.isRoot) <= 1 else {
            throw CloudError.badRequest(
                "Block Device Mapping is Invalid: Boot sequence for the instance and image/block device mapping "
                    + "combination is not valid.")
        }
        return wish
    }
}

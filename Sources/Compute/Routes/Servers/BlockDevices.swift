import CloudCore
import HTTPKit

/// A device in the body of a server, in either form of the mapping.
struct BlockDevice: Sendable {
    var source: String?
    var destination: String?
    var uuid: String?
    var guestFormat: String?
    var bus: String?
    var bootIndex: Int?
    /// The size: in GiB for an empty disk, in MiB for swap.
    var size: Int?
    var volumeType: String?
    /// Whether the mapping removes a device of the image.
    var isRemoved = false
    /// The kind of a device in the older form: swap or an empty disk.
    var virtualName = ""
    var volumeID: String?
    var snapshotID: String?
    var name: String?
    var kind: String?
    var tag: String?
    var isDeletedWithServer = false

    private static let common: [FormMember<BlockDevice>] = [
        .optional("virtual_name", \.virtualName, .string(0...255)), .optional("volume_id", \.volumeID, .uuid),
        .optional("snapshot_id", \.snapshotID, .uuid), .optional("volume_size", \.size, .whole(1...Shape.largestInteger)),
        .optional("device_name", \.name, .string(1...255, .deviceName)),
        .optional("delete_on_termination", \.isDeletedWithServer, .truth),
        .optional("no_device", \.isRemoved, Form(.any) { isTrue($0) }), .ignored("connection_info", .string(0...16_777_215)),
    ]

    /// A device of `block_device_mapping`.
    static let older = Form.object(BlockDevice(), common)

    /// A device of `block_device_mapping_v2`.
    static let form = Form.object(
        BlockDevice(),
        common + [
            .optional("source_type", \.source, .oneOf(["volume", "image", "snapshot", "blank"])),
            .optional("uuid", \.uuid, .string(1...255, .domainName)), .ignored("image_id", .uuid),
            .optional("destination_type", \.destination, .oneOf(["local", "volume"])),
            .optional("guest_format", \.guestFormat, .string(0...255)), .optional("device_type", \.kind, .string(0...255)),
            .optional("disk_bus", \.bus, .string(0...255)),
            .optional("boot_index", \.bootIndex, .nullable(.whole(Int64.min ... Int64.max))),
            .optional("tag", \.tag, .tag, since: 32, until: 32), .optional("tag", \.tag, .tag, since: 42),
            .optional("volume_type", \.volumeType, .nullable(.string(0...255)), since: 67),
        ])

    /// Returns whether the reference takes the value for true. It accepts any value here.
    private static func isTrue(_ given: JSON) -> Bool {
        switch given {
        case .null, .bool(false), .string(""), .integer(0): false
        case .array(let elements): !elements.isEmpty
        case .object(let object): !object.members.isEmpty
        default: true
        }
    }
}

/// The devices that the body of a server describes: its image on a local disk, empty disks, swap and volumes.
///
/// Each device that the server cannot have is refused. If it were ignored, the server's owner would believe that it is
/// there.
struct BlockDevices {
    private(set) var disks = LocalDisks()
    private(set) var volumes: [VolumeWish] = []
    private let image: String?
    /// The places of the devices in the order of booting. A negative or missing place is left out.
    private var bootIndexes: [Int] = []

    /// The buses that disks of guests can be on.
    private static let buses: Set<String> = ["virtio", "scsi", "sata", "ide", "usb"]

    /// Reads the devices.
    ///
    /// - Parameter image: the id of the server's image; nil for none.
    /// - Throws: `CloudError.badRequest` for a device that the server cannot have.
    init(older: [BlockDevice], newer: [BlockDevice], image: String?) throws {
        self.image = image
        guard older.isEmpty || newer.isEmpty else {
            throw CloudError.badRequest("Only one of block_device_mapping and block_device_mapping_v2 can be used in a request.")
        }
        guard older.count + newer.count <= DeviceNames.most else {
            throw Self.wrong("there are more than \(DeviceNames.most) devices")
        }
        for device in older where !device.isRemoved { try readOlder(device) }
        for device in newer where !device.isRemoved { try read(device) }
        guard disks.count <= LocalDisks.most else {
            throw Self.wrong("there are more than \(LocalDisks.most) local devices")
        }
        guard newer.isEmpty || bootIndexes.sorted() == Array(0..<max(1, bootIndexes.count)) else {
            throw Self.wrong("the boot indexes must be 0, 1 and so on, each once, and 0 must be there")
        }
    }

    private mutating func read(_ device: BlockDevice) throws {
        guard let source = device.source else { throw Self.wrong("a device needs a source_type") }
        guard (source == "blank") == (device.uuid == nil) else {
            throw Self.wrong(source == "blank" ? "an empty device has no uuid" : "a device that is not empty needs a uuid")
        }
        let usual = source == "image" || source == "blank" ? "local" : "volume"
        let isLocal = device.destination ?? usual == "local"
        if device.volumeType?.isEmpty == false, isLocal || source == "volume" {
            throw Self.wrong("only a volume that is to be made has a volume_type")
        }
        let index = device.bootIndex ?? -1
        if isLocal { try readLocal(device, source, index) } else { try readVolume(device, source, index) }
        if index >= 0 { bootIndexes.append(index) }
    }

    private mutating func readLocal(_ device: BlockDevice, _ source: String, _ index: Int) throws {
        let bus = try Self.bus(device.bus)
        switch source {
        case "image":
            guard image != nil, index == 0 else {
                throw Self.wrong("an image can be on a local disk only as the server's imageRef that it boots from, with the boot_index 0")
            }
            guard device.uuid == image else { throw Self.wrong("a server has one image") }
            disks.rootBus = bus
        case "blank":
            guard index != 0 else { throw Self.wrong("a server boots from its image or from a volume") }
            try add(isSwap: device.guestFormat == "swap", size: device.size, bus: bus)
        default: throw Self.wrong("a \(source) cannot be on a local disk")
        }
    }

    private mutating func readVolume(_ device: BlockDevice, _ source: String, _ index: Int) throws {
        let id = device.uuid ?? ""
        let from: VolumeWish.Source =
            switch source {
            case "volume": .volume(ID(id))
            case "snapshot": .snapshot(ID(id))
            case "image": .image(ID(id))
            default: .blank
            }
        if source == "image" || source == "blank", device.size ?? 0 <= 0 {
            throw CloudError.badRequest(
                source == "image"
                    ? "Images with destination_type 'volume' need to have a non-zero size specified"
                    : "Blank volumes (source: 'blank', dest: 'volume') need to have non-zero size")
        }
        if index == 0, source == "blank" { throw Self.wrong("a server cannot boot from an empty volume") }
        var wish = VolumeWish(from)
        (wish.sizeGiB, wish.type) = (device.size, device.volumeType?.isEmpty == false ? device.volumeType : nil)
        (wish.device, wish.bus, wish.tag) = (device.name, try Self.bus(device.bus), device.tag)
        (wish.bootIndex, wish.isCD) = (index >= 0 ? index : nil, device.kind == "cdrom")
        wish.isDeletedWithServer = device.isDeletedWithServer
        volumes.append(wish)
    }

    /// Reads a device of the older form: a volume, a snapshot, or with `virtual_name` `swap` or `ephemeral` and a
    /// number. A server without an image boots from the first volume that is named `vda`, or else from the first.
    private mutating func readOlder(_ device: BlockDevice) throws {
        let name = device.virtualName
        let number = name.hasPrefix("ephemeral") ? String(name.dropFirst("ephemeral".count)) : ""
        if name == "swap" || (Int(number).map(String.init) == number && !number.hasPrefix("-")) {
            return try add(isSwap: name == "swap", size: device.size, bus: nil)
        }
        var wish: VolumeWish
        switch (device.volumeID, device.snapshotID) {
        case (let id?, _): wish = VolumeWish(.volume(ID(id)))
        case (nil, let id?): wish = VolumeWish(.snapshot(ID(id)))
        case (nil, nil): throw Self.wrong("a device is of no known form")
        }
        (wish.sizeGiB, wish.device, wish.isDeletedWithServer) = (device.size, device.name, device.isDeletedWithServer)
        if image == nil, !volumes.contains(where: \.isRoot) { wish.bootIndex = 0 }
        volumes.append(wish)
    }

    private mutating func add(isSwap: Bool, size: Int?, bus: String?) throws {
        guard isSwap else {
            disks.ephemeral = (disks.ephemeral ?? []) + [.init(sizeGiB: size, bus: bus)]
            return
        }
        guard disks.swap == nil else { throw Self.wrong("more than one swap is requested") }
        disks.swap = .init(sizeMiB: size, bus: bus)
    }

    private static func bus(_ given: String?) throws -> String? {
        guard let given, !given.isEmpty else { return nil }
        guard buses.contains(given) else { throw wrong("disks cannot be on the bus '\(given.prefix(60))'") }
        return given
    }

    private static func wrong(_ why: String) -> CloudError { .badRequest("Block Device Mapping is Invalid: \(why).") }
}

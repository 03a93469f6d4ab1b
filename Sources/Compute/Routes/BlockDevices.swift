import CloudCore
import HTTPKit

/// The devices that the body of a server describes: its image on a local disk, empty disks and swap.
///
/// Each device that the server would not get is refused: one that is passed over is one that its owner believes there. So are volumes,
/// for this cloud has no block storage.
struct BlockDevices {
    private(set) var disks = LocalDisks()
    private let image: String?
    /// The places in the order of booting. One that is negative or not given is none.
    private var bootIndexes: [Int] = []

    /// The buses that disks of guests can be on.
    private static let buses: Set<String> = ["virtio", "scsi", "sata", "ide", "usb"]

    /// - Parameter given: the body, as its shape has let it through.
    /// - Throws: `CloudError.badRequest`.
    init(_ given: JSON) throws {
        image = given["imageRef"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        let older = given["block_device_mapping"]?.array ?? []
        let newer = given["block_device_mapping_v2"]?.array ?? []
        guard older.isEmpty || newer.isEmpty else {
            throw CloudError.badRequest("Only one of block_device_mapping and block_device_mapping_v2 can be used in a request.")
        }
        guard older.count + newer.count <= LocalDisks.most else {
            throw Self.wrong("there are more than \(LocalDisks.most) devices")
        }
        for device in older where !Self.isTrue(device["no_device"]) { try readOlder(device) }
        for device in newer where !Self.isTrue(device["no_device"]) { try read(device) }
        guard newer.isEmpty || bootIndexes.sorted() == Array(0..<max(1, bootIndexes.count)) else {
            throw Self.wrong("the boot indexes must be 0, 1 and so on, each once, and 0 must be there")
        }
    }

    private mutating func read(_ device: JSON) throws {
        guard let source = device["source_type"]?.string else { throw Self.wrong("a device needs a source_type") }
        let uuid = device["uuid"]?.string
        guard (source == "blank") == (uuid == nil) else {
            throw Self.wrong(source == "blank" ? "an empty device has no uuid" : "a device that is not empty needs a uuid")
        }
        let isLocal = device["destination_type"]?.string ?? "local" == "local"
        if device["volume_type"]?.string?.isEmpty == false, isLocal || source == "volume" {
            throw Self.wrong("only a volume that is to be made has a volume_type")
        }
        guard isLocal, source == "image" || source == "blank" else { throw Self.wrong("this cloud has no block storage") }
        let index = device["boot_index"]?.whole ?? -1
        let bus = try Self.bus(device["disk_bus"]?.string)
        if source == "image" {
            guard image != nil, index == 0 else {
                throw Self.wrong("an image can be on a local disk only as the server's imageRef that it boots from, with the boot_index 0")
            }
            guard uuid == image else { throw Self.wrong("a server has one image") }
            disks.rootBus = bus
        } else {
            guard index != 0 else { throw Self.wrong("a server boots from its image") }
            try add(isSwap: device["guest_format"]?.string == "swap", size: device["volume_size"]?.whole, bus: bus)
        }
        if index >= 0 { bootIndexes.append(index) }
    }

    /// The form before: `virtual_name` is `swap`, or `ephemeral` and a number. The image is not among the devices.
    private mutating func readOlder(_ device: JSON) throws {
        let name = device["virtual_name"]?.string ?? ""
        let number = name.hasPrefix("ephemeral") ? String(name.dropFirst("ephemeral".count)) : ""
        if name == "swap" || (Int(number).map(String.init) == number && !number.hasPrefix("-")) {
            return try add(isSwap: name == "swap", size: device["volume_size"]?.whole, bus: nil)
        }
        guard device["volume_id"] != nil || device["snapshot_id"] != nil else { throw Self.wrong("a device is of no known form") }
        throw Self.wrong("this cloud has no block storage")
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

    /// Tells whether the reference takes the value for true; it takes any value here.
    private static func isTrue(_ given: JSON?) -> Bool {
        switch given {
        case nil, .null, .bool(false), .string(""), .integer(0): false
        case .array(let elements): !elements.isEmpty
        case .object(let object): !object.members.isEmpty
        default: true
        }
    }

    private static func wrong(_ why: String) -> CloudError { .badRequest("Block Device Mapping is Invalid: \(why).") }
}

package import CloudCore
package import Foundation
package import ImageFormats

/// An image as bytes on a host: its content, and the format that was declared and verified.
package struct ImageReference: Hashable, Sendable, Codable {
    package var content: ContentID
    package var format: DiskFormat

    package init(content: ContentID, format: DiskFormat) {
        self.content = content
        self.format = format
    }

    /// Returns the reference to a kernel (Glance's `aki`), which is plain bytes like a RAM disk (`ari`).
    package static func kernel(_ content: ContentID) -> Self { Self(content: content, format: .aki) }
    package static func ramdisk(_ content: ContentID) -> Self { Self(content: content, format: .ari) }

    /// Whether the image has the format qcow2; otherwise its bytes are those of the disk.
    package var isQCOW2: Bool { format == .qcow2 }
}

/// A disk of a machine.
package struct Disk: Hashable, Sendable, Codable {
    /// The id, unique in its machine: `root`, `config`, `ephemeral0`, `swap`, or a volume's id. It consists of `a-z`,
    /// `0-9`, `-` and `_`.
    package var id: String
    package var source: Source
    /// The bus; nil for the machine's own (`Hardware.diskBus`).
    package var bus: DiskBus?
    package var kind: Kind
    /// The serial number that the guest reads; for a volume, its id. Linux names the disk by its first 20 characters
    /// in `/dev/disk/by-id`.
    package var serial: String?
    /// Whether the guest may only read the disk.
    @Defaulted<Default.False> package var isReadOnly = false
    /// Whether other machines write to the disk at the same time. Only a raw volume can be shared.
    @Defaulted<Default.False> package var isShared = false
    /// The bounds on the guest's use of the disk; nil for none.
    package var rates: DiskRates?
    /// The place of the disk in the order in which the firmware tries disks, from 1. If no disk of the machine has one,
    /// the firmware tries all in their order.
    package var bootOrder: Int?

    package init(id: String, source: Source, bus: DiskBus? = nil, kind: Kind = .disk, serial: String? = nil) {
        self.id = id
        self.source = source
        self.bus = bus
        self.kind = kind
        self.serial = serial
    }

    package enum Kind: String, Hashable, Sendable, Codable { case disk, cdrom }

    /// The id of the disk that is a config drive.
    package static let configDriveID = "config"

    package enum Source: Hashable, Sendable, Codable {
        /// An overlay of the guest's writes over an image that all machines of the host share. It is not smaller than
        /// the image.
        case image(ImageReference, virtualBytes: Int64)
        /// An empty disk.
        case blank(virtualBytes: Int64)
        case swap(virtualBytes: Int64)
        case configDrive(ConfigDrive)
        /// A volume that a volume driver has connected to this host.
        case volume(VolumePath)
    }

    /// Whether the bytes live and die with the machine.
    package var isLocal: Bool { if case .volume = source { false } else { true } }

    package var virtualBytes: Int64? {
        switch source {
        case .image(_, let bytes), .blank(let bytes), .swap(let bytes): bytes
        case .configDrive, .volume: nil
        }
    }

    func check() throws(CloudError) {
        guard PathPart.isPlain(id) else { throw .badRequest("A disk's id must be 1 to 64 of a-z, 0-9, - and _.") }
        if let virtualBytes, !(1...(1 << 50)).contains(virtualBytes) || virtualBytes % 512 != 0 {
            throw .badRequest("A disk must have 512 bytes to 1 PiB, in whole sectors.")
        }
        if let serial, !(1...36).contains(serial.utf8.count) || !serial.utf8.allSatisfy({ (33...126).contains($0) }) {
            throw .badRequest("A disk's serial number must be 1 to 36 visible characters.")
        }
        if case .image(let image, _) = source, ![.raw, .qcow2, .iso, .ami].contains(image.format) {
            throw CloudError(.badRequest, "A machine cannot start from an image of the format \(image.format.rawValue).")
        }
        if case .volume(let volume) = source { try volume.check() }
        if isShared {
            guard case .volume(let volume) = source, !volume.isQCOW2 else {
                throw .badRequest("Only a raw volume can be shared by machines.")
            }
        }
        if let bootOrder, !(1...1024).contains(bootOrder) {
            throw .badRequest("A disk's boot order must be 1 to 1024.")
        }
        if case .configDrive(let drive) = source { try drive.check() }
    }
}

/// The place of a volume on this host.
package enum VolumePath: Hashable, Sendable, Codable {
    /// A whole device, always raw.
    case device(path: String)
    /// A file. Its format is stated, never guessed, because a guest may write the header of another format on its disk.
    case file(path: String, isQCOW2: Bool)

    package var path: String {
        switch self {
        case .device(let path), .file(let path, _): path
        }
    }

    package var isQCOW2: Bool { if case .file(_, true) = self { true } else { false } }

    func check() throws(CloudError) {
        guard path.hasPrefix("/"), !path.split(separator: "/").contains(".."), !path.utf8.contains(where: { $0 < 32 }) else {
            throw .badRequest("A volume's path must be absolute.")
        }
    }
}

/// Files that a guest finds on a small disk. They may contain passwords, so they are not printed.
package struct ConfigDrive: Hashable, Sendable, Codable, CustomStringConvertible {
    /// The contents of the files by their paths, such as `openstack/latest/meta_data.json`.
    package var files: [String: Data]
    /// The label of the file system; cloud-init looks for `config-2`.
    package var label: String

    package init(files: [String: Data], label: String = "config-2") {
        self.files = files
        self.label = label
    }

    package var description: String { "\(files.count) files on \(label)" }

    /// The most bytes of all files: 64 MiB, the capacity of Nova's config drive of the kind `vfat`.
    package static let mostBytes = 64 << 20

    func check() throws(CloudError) {
        let parts = files.keys.flatMap { $0.split(separator: "/", omittingEmptySubsequences: false) }
        guard parts.allSatisfy({ part in
            (1...30).contains(part.utf8.count) && part != "." && part != ".."
                && part.utf8.allSatisfy { (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || [45, 46, 95].contains($0) }
        }) else {
            throw .badRequest("A config drive's paths must be of names of 1 to 30 letters, digits, -, . and _.")
        }
        guard files.values.reduce(0, { $0 + $1.count }) <= Self.mostBytes else { throw .badRequest("A config drive may have 64 MiB.") }
        guard (1...32).contains(label.utf8.count), label.utf8.allSatisfy({ (33...126).contains($0) }) else {
            throw .badRequest("A config drive's label must be 1 to 32 visible characters.")
        }
    }
}

/// The bus of a disk, in libvirt's and Nova's words (`hw_disk_bus`).
package enum DiskBus: String, Hashable, Sendable, Codable, CaseIterable {
    case virtio, scsi, sata, ide, usb

    /// Returns the name of the bus's disk with a number, as libvirt and Linux have it: `vda`, `vdb` and so on. Each
    /// prefix has 702 names.
    package func deviceName(_ number: Int) -> String {
        let prefix =
            switch self {
            case .virtio: "vd"
            case .ide: "hd"
            case .scsi, .sata, .usb: "sd"
            }
        func letter(_ value: Int) -> String { String(UnicodeScalar(UInt8(97 + value))) }
        return prefix + (number < 26 ? letter(number) : letter(number / 26 - 1) + letter(number % 26))
    }
}

import CloudCore
import HostModel

/// A volume of a server: what the reference calls a block device mapping to a volume.
struct ServerVolume: StoredValue, Equatable {
    static let storedName = "compute.server-volume"

    /// The id of the use, which the API shows as `bdm_uuid`.
    var id: String
    var serverID: ID<Kind.Server>
    var volumeID: ID<Kind.Volume>
    var attachmentID: ID<Kind.Attachment>
    /// The name of the device as clients know it, such as `/dev/vdb`. A guest may call it otherwise.
    var device: String
    /// The place in the order of booting, from 0; nil for a volume that the server does not boot from.
    var bootIndex: Int?
    var bus: String?
    /// Whether the guest finds a CD drive in place of a disk.
    var isCD: Bool
    var tag: String?
    /// Whether the volume is deleted with the server.
    var isDeletedWithServer: Bool

    /// Whether the volume is the server's root disk.
    var isRoot: Bool { bootIndex == 0 }

    /// Returns the use as Block Storage knows it.
    func use(in project: String) -> VolumeUse {
        VolumeUse(
            attachment: attachmentID, volume: volumeID, server: serverID, projectID: project, device: device)
    }

    /// Returns the machine's disk.
    func disk(_ connected: ConnectedVolume) -> Disk {
        var disk = Disk(
            id: volumeID.text, source: .volume(connected.path), bus: bus.flatMap { DiskBus(rawValue: $0) },
            kind: isCD ? .cdrom : .disk, serial: volumeID.text)
        disk.isReadOnly = connected.isReadOnly
        disk.isShared = connected.isShared
        disk.rates = connected.rates
        return disk
    }

    /// Returns the error for a server that does not have a volume.
    static func missing(_ volume: ID<Kind.Volume>, of server: ID<Kind.Server>) -> CloudError {
        .notFound("Instance \(server) is not attached to volume \(volume)")
    }
}

/// The names of a server's devices.
struct DeviceNames {
    private(set) var taken: Set<String>

    /// The most disks of a server.
    static let most = Limits.thing.disks.most

    init(_ taken: [String]) { self.taken = Set(taken.map(Self.plain)) }

    /// Returns the name that the device gets, and takes it.
    ///
    /// - Parameter wanted: the name that the user asks for; nil or empty for the first free one.
    /// - Throws: `conflict` for a name that is taken; `forbidden` if the server has as many disks as it can have.
    mutating func take(_ wanted: String?, bus: String?) throws -> String {
        guard taken.count < Self.most else {
            throw CloudError.forbidden(
                """
                The maximum allowed number of disk devices (\(Self.most)) to attach to a single instance has been \
                exceeded.
                """)
        }
        if let wanted, !wanted.isEmpty {
            let name = Self.plain(wanted)
            guard taken.insert(name).inserted else {
                throw CloudError.conflict("The supplied device path (/dev/\(name)) is in use.")
            }
            return "/dev/\(name)"
        }
        let bus = bus.flatMap { DiskBus(rawValue: $0) } ?? .virtio
        let name = (0...Self.most).lazy.map(bus.deviceName).first { !taken.contains($0) } ?? bus.deviceName(Self.most)
        taken.insert(name)
        return "/dev/\(name)"
    }

    private static func plain(_ name: String) -> String {
        name.hasPrefix("/dev/") ? String(name.dropFirst("/dev/".count)) : name
    }
}

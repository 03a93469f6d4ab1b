import CloudCore
import HostModel

/// The facts about a machine that the host remembers in addition to libvirt's own.
struct HostedMachine: StoredValue {
    static let storedName = "libvirt.machine"

    var spec: MachineSpec
    var boots: Int64 = 0
    /// The id of the user under which the guest runs; nil if it has no user of its own.
    var user: UInt32?
    /// The names of the disks' devices, such as `vda`, by disk id.
    var targets: [String: String] = [:]
    /// The size that each local disk's file was given, in bytes.
    var sizes: [String: Int64] = [:]

    init(spec: MachineSpec) { self.spec = spec }
}

/// The paths of a machine's files.
struct MachineFolder: Sendable {
    let path: String

    var console: String { path + "/console.log" }
    var olderConsole: String { path + "/console.old" }
    var kernel: String { path + "/kernel" }
    var ramdisk: String { path + "/ramdisk" }

    /// Returns the name that the image under a disk has in this folder.
    func base(of disk: Disk) -> String { "\(path)/\(disk.id).base" }

    func file(of disk: Disk) -> String {
        switch disk.source {
        case .image: "\(path)/\(disk.id).qcow2"
        case .configDrive: "\(path)/\(disk.id).iso"
        case .blank, .swap: "\(path)/\(disk.id).raw"
        case .volume(let volume): volume.path
        }
    }
}

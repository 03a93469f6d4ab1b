import CloudCore
import HostModel

/// What the host remembers of a machine beside what libvirt does.
struct HostedMachine: StoredValue {
    static let storedName = "libvirt.machine"

    var spec: MachineSpec
    var boots: Int64 = 0
    /// The id of the user that the guest runs as; nil: who this process is.
    var user: UInt32?
    /// `vda` and so on, by disk.
    var targets: [String: String] = [:]
    /// The size that each local disk's file was given, in bytes.
    var sizes: [String: Int64] = [:]

    init(spec: MachineSpec) { self.spec = spec }
}

/// Where things of a machine lie.
struct MachineFolder: Sendable {
    let path: String

    var console: String { path + "/console.log" }
    var olderConsole: String { path + "/console.old" }
    var kernel: String { path + "/kernel" }
    var ramdisk: String { path + "/ramdisk" }

    func file(of disk: Disk) -> String {
        switch disk.source {
        case .image: "\(path)/\(disk.id).qcow2"
        case .configDrive: "\(path)/\(disk.id).iso"
        case .blank, .swap: "\(path)/\(disk.id).raw"
        case .volume(let volume): volume.path
        }
    }
}

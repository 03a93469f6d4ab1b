import CloudCore
import Drivers
import Foundation
import HostModel

/// QEMUs that were started only to be asked for their abilities: our own for KVM, and libvirt's. They are not guests.
/// If the process is killed meanwhile, they stay for as long as the host runs.
enum LeftProbes {
    /// Ends them. It must run before libvirt is opened on that root.
    static func end(folder: String, root: String) {
        let ours = ["file=\(folder)/kvm-probe.img,"] + [root, folder + "/l"].map { "unix:\($0)/lib/qemu/qmp-" }
        for process in DurableFile.names(in: "/proc") {
            guard let number = pid_t(process), let line = KernelFile.bytes("/proc/\(process)/cmdline") else { continue }
            let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            guard let program = words.first?.split(separator: "/").last, program.hasPrefix("qemu-system-") else { continue }
            if words.contains(where: { word in ours.contains { word.hasPrefix($0) } }) { kill(number, SIGKILL) }
        }
        for name in DurableFile.names(in: root + "/lib/qemu") where name.hasPrefix("qmp-") {
            // If the removal fails, only a few empty files stay.
            try? DurableFile.removeFolder("\(root)/lib/qemu/\(name)")
        }
    }
}

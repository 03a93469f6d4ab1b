import Foundation
import HostModel

/// The file into which libvirt lets the QEMU of a machine write its complaints. libvirt keeps it for ever, and some of
/// the complaints come from what a guest does to its devices.
struct EmulatorLog {
    private let path: String
    private let most: Int

    init(_ settings: LibvirtSettings, _ id: MachineID) {
        path = "\(settings.folder)/l/log/qemu/\(id).log"
        most = settings.consoleBytes
    }

    /// Empties a file that is too long. QEMU continues to append to it.
    func shorten() {
        var status = stat()
        if stat(path, &status) == 0, status.st_size > most { truncate(path, 0) }
    }

    func remove() { unlink(path) }
}

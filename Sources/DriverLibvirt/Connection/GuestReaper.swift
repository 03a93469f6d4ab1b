import Drivers
import Foundation

/// Takes note of the death of guests whose parent this process has become. libvirt waits for a guest to be gone, and it is not
/// gone before its parent looked; an init that never looks costs seconds a guest.
///
/// Only guests: the end of any other child is awaited by who started it.
enum GuestReaper {
    /// Runs for the life of the process.
    static func run() {
        var pause: useconds_t = 20_000
        while true {
            var info = siginfo_t()
            // Waits for the next death without taking it from whom it may belong to.
            guard waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) == 0 else {
                usleep(250_000)
                continue
            }
            if reapGuests() {
                pause = 20_000
            } else {
                // Somebody else's child, who looks after it in a moment, or never.
                usleep(pause)
                pause = min(pause * 2, 320_000)
            }
        }
    }

    private static func reapGuests() -> Bool {
        var isAny = false
        for child in children() where isDeadGuest(child) {
            var status: Int32 = 0
            if waitpid(child, &status, WNOHANG) == child { isAny = true }
        }
        return isAny
    }

    /// From /proc (proc_pid_children(5)): the children of each thread of this process.
    private static func children() -> [pid_t] {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        return tasks.flatMap { task in
            (KernelFile.text("/proc/self/task/\(task)/children") ?? "").split(separator: " ").compactMap { pid_t($0) }
        }
    }

    private static func isDeadGuest(_ child: pid_t) -> Bool {
        // `pid (name) state …`, the name being the first 15 bytes of the program's.
        guard let stat = KernelFile.text("/proc/\(child)/stat"), let open = stat.firstIndex(of: "("), let close = stat.lastIndex(of: ")") else {
            return false
        }
        let name = stat[stat.index(after: open)..<close]
        // state, parent, process group, session: proc_pid_stat(5).
        let fields = stat[stat.index(after: close)...].split(separator: " ")
        // A guest has a session of its own. A QEMU in ours is one that libvirt has started and waits for itself.
        guard fields.count > 3, fields[0] == "Z", let session = pid_t(fields[3]), session != getsid(0) else { return false }
        return name.hasPrefix("qemu-system") || name.hasPrefix("qemu-kvm")
    }
}

import Drivers
import Foundation
import HostModel

/// Takes note of the death of guests whose parent this process has become. libvirt waits for a guest to be gone, and it is not
/// gone before its parent looked; an init that never looks costs seconds a guest.
///
/// Whoever adopts guests adopts the other orphans too: the daemons that networks were given, which nobody else would ever bury. The
/// end of any other child is awaited by who started it.
enum GuestReaper {
    /// Runs for the life of the process.
    static func run() {
        var pause: useconds_t = 20_000
        var rounds = Rounds(ownSession: getsid(0))
        while true {
            var info = siginfo_t()
            // Waits for the next death without taking it from whom it may belong to.
            guard waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) == 0 else {
                usleep(250_000)
                continue
            }
            if bury(rounds.ours(of: children().compactMap(dead), at: .now)) {
                pause = 20_000
            } else {
                // Somebody else's child, who looks after it in a moment.
                usleep(pause)
                pause = min(pause * 2, 320_000)
            }
        }
    }

    private static func bury(_ children: [pid_t]) -> Bool {
        var isAny = false
        for child in children {
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

    /// A child that has ended, and whose parent has not looked yet.
    struct Dead: Hashable {
        var pid: pid_t
        var name: String
        var session: pid_t
    }

    /// nil for one that lives.
    private static func dead(_ child: pid_t) -> Dead? {
        // `pid (name) state …`, the name being the first 15 bytes of the program's.
        guard let stat = KernelFile.text("/proc/\(child)/stat"), let open = stat.firstIndex(of: "("), let close = stat.lastIndex(of: ")") else {
            return nil
        }
        // state, parent, process group, session: proc_pid_stat(5).
        let fields = stat[stat.index(after: close)...].split(separator: " ")
        guard fields.count > 3, fields[0] == "Z", let session = pid_t(fields[3]) else { return nil }
        return Dead(pid: child, name: String(stat[stat.index(after: open)..<close]), session: session)
    }

    /// Tells whose the dead are. A dead child that stays is one of a limited number of processes that is lost for good.
    struct Rounds {
        let ownSession: pid_t
        /// When each daemon was first seen dead.
        private var daemons: [Dead: ContinuousClock.Instant] = [:]
        /// A program that becomes a daemon leaves two processes behind, which are like the one that its starter awaits. But a starter
        /// looks at once.
        static let starterLooksWithin = Duration.seconds(5)

        init(ownSession: pid_t) { self.ownSession = ownSession }

        mutating func ours(of dead: [Dead], at now: ContinuousClock.Instant) -> [pid_t] {
            let before = daemons
            daemons = [:]
            return dead.compactMap { each in
                // Who is in our session was started from here and is awaited, a QEMU too: libvirt starts some for its own questions.
                guard each.session != ownSession else { return nil }
                if each.name.hasPrefix("qemu-system") || each.name.hasPrefix("qemu-kvm") { return each.pid }
                guard each.name == "dnsmasq" else { return nil }
                let since = before[each] ?? now
                daemons[each] = since
                return now - since >= Self.starterLooksWithin ? each.pid : nil
            }
        }
    }
}

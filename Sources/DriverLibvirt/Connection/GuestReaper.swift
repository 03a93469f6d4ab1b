import Drivers
import Foundation
import HostModel

/// The thread that reaps dead guests whose parent this process has become. libvirt waits until a guest is gone, and
/// that is only after its parent has reaped it; if an init never does so, each guest costs seconds.
///
/// A process that adopts guests also adopts other orphans: the dnsmasq daemons of networks, which nobody else would
/// reap. Every other child is awaited by the code that started it.
enum GuestReaper {
    /// Reaps until the process ends.
    static func run() {
        var pause: useconds_t = 20_000
        var rounds = Rounds(ownSession: getsid(0))
        while true {
            var info = siginfo_t()
            // This waits for the next death, and leaves the dead child to the code to which it may belong.
            guard waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) == 0 else {
                usleep(250_000)
                continue
            }
            if bury(rounds.ours(of: children().compactMap(dead), at: .now)) {
                pause = 20_000
            } else {
                // The child belongs to other code, which reaps it in a moment.
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

    /// Returns the children of each thread of this process, from /proc (proc_pid_children(5)).
    private static func children() -> [pid_t] {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        return tasks.flatMap { task in
            (KernelFile.text("/proc/self/task/\(task)/children") ?? "").split(separator: " ").compactMap { pid_t($0) }
        }
    }

    /// A child that has ended and was not reaped yet.
    struct Dead: Hashable {
        var pid: pid_t
        var name: String
        var session: pid_t
    }

    /// Returns the dead child; nil for one that lives.
    private static func dead(_ child: pid_t) -> Dead? {
        // The text is `pid (name) state …`, with the first 15 bytes of the program's name.
        guard let stat = KernelFile.text("/proc/\(child)/stat"), let open = stat.firstIndex(of: "("), let close = stat.lastIndex(of: ")") else {
            return nil
        }
        // The fields are state, parent, process group and session (proc_pid_stat(5)).
        let fields = stat[stat.index(after: close)...].split(separator: " ")
        guard fields.count > 3, fields[0] == "Z", let session = pid_t(fields[3]) else { return nil }
        return Dead(pid: child, name: String(stat[stat.index(after: open)..<close]), session: session)
    }

    /// The decision which dead children this thread must reap. A dead child that stays takes one of a limited number of
    /// processes for ever.
    struct Rounds {
        let ownSession: pid_t
        /// The time at which each daemon was first seen dead.
        private var daemons: [Dead: ContinuousClock.Instant] = [:]
        /// The time after which a dead dnsmasq is surely nobody's. A program that becomes a daemon leaves two processes
        /// that look like the one that its starter awaits, but a starter reaps its child at once.
        static let starterLooksWithin = Duration.seconds(5)

        init(ownSession: pid_t) { self.ownSession = ownSession }

        mutating func ours(of dead: [Dead], at now: ContinuousClock.Instant) -> [pid_t] {
            let before = daemons
            daemons = [:]
            return dead.compactMap { each in
                // A child in our own session was started by this process and is awaited. That is also true of a QEMU
                // that libvirt starts for its own questions.
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

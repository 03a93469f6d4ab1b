import CloudCore
import Drivers
import Foundation
import HostModel
import Programs

/// The dnsmasq processes of the namespaces. They outlive this process, which finds them again by their arguments.
struct DHCPServers {
    let folder: String
    /// The processes by the path of their pid file, which is different for each.
    private var running: [String: Server] = [:]

    private struct Server {
        var pid: pid_t
        var arguments: [String]
    }

    init(folder: String) {
        self.folder = folder
        let mark = "--pid-file=\(folder)/"
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let pid = pid_t(name), let line = KernelFile.bytes("/proc/\(name)/cmdline") else { continue }
            let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            guard words.first?.hasSuffix("dnsmasq") == true, let file = words.first(where: { $0.hasPrefix(mark) }) else { continue }
            running[String(file.dropFirst("--pid-file=".count))] = Server(pid: pid, arguments: words)
        }
    }

    var names: Set<String> { Set(running.keys.map { String($0.dropFirst(folder.utf8.count + 1).dropLast(".pid".utf8.count)) }) }

    var processes: Set<pid_t> { Set(running.values.map(\.pid)) }

    /// Brings the dnsmasq of a namespace to its plan: starts it, restarts it, or lets it read its files again.
    ///
    /// - Returns: whether anything was changed.
    mutating func ensure(_ plan: DHCPPlan, named name: String, in namespace: Namespace) throws(CloudError) -> Bool {
        let base = folder + "/" + name
        let (old, pending) = (try Self.text(base + ".hosts"), base + ".pending")
        let isPending = access(pending, F_OK) == 0
        if let server = running[base + ".pid"], server.arguments == plan.arguments, isInside(server.pid, namespace) {
            if old == plan.hosts, try Self.text(base + ".options") == plan.options, !isPending { return false }
            // Only a new start makes dnsmasq forget a lease, which would keep an address from its next port. Besides,
            // dnsmasq 2.90 crashes when it reads its files again after it has served a host with tags, because it frees
            // the tags a second time.
            let lines = Set(plan.hosts.split(separator: "\n"))
            let isHarmless = (old ?? "").split(separator: "\n").allSatisfy { lines.contains($0) && !$0.contains(DHCPCompiler.tagMark) }
            if !isPending, isHarmless {
                try DurableFile.write(Data(), to: pending)
                try write(plan, base)
                kill(server.pid, SIGHUP)
                unlink(pending)
                return true
            }
        }
        stop(base + ".pid")
        unlink(pending)
        try write(plan, base)
        try ChildProcess.require("dnsmasq", Array(plan.arguments.dropFirst()), in: namespace)
        return true
    }

    mutating func remove(_ name: String) {
        let base = folder + "/" + name
        stop(base + ".pid")
        for suffix in [".pid", ".hosts", ".options", ".pending"] { unlink(base + suffix) }
    }

    /// Writes the files of dnsmasq, which name the addresses and the servers of projects. They belong to the user of
    /// the program, because it gives up its rights before it reads them.
    private func write(_ plan: DHCPPlan, _ base: String) throws(CloudError) {
        for (path, text) in [(base + ".hosts", plan.hosts), (base + ".options", plan.options)] {
            try DurableFile.write(Data(text.utf8), to: path, mode: 0o400)
            guard chown(path, ServerAccount.current.user, gid_t.max) == 0 else {
                throw DurableFile.failure("give away", path)
            }
        }
    }

    private static func text(_ path: String) throws(CloudError) -> String? {
        try DurableFile.read(path).map { String(decoding: $0, as: UTF8.self) }
    }

    private func isInside(_ pid: pid_t, _ namespace: Namespace) -> Bool {
        var (process, wanted) = (stat(), stat())
        defer { withExtendedLifetime(namespace) {} }
        guard stat("/proc/\(pid)/ns/net", &process) == 0, fstat(namespace.descriptor, &wanted) == 0 else { return false }
        return process.st_ino == wanted.st_ino
    }

    private mutating func stop(_ file: String) {
        guard let server = running.removeValue(forKey: file) else { return }
        ProgramRun.end(server.pid, patience: 2000)
    }
}

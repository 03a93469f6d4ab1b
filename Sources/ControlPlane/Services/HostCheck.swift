import Foundation

/// The check of `novella doctor`: what a host lacks for running machines, and how to fix it.
package enum HostCheck {
    package struct Finding: Sendable, Equatable {
        package enum Verdict: String, Sendable {
            case good = "ok"
            /// The host works without it, but less well.
            case notice
            case lacking
        }

        package let name: String
        package let verdict: Verdict
        /// The result of the check, or the remedy.
        package let text: String
    }

    /// The programs that the drivers start.
    private static let programs: [(name: String, package: String, purpose: String)] = [
        ("qemu-system-\(architecture)", "qemu-system-\(isX86 ? "x86" : "arm")", "runs the machines"),
        ("qemu-img", "qemu-utils", "makes and copies their disks"),
        ("ip", "iproute2", "makes bridges and namespaces"),
        ("nft", "nftables", "filters and translates packets"),
        ("dnsmasq", "dnsmasq-base", "gives addresses to machines"),
        ("conntrack", "conntrack", "ends flows that are allowed no longer"),
    ]

    #if arch(x86_64)
    private static let (architecture, isX86) = ("x86_64", true)
    #else
    private static let (architecture, isX86) = ("aarch64", false)
    #endif

    /// Runs all checks. They change nothing.
    ///
    /// - Parameters:
    ///   - path: the folders with programs, in the form of the variable `PATH`.
    ///   - directory: the directory for the cloud's data.
    package static func run(path: String, isRoot: Bool, directory: StateDirectory) -> [Finding] {
        [root(isRoot)] + programs.map { program($0.name, $0.package, $0.purpose, path) }
            + [library(), device("/dev/net/tun", "modprobe tun: machines' network cards end in it"), acceleration(), user(), room(directory)]
    }

    private static func root(_ isRoot: Bool) -> Finding {
        isRoot
            ? Finding(name: "rights", verdict: .good, text: "root")
            : Finding(name: "rights", verdict: .lacking, text: "start it as root: bridges and namespaces need it. `novella up --simulate` needs nothing.")
    }

    private static func program(_ name: String, _ package: String, _ purpose: String, _ path: String) -> Finding {
        // The `PATH` of a normal user often lacks the folders of administrators' programs.
        let folders = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin", "/usr/local/sbin"]
        guard let folder = folders.first(where: { access("\($0)/\(name)", X_OK) == 0 }) else {
            return Finding(name: name, verdict: .lacking, text: "apt-get install \(package): it \(purpose)")
        }
        return Finding(name: name, verdict: .good, text: "\(folder)/\(name)")
    }

    private static func library() -> Finding {
        guard let handle = dlopen("libvirt.so.0", RTLD_LAZY) else {
            return Finding(name: "libvirt", verdict: .lacking, text: "apt-get install libvirt0 libvirt-daemon-driver-qemu: it starts and watches the machines")
        }
        dlclose(handle)
        return Finding(name: "libvirt", verdict: .good, text: "libvirt.so.0")
    }

    private static func device(_ path: String, _ remedy: String) -> Finding {
        let isThere = access(path, R_OK | W_OK) == 0
        return Finding(name: path, verdict: isThere ? .good : .lacking, text: isThere ? "there" : remedy)
    }

    private static func acceleration() -> Finding {
        access("/dev/kvm", R_OK | W_OK) == 0
            ? Finding(name: "/dev/kvm", verdict: .good, text: "there; whether guests run under it is tried when the cloud starts")
            : Finding(name: "/dev/kvm", verdict: .notice, text: "not there: machines are emulated, some ten times slower. Turn virtualisation on in the firmware.")
    }

    private static func user() -> Finding {
        getpwnam("libvirt-qemu") != nil
            ? Finding(name: "guests' user", verdict: .good, text: "libvirt-qemu")
            : Finding(name: "guests' user", verdict: .lacking, text: "useradd --system --user-group --no-create-home libvirt-qemu: guests run as it")
    }

    private static let leastGiB = 2.0

    private static func room(_ directory: StateDirectory) -> Finding {
        var folder = directory.path
        while !FileManager.default.fileExists(atPath: folder), folder.count > 1 { folder = (folder as NSString).deletingLastPathComponent }
        var facts = statvfs()
        guard statvfs(folder, &facts) == 0 else { return Finding(name: "disk", verdict: .notice, text: "\(folder) cannot be looked at") }
        let free = Double(facts.f_bavail) * Double(facts.f_frsize) / 1_073_741_824
        let text = "\(String(format: "%.1f", free)) GiB free in \(folder)"
        return Finding(name: "disk", verdict: free < leastGiB ? .notice : .good, text: free < leastGiB ? text + ": images and disks will not fit" : text)
    }
}

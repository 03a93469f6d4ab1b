import CloudCore
import Crypto
import DriverConformance
import DriverLibvirt
import Drivers
import Foundation
import HostModel
import ImageFormats
import NIOCore
import TestSupport
import Testing

/// This machine as a host of real guests. All tests of the process share it, since libvirt has one embedded driver for
/// each process.
actor RealHost {
    static let shared = RealHost()

    /// Whether this machine has everything that real guests need. The tests are skipped elsewhere.
    static let isAvailable: Bool = {
        let programs = ["/usr/bin/qemu-system-x86_64", "/usr/bin/qemu-img", "/usr/bin/prlimit", "/bin/busybox", "/usr/sbin/dropbear"]
        guard programs.allSatisfy({ access($0, X_OK) == 0 }), let library = dlopen("libvirt.so.0", RTLD_LAZY) else { return false }
        dlclose(library)
        return access("/usr/share/libvirt/cpu_map/index.xml", R_OK) == 0 && !drivers.isEmpty
    }()

    /// The libvirt modules that drive QEMU. They are in a package of their own.
    private static var drivers: [String] {
        ["x86_64-linux-gnu", "aarch64-linux-gnu"].map { "/usr/lib/\($0)/libvirt/connection-driver/libvirt_driver_qemu.so" }
            .filter { access($0, R_OK) == 0 }
    }

    struct Guest: Sendable {
        let kernel: Data
        let ramdisk: Data
        /// A disk of 1 MiB of zeros.
        let disk = Data(count: 1 << 20)

        static func id(_ data: Data) -> ContentID { ContentID(Hex.text(SHA512.hash(data: data)))! }

        var source: ImageSource {
            let all = [kernel, ramdisk, disk].reduce(into: [ContentID: Data]()) { $0[Self.id($1)] = $1 }
            return ImageSource { content, sink in
                guard let data = all[content] else { throw CloudError.notFound("image", content.text) }
                try await sink(ByteBuffer(bytes: data))
            }
        }

        func spec(_ id: MachineID) -> MachineSpec {
            MachineSpec(
                id: id, name: "one </name><x attribute='\"&", memoryMiB: 96,
                boot: .kernel(Self.id(kernel), ramdisk: Self.id(ramdisk), commandLine: "console=ttyS0 quiet panic=1"),
                disks: [
                    Disk(id: "root", source: .image(ImageReference(content: Self.id(disk), format: .raw), virtualBytes: 8 << 20)),
                    Disk(
                        id: "config",
                        source: .configDrive(
                            ConfigDrive(files: ["openstack/latest/meta_data.json": Data("{\"uuid\": \"\(id)\"}".utf8)])),
                        bus: .virtio),
                ])
        }
    }

    let folder = "/tmp/novella-test-host-" + UUID().uuidString.prefix(8).lowercased()
    let world = World(clock: SystemClock(), random: SystemRandomness())
    private var opened: (driver: LibvirtDriver, guest: Guest)?

    func open() async throws -> (driver: LibvirtDriver, guest: Guest) {
        if let opened { return opened }
        let guest = try Self.guest()
        let driver = try await LibvirtDriver.open(settings, images: guest.source, world: world)
        opened = (driver, guest)
        Self.folderAtExit.value = folder
        atexit { try? FileManager.default.removeItem(atPath: RealHost.folderAtExit.value) }
        return (driver, guest)
    }

    private static let folderAtExit = Box("")

    var settings: LibvirtSettings {
        var settings = LibvirtSettings(folder: folder)
        settings.consoleBytes = 1 << 16
        settings.releaseTime = .seconds(25)
        return settings
    }

    /// Runs `body` with a folder that other users can pass through, as they can with a host's folder.
    static func withOpenFolder(_ body: (String) async throws -> Void) async throws {
        let folder = "/tmp/novella-test-" + UUID().uuidString.prefix(12).lowercased()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    func another() async throws -> LibvirtDriver {
        let guest = try await open().guest
        return try await LibvirtDriver.open(settings, images: guest.source, world: world)
    }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    static let probe = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appending(path: "DriverLibvirtProbe")
    static let guestFolder = root.appending(path: ".build/guest")

    /// Returns the guest that `scripts/guest-image` builds if it is missing.
    private static func guest() throws -> Guest {
        let folder = guestFolder
        let script = Process()
        script.executableURL = root.appending(path: "scripts/guest-image")
        try script.run()
        script.waitUntilExit()
        #expect(script.terminationStatus == 0, "scripts/guest-image fails")
        return Guest(
            kernel: try Data(contentsOf: folder.appending(path: "kernel")), ramdisk: try Data(contentsOf: folder.appending(path: "ramdisk")))
    }
}

import CloudCore
import Drivers
import Foundation
import HostModel
import ImageFormats
import TestSupport
import Testing
@testable import DriverLibvirt

@Suite("The libvirt driver's files and documents")
struct FileTests {
    private static func document(usesKVM: Bool = false, _ shape: (inout MachineSpec) -> Void) throws -> String {
        let image = ImageReference(content: ContentID(String(repeating: "0", count: 128))!, format: .qcow2)
        var spec = MachineSpec(
            id: MachineID("11111111-2222-4333-8444-555555555555"), name: "n", memoryMiB: 64,
            disks: [Disk(id: "root", source: .image(image, virtualBytes: 1 << 20))],
            nics: [NIC(id: "p", mac: "52:54:00:00:00:01", tap: "tap0")])
        shape(&spec)
        return try DomainXML(
            spec: spec,
            placement: .init(
                usesKVM: usesKVM, translationCacheMiB: 32, folder: "/m", files: ["root": "/m/root.qcow2"], bases: ["root": ("/b", true)],
                targets: DomainXML.targets(for: spec, keeping: [:]), guestUser: 7, guestGroup: nil)
        ).text()
    }

    /// Returns the XML with the names of its elements and attributes, but without their values.
    private static func shape(_ xml: String) -> String {
        xml.replacing(/='[^']*'/, with: "=").replacing(/>[^<>]*</, with: "><")
    }

    @Test("An emulated Linux guest gets no_timer_check on its kernel command line")
    func timer() throws {
        let shape = { (spec: inout MachineSpec) in spec.boot = .kernel(spec.images.first!.content, ramdisk: nil, commandLine: "console=ttyS0") }
        #expect(try Self.document(shape).contains("<cmdline>console=ttyS0 no_timer_check</cmdline>"))
        #expect(try Self.document(usesKVM: true, shape).contains("<cmdline>console=ttyS0</cmdline>"))
    }

    @Test(
        "No text of a user becomes markup in the XML",
        arguments: ["</title><devices/>", "'/><x y='", "\"&amp;&lt;", "]]>", "<!--", "a\u{0}b\nc\u{b}d\u{fffe}", "&#x3c;", "🦊"])
    func escaping(_ text: String) throws {
        let plain = Self.shape(try Self.document { $0.disks[0].serial = "s"; $0.boot = .kernel($0.images.first!.content, ramdisk: nil, commandLine: "c") })
        let hostile = try Self.document {
            $0.name = text
            $0.disks[0].serial = text
            $0.boot = .kernel($0.images.first!.content, ramdisk: nil, commandLine: text)
        }
        #expect(Self.shape(hostile) == plain)
        #expect(!hostile.unicodeScalars.contains { $0.value < 32 })
    }

    @Test("The XML names each disk format in the whole chain, so the host guesses nothing")
    func ossa_2026_002_explicitFormats() throws {
        let xml = try Self.document { _ in }
        #expect(xml.contains("<driver name='qemu' type='qcow2'/><source file='/m/root.qcow2'/><backingStore type='file'><format type='qcow2'/>"))
        #expect(xml.contains("<seclabel model='dac' relabel='no'/></source><backingStore/></backingStore>"))
        #expect(!xml.contains("max") && xml.contains("<tb-cache unit='MiB'>32</tb-cache>"))
    }

    @Test("Disks keep their device names when another disk is removed")
    func targets() {
        let disks = ["a", "b", "c"].map { Disk(id: $0, source: .blank(virtualBytes: 512)) }
        var spec = MachineSpec(id: MachineID("x"), name: "", memoryMiB: 64, disks: disks)
        let first = DomainXML.targets(for: spec, keeping: [:])
        #expect(first == ["a": "vda", "b": "vdb", "c": "vdc"])
        spec.disks.remove(at: 1)
        spec.disks.append(Disk(id: "d", source: .blank(virtualBytes: 512)))
        #expect(DomainXML.targets(for: spec, keeping: first) == ["a": "vda", "c": "vdc", "d": "vdb"])
    }

    @Test("A raw disk stays raw when it is copied and grown, whatever the guest has written on it", .enabled(if: RealHost.isAvailable))
    func ossa_2016_001_rawStaysRaw() async throws {
        try await withTemporaryDirectory { folder in
            let disk = folder + "/disk.raw"
            try DiskImage.makeBlank(disk, virtualBytes: 1 << 20, isSwap: false)
            try EvilHeader.write(to: disk)
            try DiskImage.copy(disk, isQCOW2: false, to: folder + "/copy.qcow2")
            #expect(try DiskImage.virtualBytes(folder + "/copy.qcow2", isQCOW2: true) == 1 << 20)
            try DiskImage.grow(disk, isQCOW2: false, virtualBytes: 2 << 20)
            #expect(try DiskImage.virtualBytes(disk, isQCOW2: false) == 2 << 20)
        }
    }

    @Test("A disk that grows with its machine keeps its format, whatever the guest has written on it", .enabled(if: RealHost.isAvailable))
    func ossa_2016_007_resizeStaysRaw() async throws {
        try await withTemporaryDirectory { folder in
            let files = MachineFiles(folder: MachineFolder(path: folder + "/machine"))
            func disk(_ bytes: Int64) -> Disk { Disk(id: "ephemeral0", source: .blank(virtualBytes: bytes)) }
            var machine = HostedMachine(
                spec: MachineSpec(id: MachineID("11111111-2222-4333-8444-555555555555"), name: "n", memoryMiB: 64, disks: [disk(1 << 20)]))
            machine.sizes = try files.settle(machine, [:])
            let path = folder + "/machine/ephemeral0.raw"
            try EvilHeader.write(to: path)
            machine.spec.disks = [disk(2 << 20)]
            machine.sizes = try files.settle(machine, [:])
            #expect(machine.sizes == ["ephemeral0": 2 << 20])
            let bytes = try Data(contentsOf: URL(filePath: path))
            #expect(bytes.count == 2 << 20)
            #expect(bytes.prefix(512) == EvilHeader.bytes, "nobody has read the header, and nobody has mended it")
        }
    }

    @Test("A new disk never shows bytes of another machine, or of an earlier image of the same machine", .enabled(if: RealHost.isAvailable))
    func ossa_2014_003_ossa_2012_020_ossa_2013_021_disksBeginBlank() async throws {
        try await withTemporaryDirectory { folder in
            let machine = MachineFolder(path: folder + "/machine")
            let content = ContentID(String(repeating: "0", count: 128))!
            let image = ImageReference(content: content, format: .raw)
            try Data(count: 1 << 20).write(to: URL(filePath: folder + "/image"))
            var hosted = HostedMachine(
                spec: MachineSpec(
                    id: MachineID("11111111-2222-4333-8444-555555555555"), name: "n", memoryMiB: 64,
                    disks: [
                        Disk(id: "root", source: .image(image, virtualBytes: 2 << 20)), Disk(id: "ephemeral", source: .blank(virtualBytes: 1 << 20)),
                        Disk(id: "swap", source: .swap(virtualBytes: 1 << 20)),
                    ]))
            func settle() throws { hosted.sizes = try MachineFiles(folder: machine).settle(hosted, [image: folder + "/image"]) }
            /// Returns what a guest would read from the disk.
            func read(_ disk: Int) throws -> Data {
                let (file, flat) = (machine.file(of: hosted.spec.disks[disk]), folder + "/flat")
                guard file.hasSuffix(".qcow2") else { return try Data(contentsOf: URL(filePath: file)) }
                let done = try HelperProgram.run("/usr/bin/qemu-img", ["convert", "-f", "qcow2", "-O", "raw", file, flat], .short)
                #expect(done.status == 0, "\(done.output)")
                return try Data(contentsOf: URL(filePath: flat))
            }
            let mark = Data("what was there before".utf8)
            func fill() throws {
                for disk in hosted.spec.disks {
                    let file = machine.file(of: disk)
                    guard file.hasSuffix(".qcow2") else {
                        try mark.write(to: URL(filePath: file))
                        continue
                    }
                    let done = try HelperProgram.run("/usr/bin/qemu-io", ["-f", "qcow2", "-c", "write -P 0x41 0 4096", file], .short)
                    #expect(done.status == 0, "\(done.output)")
                }
            }
            try settle()
            try fill()
            #expect(try read(0).contains(0x41))
            #expect(try read(1).range(of: mark) != nil)

            // The machine is removed and made again in the same place.
            try DurableFile.removeFolder(machine.path)
            hosted.sizes = [:]
            try settle()
            for disk in [0, 1] {
                let isBlank = try read(disk).allSatisfy { $0 == 0 }
                #expect(isBlank)
            }
            #expect(try read(2).range(of: mark) == nil)

            // A disk is removed, and later a disk of the same name is added.
            try fill()
            let all = hosted.spec.disks
            hosted.spec.disks.removeAll { $0.id == "ephemeral" }
            try settle()
            hosted.spec.disks = all
            try settle()
            #expect(try read(1) == Data(count: 1 << 20))

            // A disk grows by zeros.
            hosted.spec.disks[1].source = .blank(virtualBytes: 2 << 20)
            try settle()
            #expect(try read(1) == Data(count: 2 << 20))
        }
    }

    /// A qcow2 header that names /etc/passwd as its backing file.
    private enum EvilHeader {
        static var bytes: Data {
            var header = Data(count: 512)
            header.replaceSubrange(0..<24, with: [0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 11, 0, 0, 0, 16])
            header.replaceSubrange(256..<267, with: Data("/etc/passwd".utf8))
            return header
        }

        /// Overwrites the beginning of the disk, as a guest could.
        static func write(to path: String) throws {
            let file = try #require(FileHandle(forWritingAtPath: path))
            try file.write(contentsOf: bytes)
            try file.close()
        }
    }

    @Test("A helper that takes too long is killed; it gets little memory, no environment and none of our open files")
    func ossa_2016_012_helpersAreLimited() throws {
        let began = ContinuousClock.now
        #expect(throws: CloudError.self) { try HelperProgram.run("/bin/sleep", ["60"], .init(seconds: 1, cpuSeconds: 5)) }
        #expect(ContinuousClock.now - began < .seconds(30))
        let outcome = try HelperProgram.run("/bin/sh", ["-c", "ulimit -v; ulimit -t; ls /proc/self/fd | wc -l; env | wc -l; exit 3"], .short)
        #expect(outcome.status == 3)
        let lines = outcome.output.split(separator: "\n").compactMap { Int($0) }
        #expect(lines.starts(with: [1_048_576, 30, 4]), "\(outcome.output)")
        #expect(try HelperProgram.run("/bin/sh", ["-c", "while :; do :; done"], .init(seconds: 30, cpuSeconds: 1)).status < 0)
    }

    @Test("A helper that takes memory, writes without end or leaves children costs only what it may")
    func ossa_2016_012_work() async throws {
        var limits = HelperProgram.Limits(seconds: 60, cpuSeconds: 30)
        limits.memoryBytes = 128 << 20
        // `tail` keeps a line in memory until its end.
        let greedy = try HelperProgram.run("/bin/sh", ["-c", "head -c 3000000000 /dev/zero | tail"], limits)
        #expect(greedy.status != 0 && greedy.output.utf8.count < 1000, "\(greedy.output)")
        let words = "head -c 200000000 /dev/zero; head -c 200000000 /dev/zero >&2"
        let chatty = try HelperProgram.run("/bin/sh", ["-c", words], limits)
        #expect(chatty.status == 0 && chatty.output.utf8.count <= 64 << 10 + 4000)
        let mark = "\(Int.random(in: 100_000...999_999))"
        #expect(throws: CloudError.self) {
            try HelperProgram.run("/bin/sh", ["-c", "sleep \(mark) & sleep \(mark)"], .init(seconds: 1, cpuSeconds: 5))
        }
        // A killed process ends when it has a processor.
        try await eventually("the end of the children") {
            let lines = DurableFile.names(in: "/proc").compactMap { KernelFile.text("/proc/\($0)/cmdline") }
            return !lines.contains { $0.contains("sleep\0\(mark)") }
        }
    }

    @Test(
        "An image under a disk has a name in the machine's folder, and only the guest's user passes through it",
        .enabled(if: RealHost.isAvailable))
    func baseOfADisk() async throws {
        let image = ImageReference(content: try #require(ContentID(String(repeating: "a", count: 128))), format: .raw)
        let disk = Disk(id: "root", source: .image(image, virtualBytes: 1 << 20))
        let id = MachineID("11111111-0000-4000-8000-000000000000")
        let spec = MachineSpec(id: id, name: "n", memoryMiB: 64, disks: [disk])
        try await withTemporaryDirectory { folder in
            try Data(repeating: 7, count: 1 << 20).write(to: URL(filePath: folder + "/image"))
            chmod(folder + "/image", 0o644)
            let machine = MachineFolder(path: folder + "/machine")
            let files = MachineFiles(folder: machine, group: getegid())
            for _ in 0..<2 { _ = try files.settle(HostedMachine(spec: spec), [image: folder + "/image"]) }
            var (original, named, place) = (stat(), stat(), stat())
            #expect(stat(folder + "/image", &original) == 0 && stat(machine.base(of: disk), &named) == 0)
            #expect(original.st_ino == named.st_ino && original.st_mode & 0o777 == 0o644)
            #expect(stat(machine.path, &place) == 0 && place.st_mode & 0o777 == 0o710)
            var without = spec
            without.disks = []
            _ = try files.settle(HostedMachine(spec: without), [:])
            #expect(access(machine.base(of: disk), F_OK) != 0)
        }
    }

    @Test("Copying a disk needs little address space, however many threads copy")
    func copyingThreads() async throws {
        try await withTemporaryDirectory { folder in
            try Data(repeating: 7, count: 128 << 20).write(to: URL(filePath: folder + "/a"))
            for _ in 1...3 {
                // A quarter of the memory that helpers may use. Without a single heap for all threads, the copy would
                // need up to five times as much.
                try HelperProgram.require(
                    "/usr/bin/qemu-img", ["convert", "-q", "-f", "raw", "-O", "qcow2", folder + "/a", folder + "/b"],
                    .init(seconds: 60, cpuSeconds: 60, memoryBytes: 256 << 20))
            }
        }
    }

    @Test("A config drive is the same for the same files, and not much larger than they are")
    func configDrive() {
        let files = ["openstack/latest/meta_data.json": Data(count: 5000), "openstack/2018-08-27/user_data": Data("#!".utf8), "a": Data()]
        let one = ConfigDriveISO.bytes(ConfigDrive(files: files))
        #expect(one == ConfigDriveISO.bytes(ConfigDrive(files: files)))
        #expect(one.count % 2048 == 0 && one.count < 100_000)
        #expect(String(decoding: one[(16 * 2048 + 40)..<(16 * 2048 + 48)], as: UTF8.self) == "config-2")
    }

    @Test("A long path to a host's folder gets a short link, always the same one")
    func shortPath() async throws {
        try await withTemporaryDirectory { folder in
            let long = folder + "/" + String(repeating: "x", count: 60)
            try FileManager.default.createDirectory(atPath: long, withIntermediateDirectories: true)
            let short = try ShortPath.to(long)
            defer { unlink(short) }
            #expect(short.utf8.count <= ShortPath.most)
            #expect(try ShortPath.to(long) == short)
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: short) == long)
        }
    }

    private static let machine = "11111111-2222-4333-8444-555555555555"

    private static func note(_ job: String = "", pid: Int32 = 99_999_999) -> String {
        "<domstatus state='running' reason='booted' pid='\(pid)'>\n\(job)  <nodename index='6'/>\n  <domain type='qemu' id='2'>\n  </domain>\n</domstatus>\n"
    }

    @Test("A job without a copy that a killed process left is removed from libvirt's status file; all else stays")
    func leftJobs() async throws {
        let left = "  <job type='none' async='backup' flags='0x0' asyncStarted='1795270169806'/>\n"
        #expect(LibvirtNotes.withoutLeftJob(Self.note(left)) == Self.note())
        for job in [
            "", left + "  <backups>\n    <domainbackup mode='push'/>\n  </backups>\n",
            "  <job type='none' async='save' phase='none' flags='0x0' asyncStarted='1'/>\n",
        ] { #expect(LibvirtNotes.withoutLeftJob(Self.note(job)) == nil) }

        try await withTemporaryDirectory { folder in
            let path = folder + "/run/qemu/\(Self.machine)"
            try FileManager.default.createDirectory(atPath: folder + "/run/qemu", withIntermediateDirectories: true)
            for ending in [".xml", ".pid"] { try Self.note(left).write(toFile: path + ending, atomically: true, encoding: .utf8) }
            for _ in 0..<2 { try LibvirtNotes.correct(root: folder) }
            #expect(try String(contentsOfFile: path + ".xml", encoding: .utf8) == Self.note())
            #expect(try String(contentsOfFile: path + ".pid", encoding: .utf8) == Self.note(left))
            // The process was killed just before it started QEMU.
            try Self.note(pid: 0).write(toFile: path + ".xml", atomically: true, encoding: .utf8)
            for name in ["domain-7-11111111-2222-4333-8", "domain-8-11111111-2222-4333-9"] {
                try FileManager.default.createDirectory(atPath: folder + "/lib/qemu/channel/target/" + name, withIntermediateDirectories: true)
                try FileManager.default.createDirectory(atPath: folder + "/lib/qemu/" + name, withIntermediateDirectories: true)
            }
            try LibvirtNotes.correct(root: folder)
            #expect(DurableFile.names(in: folder + "/lib/qemu/channel/target") == ["domain-8-11111111-2222-4333-9"])
            #expect(DurableFile.names(in: folder + "/lib/qemu").sorted() == ["channel", "domain-8-11111111-2222-4333-9"])
            #expect(DurableFile.names(in: folder + "/run/qemu") == [Self.machine + ".pid"])
            // A folder in which libvirt has never run.
            try LibvirtNotes.correct(root: folder + "/none")
        }
    }

    @Test("A network card that QEMU no longer has is removed from libvirt's status file, and the others stay")
    func lostCards() {
        func card(_ tap: String) -> String {
            "      <interface type='ethernet'>\n        <mac address='fa:16:3e:00:00:01'/>\n        <target dev='\(tap)' managed='no'/>\n      </interface>\n"
        }
        let (one, two) = (card("tap11111111-22"), card("tap33333333-44"))
        let left = LibvirtNotes.withoutLostCards(Self.note(one + two)) { $0 == "tap11111111-22" }
        #expect(left == Self.note(one))
        #expect(LibvirtNotes.withoutLostCards(Self.note(one + two)) { _ in true } == Self.note(one + two))
        #expect(LibvirtNotes.withoutLostCards(Self.note()) { _ in false } == Self.note())
        #expect(LibvirtNotes.taps(heldBy: "\(getpid())") == [])
        #expect(LibvirtNotes.taps(heldBy: "99999999") == nil)
    }

    /// Waits until the process runs its program: right after the fork it still has its parent's command line.
    private static func begun(_ process: Process, _ word: String) async throws {
        let path = "/proc/\(process.processIdentifier)/cmdline"
        try await eventually("the process runs") {
            FileManager.default.contents(atPath: path)?.split(separator: 0).contains { $0.elementsEqual(word.utf8) } == true
        }
    }

    @Test("A process that has reused a guest's pid is not mistaken for the guest, since libvirt would kill it")
    func otherProcess() async throws {
        #expect(LibvirtNotes.isOfNoGuest(Self.note(pid: getpid()), name: Self.machine))
        // libvirt itself finds out that a process has ended.
        #expect(!LibvirtNotes.isOfNoGuest(Self.note(), name: Self.machine))
        let guest = Process()
        let held = Pipe()
        guest.executableURL = URL(filePath: "/bin/sh")
        guest.arguments = ["-c", "read line", Self.machine]
        guest.standardInput = held
        try guest.run()
        try await Self.begun(guest, Self.machine)
        #expect(!LibvirtNotes.isOfNoGuest(Self.note(pid: guest.processIdentifier), name: Self.machine))
        try held.fileHandleForWriting.close()
        guest.waitUntilExit()
    }

    @Test(
        "A QEMU that a killed process started to query its abilities is killed; guests and other hosts' QEMUs are not")
    func leftProbes() async throws {
        try await withTemporaryDirectory { folder in
            try FileManager.default.copyItem(
                atPath: URL(filePath: "/bin/sh").resolvingSymlinksInPath().path, toPath: folder + "/qemu-system-test")
            var held: [Pipe] = []
            func start(_ words: String...) async throws -> Process {
                let process = Process()
                process.executableURL = URL(filePath: folder + "/qemu-system-test")
                process.arguments = ["-c", "read line", "qemu"] + words
                held.append(Pipe())
                process.standardInput = held.last
                try process.run()
                try await Self.begun(process, words.last ?? "")
                return process
            }
            let root = folder + "/host/l"
            let left = [
                try await start("-drive", "file=\(folder)/host/kvm-probe.img,format=raw"),
                try await start("-qmp", "unix:\(root)/lib/qemu/qmp-AB12CD/qmp.monitor,server=on,wait=off"),
            ]
            let others = [
                try await start("-drive", "file=\(folder)/other/kvm-probe.img,format=raw"), try await start("-uuid", Self.machine),
                try await start("-qmp", "unix:\(folder)/other/l/lib/qemu/qmp-AB12CD/qmp.monitor"),
            ]
            try FileManager.default.createDirectory(atPath: root + "/lib/qemu/qmp-AB12CD", withIntermediateDirectories: true)
            try FileManager.default.createDirectory(atPath: root + "/lib/qemu/channel", withIntermediateDirectories: true)
            LeftProbes.end(folder: folder + "/host", root: root)
            for process in left { process.waitUntilExit() }
            #expect(left.allSatisfy { $0.terminationStatus == SIGKILL } && others.allSatisfy(\.isRunning))
            #expect(DurableFile.names(in: root + "/lib/qemu") == ["channel"])
            for pipe in held { try pipe.fileHandleForWriting.close() }
            for process in others { process.waitUntilExit() }
        }
    }
}

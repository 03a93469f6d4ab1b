import CloudCore
import DriverLibvirt
import Drivers
import Foundation
import HostModel
import ImageFormats
import TestSupport
import Testing

extension LibvirtDriverTests {
    func withMachine(
        _ shape: (inout MachineSpec) -> Void = { _ in }, _ body: (LibvirtDriver, MachineID) async throws -> Void
    ) async throws {
        let (driver, guest) = try await RealHost.shared.open()
        let id = MachineID(RealHost.shared.world.random.uuid())
        var spec = guest.spec(id)
        shape(&spec)
        do {
            try await driver.ensure(spec, fence: Self.first)
            try await driver.setPower(id, to: .running, fence: Self.first)
            try await says("guest: ready", driver, id)
            try await body(driver, id)
        } catch {
            try? await driver.remove(id, fence: Self.last)
            throw error
        }
        try await driver.remove(id, fence: Self.last)
    }

    static let first = Fence(epoch: 1, generation: 1)
    static let last = Fence(epoch: 9, generation: 9)

    func console(_ driver: LibvirtDriver, _ id: MachineID) async throws -> String {
        try await driver.consoleOutput(id, mostBytes: 1 << 20).text()
    }

    func says(_ words: String, _ driver: LibvirtDriver, _ id: MachineID) async throws {
        try await eventually("'\(words)' on the console") { try await console(driver, id).contains(words) }
    }

    /// Returns the owner and the command line of the guest's process.
    private func process(_ id: MachineID) throws -> (user: UInt32, arguments: [String])? {
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") where Int(name) != nil {
            guard let line = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") else { continue }
            let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            guard words.first?.contains("qemu-system") == true, words.contains(where: { $0.hasPrefix("guest=\(id)") }) else { continue }
            var status = stat()
            guard stat("/proc/\(name)", &status) == 0 else { continue }
            return (status.st_uid, words)
        }
        return nil
    }

    @Test("A guest reads its config drive, keeps its disk over a reboot, and sees the given disk size")
    func guestSeesItsDisks() async throws {
        try await withMachine { driver, id in
            let text = try await console(driver, id)
            #expect(text.contains("guest: config drive \(id)"))
            #expect(text.contains("guest: start 1 of this disk"))
            #expect(text.contains("guest: disk of \(8 << 11) sectors"))
            try await driver.reboot(id, .soft, fence: Self.first)
            try await says("guest: start 2 of this disk", driver, id)
        }
    }

    @Test("A guest runs as its own user, who owns no files of the host or of another guest")
    func guestUsers() async throws {
        try await withMachine { driver, id in
            let folder = RealHost.shared.folder
            let user = try #require(try process(id)).user
            guard geteuid() == 0 else { return }
            #expect(user >= 1_900_000_000)
            for file in try FileManager.default.contentsOfDirectory(atPath: folder + "/images") {
                var status = stat()
                #expect(stat("\(folder)/images/\(file)", &status) == 0 && status.st_uid == 0 && status.st_mode & 0o022 == 0)
            }
            try await withMachine { _, other in
                let found = try process(other)
                #expect(found != nil && found?.user != user)
            }
        }
    }

    @Test("An emulated guest has a bounded translation cache, and every guest runs in a sandbox")
    func emulation() async throws {
        try await withMachine { driver, id in
            let words = try #require(try process(id)).arguments
            if case .emulated = try await driver.capabilities().acceleration { #expect(words.contains { $0.contains("tb-size=32") }) }
            let sandbox = try #require(words.firstIndex(of: "-sandbox"))
            #expect(words[sandbox + 1].hasPrefix("on"))
            #expect(!words.contains { $0.contains("0.0.0.0") }, "nothing listens to the network")
        }
    }

    @Test("A volume is attached and detached while the guest runs, and keeps its format")
    func ossa_2016_001_volumeStaysRaw() async throws {
        try await RealHost.withOpenFolder { folder in
            // A guest may write this on its disk: the header of an image that names a file of the host.
            let volume = folder + "/volume"
            var header = Data(count: 1 << 20)
            header.replaceSubrange(0..<8, with: [0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 2])
            try header.write(to: URL(filePath: volume))
            try await withMachine { driver, id in
                let disk = Disk(id: "volume-1", source: .volume(.file(path: volume, isQCOW2: false)), serial: "volume-1")
                try await driver.attach(disk, to: id, fence: Self.first)
                try await driver.attach(disk, to: id, fence: Self.first)
                #expect(try await driver.diagnostics(id).disks.map(\.id) == ["root", "config", "volume-1"])
                try await driver.reboot(id, .hard, fence: Self.first)
                try await eventually("a second start") { try await console(driver, id).ranges(of: "guest: ready").count == 2 }
                try await driver.detachDisk("volume-1", from: id, fence: Self.first)
                try await driver.detachDisk("volume-1", from: id, fence: Self.first)
                #expect(try await driver.diagnostics(id).disks.map(\.id) == ["root", "config"])
            }
            #expect(try Data(contentsOf: URL(filePath: volume)) == header)
        }
    }

    @Test("A network card is attached and detached while the guest runs", .enabled(if: geteuid() == 0 && access("/dev/net/tun", F_OK) == 0))
    func networkCard() async throws {
        let tap = "nvt" + RealHost.shared.world.random.hexID().prefix(6)
        try ip("tuntap", "add", tap, "mode", "tap")
        defer { try? ip("link", "del", tap) }
        try await withMachine { driver, id in
            let card = NIC(id: "port-1", mac: "52:54:00:0a:0b:0c", tap: tap, mtu: 1450)
            try await driver.attach(card, to: id, fence: Self.first)
            try await driver.attach(card, to: id, fence: Self.first)
            #expect(try await driver.diagnostics(id).nics.map(\.id) == ["port-1"])
            try await driver.detachNIC("port-1", from: id, fence: Self.first)
            #expect(try await driver.diagnostics(id).nics.isEmpty)
        }
    }

    private func ip(_ words: String...) throws {
        let ip = Process()
        ip.executableURL = URL(filePath: "/usr/sbin/ip")
        ip.arguments = words
        try ip.run()
        ip.waitUntilExit()
        try #require(ip.terminationStatus == 0)
    }

    @Test("An image that is larger than the machine's disk is refused and leaves nothing")
    func ossa_2013_012_imageLargerThanDisk() async throws {
        let (driver, guest) = try await RealHost.shared.open()
        let id = MachineID(RealHost.shared.world.random.uuid())
        var spec = guest.spec(id)
        guard case .image(let image, _) = spec.disks[0].source else { return }
        spec.disks[0].source = .image(image, virtualBytes: 512 << 10)
        let small = spec
        await #expect { try await driver.ensure(small, fence: Self.first) } throws: { ($0 as? CloudError)?.kind == .badRequest }
        try await driver.remove(id, fence: Self.last)
        let folder = RealHost.shared.folder
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/machines/\(id)"))
    }

    /// A process that dies with a machine running, and the process after it.
    private struct Probes {
        let folder: String
        let id = RealHost.shared.world.random.uuid()
        let guest: RealHost.Guest

        func run(_ verb: String, _ more: String...) throws -> (status: Int32, said: String) {
            let process = Process()
            process.executableURL = RealHost.probe
            process.arguments =
                [verb, folder + "/host", RealHost.guestFolder.path, id, RealHost.Guest.id(guest.kernel).text, RealHost.Guest.id(guest.ramdisk).text]
                + more
            let pipe = Pipe()
            process.standardOutput = pipe
            try process.run()
            let said = pipe.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return (process.terminationStatus, String(decoding: said, as: UTF8.self))
        }

        /// Removes parts of libvirt's status file of the machine, as if the process had been killed before it noted
        /// them.
        func forget(_ parts: Regex<Substring>...) throws {
            let path = "\(folder)/host/l/run/qemu/\(id).xml"
            var note = try String(contentsOfFile: path, encoding: .utf8)
            for part in parts {
                #expect(note.contains(part))
                note.replace(part, with: "")
            }
            try note.write(toFile: path, atomically: true, encoding: .utf8)
        }
    }

    private func withProbes(_ body: (Probes) async throws -> Void) async throws {
        let (_, guest) = try await RealHost.shared.open()
        try await RealHost.withOpenFolder { try await body(Probes(folder: $0, guest: guest)) }
    }

    @Test("Guests of a killed process run on, and the next process finds them")
    func killedProcess() async throws {
        try await withProbes { probes in
            let start = try probes.run("start")
            #expect(start.status == SIGKILL)
            let left = try process(MachineID(probes.id))
            #expect(left != nil, "the guest lives on")
            let look = try probes.run("look")
            #expect(look.said == "running 1 \(Fence.staleCode)\n")
            let gone = try process(MachineID(probes.id))
            #expect(gone == nil)
        }
    }

    @Test(
        "A card can be attached again if QEMU has it and libvirt does not know it",
        .enabled(if: geteuid() == 0 && access("/dev/net/tun", F_OK) == 0))
    func unknownCard() async throws {
        let tap = "nvt" + RealHost.shared.world.random.hexID().prefix(6)
        try ip("tuntap", "add", tap, "mode", "tap")
        defer { try? ip("link", "del", tap) }
        try await withProbes { probes in
            #expect(try probes.run("plug", tap).status == SIGKILL)
            try probes.forget(/<interface type='ethernet'>.*?<\/interface>/.dotMatchesNewlines())
            let plugged = try probes.run("plugged", tap)
            #expect(plugged.status == 0 && plugged.said == "port-1\n")
        }
    }

    @Test(
        "A volume that QEMU has and libvirt does not know can be attached again, and detached",
        arguments: ["held", "freed"])
    func unknownVolume(verb: String) async throws {
        try await withProbes { probes in
            let volume = probes.folder + "/volume"
            try Data(count: 1 << 20).write(to: URL(filePath: volume))
            #expect(try probes.run("hold", volume).status == SIGKILL)
            let note = /<disk type='file' device='disk'>(?:(?!<disk ).)*?ua-volume-1.*?<\/disk>/.dotMatchesNewlines()
            try probes.forget(note)
            let result = try probes.run(verb, volume)
            #expect(result.status == 0 && result.said == (verb == "held" ? "root volume-1\n" : "root\n"))
        }
    }

    @Test("A disk can be copied again if QEMU still makes a copy that libvirt does not know")
    func unknownCopy() async throws {
        try await withProbes { probes in
            #expect(try probes.run("copy").status == SIGKILL)
            try probes.forget(/<domainbackup.*?<\/domainbackup>/.dotMatchesNewlines(), /<job type='none' async='backup'[^>]*\/>/.dotMatchesNewlines())
            let copied = try probes.run("copied")
            #expect(copied.status == 0 && copied.said == "\(256 << 20)\n")
        }
    }

    @Test("The console log stays bounded however much a guest writes")
    func consoleRotation() async throws {
        try await withMachine { driver, id in
            let most = 1 << 16
            let folder = RealHost.shared.folder
            let log = "\(folder)/machines/\(id)/console.log"
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await driver.keep() }
                let file = try #require(FileHandle(forWritingAtPath: log))
                try file.seekToEnd()
                try file.write(contentsOf: Data(String(repeating: "x", count: 3 * most).utf8) + Data("the end\n".utf8))
                try await eventually("a short log") { try FileManager.default.attributesOfItem(atPath: log)[.size] as? Int ?? 0 < most }
                group.cancelAll()
            }
            #expect(try await console(driver, id).contains("the end"))
            #expect(try await driver.consoleOutput(id, mostBytes: 100).isCut)
        }
    }
}

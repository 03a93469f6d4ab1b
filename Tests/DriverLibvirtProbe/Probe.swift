import CloudCore
import DriverLibvirt
import Drivers
import Foundation
import HostModel
import NIOCore

/// A process that drives machines and dies: `DriverLibvirtProbe VERB FOLDER GUEST ID KERNEL RAMDISK [TAP|FILE]`.
///
/// `start` makes and starts a machine from the kernel and RAM disk in GUEST, then kills its own process and tidies up
/// nothing. Before that, `plug` attaches a card at TAP, `hold` a volume in FILE, and `copy` begins to copy the disk.
///
/// The other verbs work on that machine, print their result and remove it: `look` prints what is found of it, `plugged`
/// attaches the card again, `held` the volume, `freed` detaches it at once, and `copied` copies the disk.
@main
enum Probe {
    static func main() async throws {
        let words = CommandLine.arguments
        guard words.count >= 7 else { exit(64) }
        let (verb, folder, guest, id) = (words[1], words[2], words[3], MachineID(words[4]))
        guard let kernel = ContentID(words[5]), let ramdisk = ContentID(words[6]) else { exit(64) }
        let source = ImageSource { content, sink in
            try await sink(ByteBuffer(bytes: try Data(contentsOf: URL(filePath: guest + (content == kernel ? "/kernel" : "/ramdisk")))))
        }
        let driver = try await LibvirtDriver.open(LibvirtSettings(folder: folder), images: source, world: .real)
        let fence = Fence(epoch: 1, generation: 2)
        let card = NIC(id: "port-1", mac: "52:54:00:0a:0b:0d", tap: words.count > 7 ? words[7] : "")
        let volume = Disk(id: "volume-1", source: .volume(.file(path: words.count > 7 ? words[7] : "", isQCOW2: false)))
        // Any id will do: there is one copy of a machine's disk at a time.
        let snapshot = id.text
        if ["start", "plug", "hold", "copy"].contains(verb) {
            let spec = MachineSpec(
                id: id, name: "left behind", memoryMiB: 96,
                boot: .kernel(kernel, ramdisk: ramdisk, commandLine: "console=ttyS0 quiet panic=1"),
                disks: [Disk(id: "root", source: .blank(virtualBytes: 256 << 20))])
            try await driver.ensure(spec, fence: Fence(epoch: 1, generation: 1))
            if verb == "copy" { try fill("\(folder)/machines/\(id)", bytes: 256 << 20) }
            try await driver.setPower(id, to: .running, fence: fence)
            if verb == "plug" || verb == "hold" {
                try await until("the guest hears") {
                    try await String(decoding: driver.consoleOutput(id, mostBytes: 1 << 20).bytes, as: UTF8.self).contains("guest: ready")
                }
                if verb == "plug" { try await driver.attach(card, to: id, fence: fence) }
                if verb == "hold" { try await driver.attach(volume, to: id, fence: fence) }
            }
            if verb == "copy" {
                async let copy = driver.snapshot(id, as: snapshot, fence: fence)
                try await until("libvirt has noted the copy") {
                    try String(contentsOfFile: "\(folder)/l/run/qemu/\(id).xml", encoding: .utf8).contains("<domainbackup")
                }
                kill(getpid(), SIGKILL)
                _ = try await copy
            }
            kill(getpid(), SIGKILL)
        }
        var said = ""
        switch verb {
        case "plugged":
            try await driver.attach(card, to: id, fence: fence)
            said = try await driver.diagnostics(id).nics.map(\.id).joined(separator: " ")
            try await driver.detachNIC(card.id, from: id, fence: fence)
        case "held":
            try await driver.attach(volume, to: id, fence: fence)
            said = try await driver.diagnostics(id).disks.map(\.id).joined(separator: " ")
            try await driver.detachDisk(volume.id, from: id, fence: fence)
        case "freed":
            try await driver.detachDisk(volume.id, from: id, fence: fence)
            said = try await driver.diagnostics(id).disks.map(\.id).joined(separator: " ")
        case "copied":
            said = "\(try await driver.snapshot(id, as: snapshot, fence: fence).virtualBytes)"
        default:
            let found = try await driver.list().first { $0.id == id }
            var refusal = "taken"
            do { try await driver.setPower(id, to: .off, fence: Fence(epoch: 1, generation: 1)) } catch let error as CloudError {
                refusal = error.code ?? ""
            }
            said = "\(found?.power.rawValue ?? "gone") \(found?.boots ?? 0) \(refusal)"
        }
        try await driver.remove(id, fence: Fence(epoch: 1, generation: 3))
        FileHandle.standardOutput.write(Data((said + "\n").utf8))
        await driver.close()
    }

    /// Fills the disk, so that copying it takes a while.
    private static func fill(_ folder: String, bytes: Int) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name.hasPrefix("root") {
            guard let file = FileHandle(forWritingAtPath: "\(folder)/\(name)") else { exit(74) }
            for _ in 0..<(bytes >> 20) { try file.write(contentsOf: Data(repeating: 7, count: 1 << 20)) }
            try file.close()
        }
    }

    private static func until(
        _ what: String, isolation: isolated (any Actor)? = #isolation, _ isSo: () async throws -> Bool
    ) async throws {
        for _ in 0..<6000 {
            if try await isSo() { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        FileHandle.standardError.write(Data("never: \(what)\n".utf8))
        exit(75)
    }
}

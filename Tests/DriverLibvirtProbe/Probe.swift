import CloudCore
import DriverLibvirt
import Drivers
import Foundation
import NIOCore

/// A process that drives machines and dies: `DriverLibvirtProbe start|look FOLDER GUEST ID`.
///
/// `start` makes a machine of the kernel and RAM disk in GUEST, starts it and is then killed by itself, with nothing tidied up. `look` prints
/// what it finds of the machine, removes it and leaves.
@main
enum Probe {
    static func main() async throws {
        let words = CommandLine.arguments
        guard words.count == 7 else { exit(64) }
        let (verb, folder, guest, id) = (words[1], words[2], words[3], MachineID(words[4]))
        guard let kernel = ContentID(words[5]), let ramdisk = ContentID(words[6]) else { exit(64) }
        let source = ImageSource { content, sink in
            try await sink(ByteBuffer(bytes: try Data(contentsOf: URL(filePath: guest + (content == kernel ? "/kernel" : "/ramdisk")))))
        }
        let driver = try await LibvirtDriver.open(LibvirtSettings(folder: folder), images: source, world: .real)
        if verb == "start" {
            let spec = MachineSpec(
                id: id, name: "left behind", memoryMiB: 96,
                boot: .kernel(kernel, ramdisk: ramdisk, commandLine: "console=ttyS0 quiet panic=1"),
                disks: [Disk(id: "root", source: .blank(virtualBytes: 1 << 20))])
            try await driver.ensure(spec, fence: Fence(epoch: 1, generation: 1))
            try await driver.setPower(id, to: .running, fence: Fence(epoch: 1, generation: 2))
            kill(getpid(), SIGKILL)
        }
        let found = try await driver.list().first { $0.id == id }
        var refusal = "taken"
        do { try await driver.setPower(id, to: .off, fence: Fence(epoch: 1, generation: 1)) } catch let error as CloudError {
            refusal = error.code ?? ""
        }
        try await driver.remove(id, fence: Fence(epoch: 1, generation: 3))
        FileHandle.standardOutput.write(Data("\(found?.power.rawValue ?? "gone") \(found?.boots ?? 0) \(refusal)\n".utf8))
        await driver.close()
    }
}

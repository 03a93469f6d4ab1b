import CloudCore
import Crypto
import Drivers
import Foundation
import HostModel
import ImageFormats
import NIOCore
import TestSupport
import Testing

@Suite("Parts that drivers share")
struct HostTests {
    private struct Words: StoredValue {
        static let storedName = "words"
        let words: [String]

        init(_ words: [String]) { self.words = words }
    }

    private static func reference(_ bytes: [UInt8], _ format: DiskFormat = .raw) -> ImageReference {
        ImageReference(content: ContentID(Hex.text(SHA512.hash(data: bytes)))!, format: format)
    }

    private static func source(_ bytes: [UInt8], _ reads: Box<Int> = Box(0)) -> ImageSource {
        ImageSource { _, sink in
            reads.update { $0 += 1 }
            for at in stride(from: 0, to: bytes.count, by: 100) { try await sink(ByteBuffer(bytes: bytes[at..<min(at + 100, bytes.count)])) }
        }
    }

    @Test("An image is fetched once for concurrent users and removed when it is no longer needed")
    func cache() async throws {
        try await withTemporaryDirectory { folder in
            let bytes = [UInt8](repeating: 7, count: 5000)
            let reads = Box(0)
            let image = Self.reference(bytes)
            let cache = try ImageCache(folder: folder + "/images", source: Self.source(bytes, reads), random: World.test().random)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 { group.addTask { try await cache.with([image]) { _ in } } }
                try await group.waitForAll()
            }
            #expect(reads.value == 1)
            try await cache.with([image]) { paths in
                cache.removeUnused { [] }
                let stored = try Data(contentsOf: URL(filePath: paths[image] ?? ""))
                #expect(stored == Data(bytes), "what is held stays")
            }
            cache.removeUnused { [image] }
            #expect(FileManager.default.fileExists(atPath: cache.path(image)))
            cache.removeUnused { [] }
            #expect(!FileManager.default.fileExists(atPath: cache.path(image)))
        }
    }

    @Test("Bytes with another digest or format than declared are not stored")
    func ossa_2024_002_declaredRawButIsQCOW2() async throws {
        try await withTemporaryDirectory { folder in
            let bytes = Array(Data([0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 3]) + Data(count: 4000))
            let cache = try ImageCache(folder: folder + "/images", source: Self.source(bytes), random: World.test().random)
            for image in [Self.reference(bytes, .raw), Self.reference([1], .raw)] {
                await #expect(throws: CloudError.self) { try await cache.with([image]) { _ in } }
                #expect(DurableFile.names(in: folder + "/images").isEmpty)
            }
        }
    }

    @Test("A name that a user chose never becomes a path of the host")
    func ossa_2012_008_namesAreNoPaths() throws {
        func spec(id: String = "11111111-2222-4333-8444-555555555555", _ disk: Disk) -> MachineSpec {
            MachineSpec(id: MachineID(id), name: "../../etc/passwd", memoryMiB: 64, disks: [disk])
        }
        let blank = Disk.Source.blank(virtualBytes: 512)
        try spec(Disk(id: "root", source: blank)).check()
        for id in ["../../../../etc/cron.d/x", "/etc/passwd", "..", "", "11111111-2222-4333-8444-55555555555/"] {
            #expect(throws: CloudError.self, "\(id)") { try spec(id: id, Disk(id: "root", source: blank)).check() }
            #expect(throws: CloudError.self, "\(id)") { try spec(Disk(id: id, source: blank)).check() }
            let drive = ConfigDrive(files: ["openstack/\(id)": Data()])
            #expect(throws: CloudError.self, "\(id)") { try spec(Disk(id: "config", source: .configDrive(drive))).check() }
        }
        for path in ["disk", "/var/lib/../../etc/passwd", "/a\nb"] {
            let volume = VolumePath.file(path: path, isQCOW2: false)
            #expect(throws: CloudError.self, "\(path)") { try spec(Disk(id: "volume", source: .volume(volume))).check() }
        }
    }

    @Test("A record reads back as it was written, and a tombstone refuses a late change")
    func records() async throws {
        try await withTemporaryDirectory { folder in
            let clock = ManualClock()
            let open = { try FencedRecords<Words>(folder: folder + "/records", clock: clock) }
            try open().put("a", Fence(epoch: 1, generation: 1), Words(["x"]))
            try open().put("b", Fence(epoch: 1, generation: 1), Words(["y"]))
            try open().remove("b", Fence(epoch: 1, generation: 2))
            #expect(try open().all.map(\.value.words) == [["x"]])
            #expect(throws: CloudError.self) { try open().put("b", Fence(epoch: 1, generation: 2), Words(["z"])) }
            clock.advance(by: .seconds(8 * 86_400))
            try open().put("b", Fence(epoch: 1, generation: 1), Words(["z"]))
        }
    }

    @Test("A damaged record stops the start, so that the host does not accept what it should refuse")
    func damagedRecord() async throws {
        try await withTemporaryDirectory { folder in
            try Data("{".utf8).write(to: URL(filePath: folder + "/a.json"))
            #expect(throws: CloudError.self) { try FencedRecords<Words>(folder: folder, clock: ManualClock()) }
        }
    }

    @Test("Image properties become typed hardware, and an invalid property is named in the error")
    func properties() throws {
        let choice = try HardwareChoice(properties: [
            "hw_disk_bus": "scsi", "hw_vif_model": "e1000", "hw_firmware_type": "uefi", "os_secure_boot": "required",
            "hw_qemu_guest_agent": "yes", "hw_watchdog_action": "reset", "hw_cpu_cores": "2", "os_distro": "debian",
        ])
        #expect(choice.hardware.diskBus == .scsi && choice.hardware.nicModel == .e1000 && choice.hardware.hasGuestAgent)
        #expect(choice.platform.firmware == .uefi(secureBoot: true) && choice.hardware.watchdog == .reset && choice.cores == 2)
        for (name, text) in [("hw_disk_bus", "floppy"), ("hw_cpu_threads", "0"), ("hw_boot_menu", "perhaps")] {
            #expect { try HardwareChoice(properties: [name: text]) } throws: { ($0 as? CloudError)?.message.contains(name) == true }
        }
    }

    @Test("The last lines of a console are whole lines")
    func consoleLines() {
        let output = ConsoleOutput(bytes: Array("a\nb\nc\n".utf8), isCut: false)
        #expect(output.text(lines: 2) == "b\nc\n")
        #expect(output.text(lines: 9) == "a\nb\nc\n")
        #expect(output.text(lines: 0) == "")
        #expect(ConsoleOutput(bytes: Array("a\nb".utf8), isCut: false).text(lines: 1) == "b")
    }
}

import CloudCore
import Crypto
import DriverConformance
import DriverFiles
import Drivers
import Foundation
import HostModel
import ImageFormats
import NIOCore
import TestSupport
import Testing

/// The programs of this machine that make and read qcow2 files.
private enum ImageTools {
    static let areThere: Bool = {
        let programs: [String] = ["/usr/bin/qemu-img", "/usr/bin/qemu-io"]
        return programs.allSatisfy { access($0, X_OK) == 0 }
    }()

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }
}

@Suite("Volumes in files", .enabled(if: ImageTools.areThere))
struct FileVolumesTests {
    /// A folder on a file system that can share blocks, if the environment names one. The suite runs there as well.
    static let folders: [String] =
        [FileManager.default.temporaryDirectory.path]
        + (ProcessInfo.processInfo.environment["NOVELLA_CLONE_FOLDER"].map { [$0] } ?? [])

    /// The host of one test: its folder, and the process that seems to end.
    private final class Host: Sendable {
        let folder: String
        let world = World.test()
        let bytes: [UInt8] = (0..<1_600_000).map { UInt8($0 % 253) &+ 1 }
        private let process = Box(Countdown())
        private let current = Box<FileVolumes?>(nil)

        struct Countdown {
            var count = 0
            var last: Int?
            var hasEnded = false
        }

        struct ProcessEnded: Error {}

        init(_ folder: String) { self.folder = folder }

        var image: ImageReference {
            get throws {
                ImageReference(content: try #require(ContentID(Hex.text(SHA512.hash(data: Data(bytes))))), format: .raw)
            }
        }

        /// - Parameter refuse: is asked before each step, and may throw as a full disk does.
        func open(
            _ bounds: VolumePool.Bounds = .init(), refuse: @escaping @Sendable (String) throws -> Void = { _ in }
        ) throws -> FileVolumes {
            let bytes = bytes
            let source = ImageSource { _, sink in try await sink(ByteBuffer(bytes: bytes)) }
            let images = try ImageCache(folder: folder + "/images", source: source, random: world.random)
            let pools = ["pool", "other"].map { name in
                FileVolumesSettings.Pool(name: name, folder: "\(folder)/\(name)", bounds: bounds)
            }
            var settings = FileVolumesSettings(folder: folder + "/records", pools: pools)
            settings.backups = VolumeSubject.backups
            settings.step = { [process] name in
                try refuse(name)
                var isEnd = false
                process.update { process in
                    process.count += 1
                    if let last = process.last, process.count >= last { process.hasEnded = true }
                    isEnd = process.hasEnded
                }
                if isEnd { throw ProcessEnded() }
            }
            let driver = try FileVolumes(settings, images: images, machines: nil, world: world)
            current.value = driver
            return driver
        }

        func restart() async throws -> FileVolumes {
            await current.value?.stop()
            return try open()
        }

        func subject() throws -> VolumeSubject {
            var subject = VolumeSubject(driver: try open(), pool: "pool", world: world) {
                try await self.restart()
            } write: { path, offset, bytes in
                try FileVolumesTests.write(path, offset, bytes)
            } read: { path, offset, count in
                try FileVolumesTests.read(path, offset, count)
            }
            subject.image = (try image, Array(bytes))
            subject.otherPool = "other"
            subject.crash = { [process] last in
                let count = process.value.count
                process.value = Countdown(last: last)
                return count
            }
            subject.hasCrashed = { [process] in process.value.hasEnded }
            subject.leftovers = { [folder] in
                ["pool", "other"].flatMap { pool in
                    ["volumes", "snapshots", "exports", "drafts", "files"].flatMap { name in
                        DurableFile.names(in: "\(folder)/\(pool)/\(name)").map { "\(pool)/\(name)/\($0)" }
                    }
                }
            }
            subject.stranger = { [folder, world] bytes, size in
                let name = "brought-\(world.random.hexID()).raw"
                let path = "\(folder)/pool/files/\(name)"
                try Data(bytes).write(to: URL(filePath: path))
                guard truncate(path, off_t(size)) == 0 else { throw DurableFile.failure("size", path) }
                return name
            }
            return subject
        }

        func close() async { await current.value?.stop() }
    }

    private func withHost(
        in folder: String = FileVolumesTests.folders[0], _ body: (Host) async throws -> Void
    ) async throws {
        let folder = "\(folder)/novella-volumes-\(UUID().uuidString.prefix(8).lowercased())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let host = Host(folder)
        let result: Result<Void, any Error>
        do { result = .success(try await body(host)) } catch { result = .failure(error) }
        await host.close()
        try result.get()
    }

    @Test(
        "The driver passes each check for all volume drivers",
        arguments: VolumeDriverCheck.all, FileVolumesTests.folders)
    func conforms(_ check: VolumeDriverCheck, folder: String) async throws {
        try await withHost(in: folder) { host in
            let isDone = try await check.run(on: host.subject())
            #expect(isDone, "it has all abilities")
        }
    }

    // MARK: The bytes as a guest sees them

    private static func run(_ program: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw ImageTools.Failure(description: "\(program) \(arguments)") }
    }

    private static func scratch() -> String {
        FileManager.default.temporaryDirectory.path + "/novella-scratch-" + UUID().uuidString.lowercased()
    }

    private static func write(_ path: VolumePath, _ offset: Int64, _ bytes: [UInt8]) throws {
        guard path.isQCOW2 else {
            let file = try #require(FileHandle(forWritingAtPath: path.path))
            try file.seek(toOffset: UInt64(offset))
            try file.write(contentsOf: bytes)
            return try file.close()
        }
        let scratch = scratch()
        defer { unlink(scratch) }
        try Data(bytes).write(to: URL(filePath: scratch))
        try run("/usr/bin/qemu-io", ["-f", "qcow2", "-c", "write -s \(scratch) \(offset) \(bytes.count)", path.path])
    }

    private static func read(_ path: VolumePath, _ offset: Int64, _ count: Int) throws -> [UInt8] {
        guard path.isQCOW2 else {
            let file = try #require(FileHandle(forReadingAtPath: path.path))
            defer { try? file.close() }
            try file.seek(toOffset: UInt64(offset))
            return Array(try file.read(upToCount: count) ?? Data())
        }
        let scratch = scratch()
        defer { unlink(scratch) }
        let blocks = (count + 511) / 512
        try run(
            "/usr/bin/qemu-img",
            [
                "dd", "-f", "qcow2", "-O", "raw", "bs=512", "count=\(offset / 512 + Int64(blocks))",
                "skip=\(offset / 512)", "if=\(path.path)", "of=\(scratch)",
            ])
        return Array(try Data(contentsOf: URL(filePath: scratch)).prefix(count))
    }

    // MARK: What only files have

    private let fence = Fence(epoch: 1, generation: 1)

    private func spec(_ world: World, bytes: Int64 = 8 << 20, format: VolumeFormat = .raw) -> VolumeSpec {
        VolumeSpec(id: VolumeID(world.random.uuid()), pool: "pool", bytes: bytes, format: format)
    }

    @Test("A full pool refuses new volumes, snapshots and growth, and keeps those that are there")
    func fullPool() async throws {
        try await withHost { host in
            let spec = spec(host.world)
            try await host.open().ensure(spec, from: .nothing, fence: fence)
            var bounds = VolumePool.Bounds()
            (bounds.softPercent, bounds.hardPercent) = (0, 0)
            await host.close()
            let driver = try host.open(bounds)
            let pool = try #require(try await driver.pools().first)
            #expect(pool.isAboveSoftLimit && pool.isAboveHardLimit)
            for refused in [
                { try await driver.ensure(self.spec(host.world), from: .nothing, fence: fence) as Any },
                { try await driver.snapshot(SnapshotID(host.world.random.uuid()), of: spec.id, fence: fence) as Any },
                { try await driver.grow(spec.id, to: 16 << 20, fence: fence) as Any },
            ] as [() async throws -> Any] {
                await #expect { _ = try await refused() } throws: { ($0 as? CloudError)?.code == VolumePool.fullCode }
            }
            let machine = MachineID(host.world.random.uuid())
            _ = try await driver.connect(spec.id, VolumeConnection(machine: machine, epoch: 1))
            #expect(try await driver.ensure(spec, from: .nothing, fence: fence).progress == .whole)
        }
    }

    @Test("A copy without room fails, also if its failure cannot be noted at once")
    func copyWithoutRoom() async throws {
        try await withHost { host in
            let tries = Box(0)
            let driver = try host.open { name in
                let isNote = name == "note failure"
                guard isNote || name == "copy" else { return }
                if isNote { tries.update { $0 += 1 } }
                if isNote, tries.value > 2 { return }
                throw CloudError(.unavailable, "There is no room.", code: VolumePool.fullCode)
            }
            let (source, copy) = (spec(host.world, format: .qcow2), spec(host.world))
            try await driver.ensure(source, from: .nothing, fence: fence)
            try await driver.ensure(copy, from: .volume(source.id), fence: fence)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await driver.keep() }
                try await eventually("the failure") {
                    guard case .failed(let problem) = try await driver.observe(copy.id)?.progress else { return false }
                    return problem.error.code == VolumePool.fullCode
                }
                group.cancelAll()
            }
            #expect(DurableFile.names(in: host.folder + "/pool/drafts") == [])
        }
    }

    @Test("A file that names another file, or is no plain file, cannot become a volume")
    func ossa_2024_001_dataFiles() async throws {
        try await withHost { host in
            let driver = try host.open()
            let files = host.folder + "/pool/files"
            try Self.run("/usr/bin/qemu-img", ["create", "-q", "-f", "qcow2", files + "/plain.qcow2", "8M"])
            try Self.run(
                "/usr/bin/qemu-img",
                ["create", "-q", "-f", "qcow2", "-b", files + "/plain.qcow2", "-F", "qcow2", files + "/overlay.qcow2"])
            try Self.run(
                "/usr/bin/qemu-img",
                [
                    "create", "-q", "-f", "qcow2", "-o", "data_file=\(files)/elsewhere.bin,data_file_raw=on",
                    files + "/outside.qcow2", "8M",
                ])
            try Data("no image".utf8).write(to: URL(filePath: files + "/text.qcow2"))
            #expect(symlink("/etc/passwd", files + "/link.raw") == 0)
            let found = try await driver.manageable(in: "pool")
            #expect(found.filter { $0.refusal == nil }.map(\.name) == ["plain.qcow2"])
            for name in ["overlay.qcow2", "outside.qcow2", "text.qcow2", "link.raw"] {
                await #expect { try await driver.adopt(name, as: spec(host.world), fence: fence) } throws: {
                    ($0 as? CloudError)?.kind == .badRequest
                }
            }
        }
    }

    @Test("A file outside the pool, and one that is a volume, cannot be taken")
    func outside() async throws {
        try await withHost { host in
            let driver = try host.open()
            let (owned, outside) = (spec(host.world), host.folder + "/outside.raw")
            try await driver.ensure(owned, from: .nothing, fence: fence)
            try Data(repeating: 1, count: 8 << 20).write(to: URL(filePath: outside))
            let file = "\(host.folder)/pool/volumes/\(owned.id).raw"
            #expect(link(file, host.folder + "/pool/files/second-name.raw") == 0)
            #expect(try await driver.manageable(in: "pool").map(\.refusal) == ["It is no plain file."])
            for name in ["../../outside.raw", outside, "../volumes/\(owned.id).raw", "second-name.raw"] {
                await #expect { try await driver.adopt(name, as: spec(host.world), fence: fence) } throws: {
                    ($0 as? CloudError)?.kind == .badRequest
                }
            }
            await #expect { try await driver.adopt("\(owned.id).raw", as: spec(host.world), fence: fence) } throws: {
                ($0 as? CloudError)?.kind == .notFound
            }
        }
    }

    @Test("A move that fails leaves the volume in its pool, and the undo frees it")
    func failedMove() async throws {
        try await withHost { host in
            let driver = try host.open()
            let spec = spec(host.world)
            try await driver.ensure(spec, from: .nothing, fence: fence)
            try FileManager.default.removeItem(atPath: host.folder + "/other/drafts")
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await driver.keep() }
                try await driver.move(spec.id, to: "other", isThin: true, fence: fence)
                try await eventually("the failure") {
                    if case .failed = try await driver.observe(spec.id)?.progress { true } else { false }
                }
                group.cancelAll()
            }
            let machine = MachineID(host.world.random.uuid())
            let connection = VolumeConnection(machine: machine, epoch: 1)
            await #expect { _ = try await driver.connect(spec.id, connection) } throws: {
                ($0 as? CloudError)?.isTransient == true
            }
            let back = try await driver.move(spec.id, to: "pool", isThin: true, fence: fence)
            #expect(back.progress == .whole && back.pool == "pool")
            #expect(try await driver.pools().map(\.provisionedBytes) == [0, spec.bytes])
            _ = try await driver.connect(spec.id, connection)
        }
    }

    @Test("Drafts of an earlier process go, and files that are not the driver's stay")
    func strangers() async throws {
        try await withHost { host in
            _ = try host.open()
            let pool = host.folder + "/pool"
            let (draft, stranger) = (pool + "/drafts/left.raw", pool + "/volumes/\(host.world.random.uuid()).raw")
            for path in [draft, stranger] { try Data("bytes".utf8).write(to: URL(filePath: path)) }
            let driver = try await host.restart()
            #expect(access(draft, F_OK) != 0)
            let id = VolumeID(URL(filePath: stranger).deletingPathExtension().lastPathComponent)
            #expect(try await driver.observe(id) == nil)
            try await driver.remove(id, fence: fence)
            #expect(access(stranger, F_OK) == 0)
        }
    }

    @Test("A volume that is removed while it is filled ends its copy, and leaves nothing")
    func removedWhileFilled() async throws {
        try await withHost { host in
            let driver = try host.open()
            let (source, copy) = (spec(host.world, format: .qcow2), spec(host.world))
            try await driver.ensure(source, from: .nothing, fence: fence)
            try await driver.ensure(copy, from: .volume(source.id), fence: fence)
            try await driver.remove(copy.id, fence: Fence(epoch: 1, generation: 2))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await driver.keep() }
                let late = spec(host.world)
                try await driver.ensure(late, from: .volume(source.id), fence: fence)
                try await eventually("the other copy") { try await driver.observe(late.id)?.progress == .whole }
                group.cancelAll()
            }
            #expect(try await driver.observe(copy.id) == nil)
            #expect(DurableFile.names(in: host.folder + "/pool/drafts") == [])
            #expect(DurableFile.names(in: host.folder + "/pool/volumes").count == 2)
        }
    }
}

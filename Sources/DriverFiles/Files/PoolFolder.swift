import CloudCore
import Drivers
import Foundation
import HostModel

/// The folder of a pool.
///
///     volumes/<id>.raw, .qcow2     whole volumes
///     snapshots/<id>.raw, .qcow2   whole snapshots, which nobody writes to
///     exports/<id>.raw, .qcow2     whole copies for images
///     drafts/                      everything that is not whole; emptied at each start
///     files/                       files that are nobody's, for `adopt` and `release`
struct PoolFolder: Sendable {
    let name: String
    let path: String
    let bounds: VolumePool.Bounds
    /// Whether files of this folder can share their blocks (FICLONE), tried once at the start.
    let canClone: Bool
    /// Whether the file system takes reads and writes past the page cache.
    let isDirect: Bool
    let ledger = PoolLedger()

    private static let folders = ["volumes", "snapshots", "exports", "drafts", "files"]

    /// Opens the folder, and removes what an earlier process has not finished.
    init(_ pool: FileVolumesSettings.Pool) throws(CloudError) {
        guard PathPart.isPlain(pool.name) else { throw .badRequest("A pool cannot be called '\(pool.name)'.") }
        name = pool.name
        path = pool.folder
        bounds = pool.bounds
        // Guests' users pass through to their own files.
        try DurableFile.makeFolder(path, mode: 0o711)
        for folder in Self.folders { try DurableFile.makeFolder("\(path)/\(folder)", mode: 0o711) }
        for draft in DurableFile.names(in: path + "/drafts") { unlink("\(path)/drafts/\(draft)") }
        canClone = Self.triesClone(in: path + "/drafts")
        isDirect = Self.triesDirect(in: path + "/drafts")
    }

    func file(of volume: HostedVolume) -> TargetFile {
        let spec = volume.spec
        let form = TargetFile.Form(bytes: spec.bytes, format: spec.format, isThin: spec.isThin)
        return file("volumes/\(spec.id)", volume.ticket, form)
    }

    /// Returns the whole file of a volume, whatever is being made of it.
    func volume(_ id: VolumeID, _ form: TargetFile.Form) -> TargetFile { file("volumes/\(id)", nil, form) }

    func file(of snapshot: HostedSnapshot) -> TargetFile {
        let form = TargetFile.Form(bytes: snapshot.bytes, format: snapshot.format)
        return file("snapshots/\(snapshot.id)", snapshot.ticket, form)
    }

    func export(_ id: String, _ ticket: String? = nil, _ form: TargetFile.Form) -> TargetFile {
        file("exports/\(id)", ticket, form)
    }

    /// Returns a file. A draft has the ticket of its copy as its name, so that a late copy harms no newer one.
    private func file(_ name: String, _ ticket: String?, _ form: TargetFile.Form) -> TargetFile {
        let format = form.format.rawValue
        let draft = "\(path)/drafts/\(ticket ?? "none").\(format)"
        return TargetFile(path: "\(path)/\(name).\(format)", draft: draft, form: form)
    }

    func stranger(_ name: String) -> String { "\(path)/files/\(name)" }

    /// Returns the pool as it is.
    func measure() throws(CloudError) -> VolumePool {
        var disk = statvfs()
        guard statvfs(path, &disk) == 0 else { throw DurableFile.failure("measure", path) }
        let unit = Int64(disk.f_frsize)
        // Blocks that the file system reserves for root are no part of the pool.
        let (used, free) = (Int64(disk.f_blocks) - Int64(disk.f_bfree), Int64(disk.f_bavail))
        var abilities = Set(VolumePool.Ability.allCases)
        if !canClone { abilities.remove(.cheapClone) }
        return VolumePool(
            name: name, totalBytes: (used + free) * unit, freeBytes: free * unit, provisionedBytes: ledger.sum,
            bounds: bounds, abilities: abilities)
    }

    private static func triesClone(in folder: String) -> Bool {
        let (source, target) = (folder + "/probe-source", folder + "/probe-target")
        defer {
            for probe in [source, source + ".new", target] { unlink(probe) }
        }
        // On a full disk nothing can be tried, and the host must open all the same. Until the next start copies are
        // whole ones.
        guard (try? DurableFile.write(Data(repeating: 1, count: 4096), to: source)) != nil else { return false }
        return (try? FileClone.make(source, target)) == true
    }

    private static func triesDirect(in folder: String) -> Bool {
        let probe = folder + "/probe-direct"
        defer { unlink(probe) }
        let file = open(probe, O_WRONLY | O_CREAT | O_CLOEXEC | Self.direct, 0o600)
        guard file >= 0 else { return false }
        close(file)
        return true
    }

    /// The value of `O_DIRECT`, which no Swift module exports because its macro needs a feature test.
    private static var direct: Int32 {
        #if arch(arm64)
            0o200_000
        #else
            0o40_000
        #endif
    }
}

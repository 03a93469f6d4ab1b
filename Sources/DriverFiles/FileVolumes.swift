package import CloudCore
package import Drivers
import Foundation
package import HostModel
import NIOPosix
import Synchronization

/// A driver for volumes in files of this host. Its records say what is wanted, so that another process goes on with
/// everything that was interrupted.
package final class FileVolumes: VolumeDriver {
    package let kind = "files"
    let settings: FileVolumesSettings
    let world: World
    let images: ImageCache
    /// The driver of the machines that may have a volume open; nil if none of them can help with a copy.
    let machines: (any VolumeHolding)?
    let folders: [String: PoolFolder]
    let volumes: FencedRecords<HostedVolume>
    let snapshots: FencedRecords<HostedSnapshot>
    let exports = Mutex<[String: HostedExport]>([:])
    /// The copies that were asked for, with their fences.
    let marks: FencedRecords<ExportMark>
    let lanes = SerialKeys<String>()
    let copies = RunningCopies()
    let readers = Readers()
    let queue = CopyQueue()
    private let threads: NIOThreadPool

    /// Opens the pools, and removes what an earlier process has not finished.
    ///
    /// - Parameters:
    ///   - images: the host's images.
    ///   - machines: the driver of the host's machines.
    package init(
        _ settings: FileVolumesSettings, images: ImageCache, machines: (any MachineDriver)?, world: World
    ) throws {
        self.settings = settings
        self.world = world
        self.images = images
        self.machines = machines as? any VolumeHolding
        try DurableFile.makeFolder(settings.folder)
        threads = NIOThreadPool(numberOfThreads: settings.copies + 4)
        volumes = try FencedRecords(folder: settings.folder + "/volumes", clock: world.clock)
        snapshots = try FencedRecords(folder: settings.folder + "/snapshots", clock: world.clock)
        marks = try FencedRecords(folder: settings.folder + "/exports", clock: world.clock)
        let pools = try settings.pools.map { try PoolFolder($0) }
        folders = Dictionary(pools.map { ($0.name, $0) }) { first, _ in first }
        guard folders.count == pools.count else { throw CloudError.badRequest("Two pools have the same name.") }
        for (id, _, volume) in volumes.all {
            folders[volume.spec.pool]?.ledger.note(id, volume.spec.bytes)
            if let moved = volume.moved { folders[moved.spec.pool]?.ledger.note(id, volume.spec.bytes) }
        }
        for (id, _, snapshot) in snapshots.all { folders[snapshot.pool]?.ledger.note(id, snapshot.bytes) }
        threads.start()
    }

    package func pools() async throws -> [VolumePool] {
        try await blocking { [self] in try folders.values.map { try $0.measure() }.sorted { $0.name < $1.name } }
    }

    package func list() async throws -> [ObservedVolume] {
        try await blocking { [self] in
            volumes.all.filter { $0.value.work != .remove }.map { observed($0.value, $0.fence) }
        }
    }

    package func observe(_ id: VolumeID) async throws -> ObservedVolume? {
        guard let volume = volumes.value(id.text), volume.work != .remove else { return nil }
        return try await blocking { [self] in observed(volume, volumes.fence(id.text)) }
    }

    private func observed(_ volume: HostedVolume, _ fence: Fence) -> ObservedVolume {
        let used = folders[volume.spec.pool].flatMap { VolumeFile.usedBytes($0.file(of: volume).path) }
        var progress = VolumeProgress.whole
        if let failure = volume.failure {
            progress = .failed(failure)
        } else if !volume.isWhole {
            progress = .copying(percent: volume.ticket.map { copies.percent(of: $0) } ?? 0)
        } else if used == nil {
            progress = .failed(AgentProblem(.internalError("the file of the volume \(volume.spec.id) is gone")))
        }
        var observed = ObservedVolume(volume.spec, progress: progress, usedBytes: used ?? 0, fence: fence)
        observed.connections = volume.connections.open
        return observed
    }

    // MARK: - Machines

    package func connect(_ id: VolumeID, _ connection: VolumeConnection) async throws -> VolumePath {
        try await lanes.run(id.text) {
            let volume = try whole(id)
            let isQCOW2 = volume.spec.format == .qcow2
            guard !connection.isShared || !isQCOW2 else {
                throw CloudError.badRequest("Only a raw volume can be shared by machines.")
            }
            var connections = volume.connections
            try connections.connect(connection, to: id)
            let changed = connections
            if changed != volume.connections { try volumes.update(id.text) { $0.connections = changed } }
            return .file(path: try folder(volume.spec.pool).file(of: volume).path, isQCOW2: isQCOW2)
        }
    }

    package func disconnect(_ id: VolumeID, from machine: MachineID, epoch: Int64) async throws {
        try await lanes.run(id.text) {
            guard var connections = volumes.value(id.text)?.connections else { return }
            try connections.disconnect(machine, from: id, epoch: epoch)
            let changed = connections
            try volumes.update(id.text) { $0.connections = changed }
        }
    }

    // MARK: - What all of it shares

    func folder(_ pool: String) throws(CloudError) -> PoolFolder {
        guard let folder = folders[pool] else { throw .notFound("pool", pool) }
        return folder
    }

    /// Returns a volume whose bytes are there.
    ///
    /// - Throws: `notFound`; `conflict` if it is not whole.
    func whole(_ id: VolumeID) throws(CloudError) -> HostedVolume {
        guard let volume = volumes.value(id.text), volume.work != .remove else { throw notFound(id) }
        if volume.moved != nil {
            var moving = CloudError(.conflict, "The volume is being moved.", detail: "\(id)", code: "volume_busy")
            moving.isTransient = true
            throw moving
        }
        guard volume.isWhole else { throw CloudError(.conflict, "The volume is not complete.", detail: "\(id)") }
        return volume
    }

    /// Returns a snapshot whose bytes are there.
    func whole(_ id: SnapshotID) throws(CloudError) -> HostedSnapshot {
        guard let snapshot = snapshots.value(id.text), !snapshot.isRemoving else { throw notFound(id) }
        guard snapshot.isWhole else {
            throw CloudError(.conflict, "The snapshot is not complete.", detail: "\(id)")
        }
        return snapshot
    }

    func current(_ id: VolumeID) async throws -> ObservedVolume {
        guard let volume = try await observe(id) else { throw notFound(id) }
        return volume
    }

    func step(_ name: String) throws { try settings.step(name) }

    /// Does work on a thread that may block.
    func blocking<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await threads.runIfActive(work)
    }

    /// Ends all copies. They begin again with the next process.
    package func stop() async {
        copies.cancelAll()
        try? await threads.shutdownGracefully()
    }
}

import CloudCore
import Drivers
import Foundation
import HostModel
import Synchronization

extension FileVolumes {
    /// Returns whether the bytes can be there at once, without the background.
    func isQuick(_ content: VolumeContent, _ spec: VolumeSpec) throws -> Bool {
        switch content {
        case .nothing: return true
        case .image, .backup: return false
        case .volume(let id):
            let source = try whole(id)
            // A guest's QEMU keeps parts of a qcow2 file in its memory.
            let isSettled = source.spec.format == .raw || source.connections.open.isEmpty
            return try isSettled && shares(source.spec.pool, source.spec.format, spec)
        case .snapshot(let id):
            let source = try whole(id)
            return try shares(source.pool, source.format, spec)
        }
    }

    private func shares(_ pool: String, _ format: VolumeFormat, _ spec: VolumeSpec) throws -> Bool {
        try pool == spec.pool && format == spec.format && spec.isThin && folder(pool).canClone
    }

    /// Makes the draft of a file with the content.
    func make(_ content: VolumeContent, _ target: TargetFile, _ ticket: String) async throws {
        try step("make")
        switch content {
        case .nothing: try await blocking { try VolumeFile.makeBlank(target) }
        case .backup(let backup): try await fill(target, from: backup, ticket)
        case .image(let image):
            try await images.with([image]) { paths in
                guard let path = paths[image] else { throw CloudError.internalError("no file for \(image.content)") }
                let source = Source(path: path, format: image.isQCOW2 ? .qcow2 : .raw, isDirect: true, canClone: true)
                try await copy(source, into: target, ticket)
            }
        case .volume(let id):
            let volume = try whole(id)
            let folder = try folder(volume.spec.pool)
            try await copy(volume, folder, into: target, ticket)
        case .snapshot(let id):
            let snapshot = try whole(id)
            let folder = try folder(snapshot.pool)
            let path = folder.file(of: snapshot).path
            try await readers.reading(path) {
                let source = Source(
                    path: path, format: snapshot.format, isDirect: folder.isDirect, canClone: folder.canClone)
                try await copy(source, into: target, ticket)
            }
        }
    }

    /// Makes the draft of a volume in another pool. Nobody uses the volume meanwhile.
    func makeMoved(_ volume: HostedVolume, _ target: TargetFile, _ ticket: String) async throws {
        try step("make")
        let folder = try folder(volume.spec.pool)
        let path = folder.file(of: volume).path
        try await readers.reading(path) {
            let source = Source(
                path: path, format: volume.spec.format, isDirect: folder.isDirect, canClone: folder.canClone)
            try await copy(source, into: target, ticket)
        }
    }

    /// A file whose bytes are copied.
    private struct Source {
        var path: String
        var format: VolumeFormat
        var isDirect: Bool
        /// Whether its bytes may be shared, if the target's file system can do that.
        var canClone: Bool
        /// Whether a guest may begin to write to it meanwhile.
        var isVolume = false
    }

    /// Copies a volume: by the QEMU of a guest that writes to it, or from its file.
    private func copy(
        _ volume: HostedVolume, _ folder: PoolFolder, into target: TargetFile, _ ticket: String
    ) async throws {
        let path = folder.file(of: volume).path
        let canClone = folder.canClone && volume.spec.format == .raw || volume.connections.open.isEmpty
        try await readers.reading(path) {
            // Only files of one pool surely share bytes.
            let isNear = target.draft.hasPrefix(folder.path + "/")
            let sharesBytes =
                isNear && canClone && folder.canClone && target.isThin && target.format == volume.spec.format
            if !sharesBytes, try await copyLive(volume, into: target, ticket) { return }
            var source = Source(path: path, format: volume.spec.format, isDirect: folder.isDirect, canClone: canClone)
            source.isVolume = true
            try await copy(source, into: target, ticket)
        }
    }

    /// Lets the QEMU of a running machine make the copy, which is of one moment.
    ///
    /// - Returns: false if no machine runs with the volume.
    private func copyLive(_ volume: HostedVolume, into target: TargetFile, _ ticket: String) async throws -> Bool {
        let (id, connections) = (volume.spec.id.text, volume.connections.open)
        guard let machines, !connections.isEmpty else { return false }
        guard connections.count == 1 else {
            throw CloudError(
                .conflict, "The volume is used by several machines, and its bytes of one moment cannot be copied here.",
                detail: "\(id): \(target.path) cannot share its bytes", code: "volume_shared")
        }
        for connection in connections {
            let (machine, format) = (connection.machine, target.format)
            let isCopied = try await machines.copyDisk(id, of: machine, to: target.draft, format: format) { [copies] in
                copies.note($0, of: ticket)
            }
            guard isCopied else { continue }
            try await blocking {
                if volume.spec.bytes < target.bytes || !target.isThin { try VolumeFile.grow(target.draft, target) }
            }
            return true
        }
        return false
    }

    private func copy(_ source: Source, into target: TargetFile, _ ticket: String) async throws {
        try await blocking { [self] in
            let bytes = try VolumeFile.virtualBytes(source.path, source.format)
            try Self.require(bytes, in: target.bytes)
            let mayClone = source.canClone && target.isThin && source.format == target.format
            if mayClone, try VolumeFile.makeClone(target, of: source.path, bytes: bytes) { return }
            let before = Self.writtenAt(source.path)
            try VolumeFile.makeBlank(target)
            try step("copy")
            // The target may be in another pool, on another file system.
            let pool = folders.values.first { target.draft.hasPrefix($0.path + "/") }
            let isDirect = source.isDirect && pool?.isDirect == true
            try ImageProgram.Copy(
                source: source.path, format: source.format, isShared: source.isVolume, isDirect: isDirect,
                seconds: settings.copySeconds, tell: { self.copies.note($0, of: ticket) },
                isUnwanted: { self.copies.isCancelled(ticket) })(into: target)
            guard !source.isVolume || Self.writtenAt(source.path) == before else {
                var changed = CloudError(
                    .conflict, "The volume was written to while it was copied.", detail: source.path)
                changed.isTransient = true
                throw changed
            }
        }
    }

    /// Returns the time of the last write to a file, in nanoseconds.
    private static func writtenAt(_ path: String) -> Int64 {
        var status = stat()
        guard stat(path, &status) == 0 else { return -1 }
        return Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    }

    /// Gives a draft its name when all of its bytes are on the disk.
    func publish(_ target: TargetFile) async throws {
        try await blocking { [self] in
            try step("sync")
            try VolumeFile.sync(target)
            try step("name")
            try VolumeFile.rename(target.draft, target.path)
        }
    }

    // MARK: - The background

    package func keep() async throws {
        let jobs = queue.listen()
        await resume()
        await withTaskGroup(of: Void.self) { group in
            var running = 0
            for await job in jobs.untilCancelled() {
                if running >= settings.copies {
                    await group.next()
                    running -= 1
                }
                group.addTask { await self.run(job) }
                running += 1
            }
            group.cancelAll()
        }
        try Task.checkCancellation()
    }

    /// Goes on with all that is not done yet.
    private func resume() async {
        for (id, _, volume) in volumes.all where volume.work != nil && volume.failure == nil {
            // One volume that cannot go on keeps no other from it; it is asked for again.
            try? await lanes.run(id) { try await carryOn(VolumeID(id)) }
        }
        for (id, _, snapshot) in snapshots.all where !snapshot.isWhole {
            try? await lanes.run(id) { try await carryOn(SnapshotID(id)) }
        }
        for id in exports.withLock({ Array($0.keys) }) { queue.add(.export(id)) }
    }

    private func run(_ job: CopyJob) async {
        switch job {
        case .volume(let id):
            if volumes.value(id.text)?.moved != nil { return await runMove(id) }
            guard let volume = volumes.value(id.text), volume.failure == nil,
                case .fill(let content, let ticket) = volume.work,
                let target = folders[volume.spec.pool]?.file(of: volume)
            else { return }
            await run(id.text, ticket, target) { try await self.make(content, target, ticket) } finish: {
                guard self.volumes.value(id.text)?.ticket == ticket else { return false }
                try await self.publish(target)
                try self.step("note")
                try self.volumes.update(id.text) { $0.work = nil }
                return true
            } fail: { try self.noteFailure(of: id, ticket, $0) }
        case .snapshot(let id): await run(id)
        case .export(let id): await runExport(id)
        }
    }

    /// Runs a copy beside all calls. Only its end is in the lane of the thing that is copied.
    ///
    /// - Parameter finish: returns false if the copy is not wanted any more.
    func run(
        _ lane: String, _ ticket: String, _ target: TargetFile, make: () async throws -> Void,
        finish: () async throws -> Bool, fail: (any Error) throws -> Void
    ) async {
        guard copies.begin(ticket) else { return }
        defer { copies.end(ticket) }
        do {
            try await withTaskCancellationHandler { try await make() } onCancel: { copies.cancel(ticket) }
            let isTaken = try await lanes.run(lane) { try await finish() }
            if !isTaken { unlink(target.draft) }
        } catch {
            unlink(target.draft)
            // A copy that was given up begins again later, or its volume is gone.
            if Task.isCancelled || copies.isCancelled(ticket) { return }
            await note(lane) { try fail(error) }
        }
    }

    /// The pause before a failure that could not be noted is noted again.
    private static let pause = Duration.milliseconds(500)

    /// Notes a failure. On a full disk not even that may be possible at once, and nobody else would do it: the copy
    /// would be shown as running for ever.
    private func note(_ lane: String, _ body: () throws -> Void) async {
        while !Task.isCancelled {
            do { return try await lanes.run(lane) { try body() } } catch { try? await Task.sleep(for: Self.pause) }
        }
    }
}

import CloudCore
import Drivers
import Foundation
package import HostModel

extension SimulatedVolumes {
    package func listSnapshots() async throws -> [ObservedSnapshot] {
        try host.requireReach()
        return pool.snapshots.all.map { observed($0.value, $0.fence) }
    }

    package func observe(_ id: SnapshotID) async throws -> ObservedSnapshot? {
        try host.requireReach()
        return pool.snapshots.value(id.text).map { observed($0, pool.snapshots.fence(id.text)) }
    }

    @discardableResult
    package func snapshot(_ id: SnapshotID, of volume: VolumeID, fence: Fence) async throws -> ObservedSnapshot {
        guard id.isUUID else { throw CloudError.badRequest("A snapshot's id must be a UUID in lower case.") }
        return try await pool.lanes.run(id.text) {
            try host.requireReach()
            try pool.snapshots.admit(id.text, fence, makes: true)
            if pool.snapshots.value(id.text) == nil { try await take(id, volume, fence) }
            guard let snapshot = pool.snapshots.value(id.text) else { throw notFound(id) }
            return observed(snapshot, fence)
        }
    }

    private func take(_ id: SnapshotID, _ volume: VolumeID, _ fence: Fence) async throws {
        let faults = try whole(volume).spec.faults
        try await host.work(isSlow: faults.contains(.slow))
        let source = try whole(volume)
        try fail(source.spec, .snapshotFails, "The volume could not be copied.")
        try pool.claim(id.text, source.spec.bytes, in: source.spec.pool, isThin: true)
        let snapshot = SimulatedSnapshot(id: id, volume: source.spec, bytes: source.bytes)
        do { try pool.snapshots.put(id.text, fence, snapshot) } catch {
            pool.forget(id.text)
            throw error
        }
    }

    package func removeSnapshot(_ id: SnapshotID, fence: Fence) async throws {
        guard id.isUUID else { return }
        try await pool.lanes.run(id.text) {
            try host.requireReach()
            try pool.snapshots.admit(id.text, fence)
            if let snapshot = pool.snapshots.value(id.text) {
                try await host.work(isSlow: snapshot.volume.faults.contains(.slow))
            }
            try pool.snapshots.remove(id.text, fence)
            pool.forget(id.text)
        }
    }

    func observed(_ snapshot: SimulatedSnapshot, _ fence: Fence) -> ObservedSnapshot {
        let volume = ObservedVolume(snapshot.volume, progress: .whole, usedBytes: 0, fence: .none)
        return ObservedSnapshot(
            id: snapshot.id, volume: volume, progress: .whole, usedBytes: snapshot.bytes.count, fence: fence)
    }

    // MARK: Bytes for others

    package func export(
        _ source: VolumeSource, as export: String, format: VolumeFormat, fence: Fence
    ) async throws -> VolumeExport {
        guard PathPart.isUUID(export) else {
            throw CloudError.badRequest("An export's id must be a UUID in lower case.")
        }
        return try await pool.lanes.run(export) {
            try host.requireReach()
            try pool.exports.admit(export, fence, makes: true)
            let (spec, bytes) = try content(source)
            try fail(spec, .exportFails, "The volume could not be copied.")
            if pool.exports.value(export) == nil { try pool.exports.put(export, fence, ExportMark(source: source)) }
            let copy = try await host.makeCopy("\(export).\(format.rawValue)") { path in
                if access(path, F_OK) != 0 {
                    try await host.work(isSlow: spec.faults.contains(.slow))
                    try write(bytes, spec.bytes, to: path, format)
                }
                var status = stat()
                guard stat(path, &status) == 0 else { throw DurableFile.failure("read", path) }
                return DiskSnapshot(
                    path: path, format: format.rawValue, virtualBytes: spec.bytes, sizeBytes: Int64(status.st_size))
            }
            return VolumeExport(progress: .whole, copy: copy)
        }
    }

    package func removeExport(_ export: String, fence: Fence) async throws {
        guard PathPart.isUUID(export) else { return }
        try await pool.lanes.run(export) {
            try host.requireReach()
            try pool.exports.admit(export, fence)
            for format in VolumeFormat.allCases { try host.removeCopy("\(export).\(format.rawValue)") }
            try pool.exports.remove(export, fence)
        }
    }

    private func content(_ source: VolumeSource) throws -> (VolumeSpec, SimulatedBytes) {
        switch source {
        case .volume(let id):
            let volume = try whole(id)
            return (volume.spec, volume.bytes)
        case .snapshot(let id):
            guard let snapshot = pool.snapshots.value(id.text) else { throw notFound(id) }
            return (snapshot.volume, snapshot.bytes)
        }
    }

    /// Writes a file. A qcow2 file is always empty: a simulated host has no program that could fill it.
    private func write(_ bytes: SimulatedBytes, _ size: Int64, to path: String, _ format: VolumeFormat) throws {
        guard format == .raw else { return try DurableFile.write(EmptyQCOW2.image(virtualBytes: size), to: path) }
        try DurableFile.write(Data(), to: path)
        guard truncate(path, off_t(size)) == 0 else { throw DurableFile.failure("size", path) }
        guard let file = FileHandle(forWritingAtPath: path) else { throw DurableFile.failure("write", path) }
        defer { try? file.close() }
        for (offset, piece) in bytes.all {
            try file.seek(toOffset: UInt64(offset))
            try file.write(contentsOf: piece)
        }
    }
}

extension SimulatedVolumes: VolumeReverting {
    @discardableResult
    package func revert(_ id: VolumeID, to snapshot: SnapshotID, fence: Fence) async throws -> ObservedVolume {
        try await change(id, fence) { volume in
            try volume.connections.requireNone(id)
            guard let former = pool.snapshots.value(snapshot.text) else { throw notFound(snapshot) }
            try pool.volumes.update(id.text) { $0.bytes = former.bytes }
        }
    }
}

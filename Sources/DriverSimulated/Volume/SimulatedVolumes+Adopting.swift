import CloudCore
import Drivers
package import HostModel

extension SimulatedVolumes: VolumeAdopting {
    package func manageable(in pool: String) async throws -> [ManageableVolume] {
        try host.requireReach()
        try self.pool.require(pool)
        let files = self.pool.strangers.all.map(\.value).filter { $0.pool == pool && !$0.isTaken }
        return files.sorted { $0.name < $1.name }.prefix(ManageableVolume.most).map { file in
            ManageableVolume(name: file.name, bytes: file.size, format: file.format)
        }
    }

    @discardableResult
    package func adopt(_ name: String, as wanted: VolumeSpec, fence: Fence) async throws -> ObservedVolume {
        var spec = wanted
        try pool.require(spec.pool)
        _ = try pool.stranger(name)
        return try await pool.lanes.run(spec.id.text) {
            try host.requireReach()
            try pool.volumes.admit(spec.id.text, fence, makes: true)
            if pool.volumes.value(spec.id.text) == nil {
                let file = try file(name, in: spec.pool)
                (spec.bytes, spec.format) = (file.size, file.format)
                try spec.check()
                try await host.work(isSlow: spec.faults.contains(.slow))
                try fail(spec, .createFails, "The file could not be taken.")
                try pool.claim(spec)
                try pool.volumes.put(
                    spec.id.text, fence, SimulatedVolume(spec: spec, content: .nothing, bytes: file.bytes))
                try pool.take(file)
            }
            guard let volume = try await observe(spec.id) else { throw notFound(spec.id) }
            return volume
        }
    }

    private func file(_ name: String, in pool: String) throws -> SimulatedStranger {
        guard let file = try self.pool.stranger(name), file.pool == pool else {
            throw CloudError.notFound("file", name)
        }
        return file
    }

    package func release(_ id: VolumeID, as wanted: String?, fence: Fence) async throws -> String {
        guard id.isUUID else { throw notFound(id) }
        if let wanted { _ = try pool.stranger(wanted) }
        return try await pool.lanes.run(id.text) {
            try host.requireReach()
            guard let volume = pool.volumes.value(id.text) else {
                try pool.volumes.remove(id.text, fence)
                let names = VolumeFormat.allCases.map { ManageableVolume.name(of: id, $0) }
                return try released(wanted.map { [$0] } ?? names, notFound(id))
            }
            try volume.connections.requireNone(id)
            try pool.volumes.admit(id.text, fence)
            try await host.work(isSlow: volume.spec.faults.contains(.slow))
            let spec = volume.spec
            let name = wanted ?? ManageableVolume.name(of: id, spec.format)
            try pool.put(
                SimulatedStranger(
                    name: name, pool: spec.pool, size: spec.bytes, format: spec.format, bytes: volume.bytes))
            try pool.volumes.remove(id.text, fence)
            pool.forget(id.text)
            return name
        }
    }

    /// Returns the name of something that was released before.
    private func released(_ names: [String], _ missing: CloudError) throws -> String {
        guard let found = try names.first(where: { try pool.stranger($0) != nil }) else { throw missing }
        return found
    }

    // MARK: Snapshots

    @discardableResult
    package func adopt(
        _ name: String, as id: SnapshotID, of volume: VolumeID, fence: Fence
    ) async throws -> ObservedSnapshot {
        guard id.isUUID else { throw CloudError.badRequest("A snapshot's id must be a UUID in lower case.") }
        _ = try pool.stranger(name)
        return try await pool.lanes.run(id.text) {
            try host.requireReach()
            try pool.snapshots.admit(id.text, fence, makes: true)
            if pool.snapshots.value(id.text) == nil {
                var spec = try whole(volume).spec
                let file = try file(name, in: spec.pool)
                guard file.size <= spec.bytes else {
                    throw CloudError.badRequest("The file is larger than the volume.")
                }
                try await host.work(isSlow: spec.faults.contains(.slow))
                try fail(spec, .snapshotFails, "The file could not be taken.")
                (spec.bytes, spec.format) = (file.size, file.format)
                try pool.claim(id.text, spec.bytes, in: spec.pool, isThin: true)
                try pool.snapshots.put(id.text, fence, SimulatedSnapshot(id: id, volume: spec, bytes: file.bytes))
                try pool.take(file)
            }
            guard let snapshot = try await observe(id) else { throw notFound(id) }
            return snapshot
        }
    }

    package func release(_ id: SnapshotID, as wanted: String?, fence: Fence) async throws -> String {
        guard id.isUUID else { throw notFound(id) }
        if let wanted { _ = try pool.stranger(wanted) }
        return try await pool.lanes.run(id.text) {
            try host.requireReach()
            guard let snapshot = pool.snapshots.value(id.text) else {
                try pool.snapshots.remove(id.text, fence)
                let names = VolumeFormat.allCases.map { ManageableVolume.name(of: id, $0) }
                return try released(wanted.map { [$0] } ?? names, notFound(id))
            }
            try pool.snapshots.admit(id.text, fence)
            let spec = snapshot.volume
            try await host.work(isSlow: spec.faults.contains(.slow))
            let name = wanted ?? ManageableVolume.name(of: id, spec.format)
            try pool.put(
                SimulatedStranger(
                    name: name, pool: spec.pool, size: spec.bytes, format: spec.format, bytes: snapshot.bytes))
            try pool.snapshots.remove(id.text, fence)
            pool.forget(id.text)
            return name
        }
    }
}

extension SimulatedVolumes: VolumeMoving {
    @discardableResult
    package func move(
        _ id: VolumeID, to name: String, isThin: Bool, fence: Fence
    ) async throws -> ObservedVolume {
        try pool.require(name)
        return try await pool.lanes.run(id.text) {
            try host.requireReach()
            guard let volume = pool.volumes.value(id.text) else { throw notFound(id) }
            if volume.moved == nil { _ = try whole(id) }
            try volume.connections.requireNone(id)
            try pool.volumes.admit(id.text, fence)
            try await host.work(isSlow: volume.spec.faults.contains(.slow))
            if case .copying = volume.progress, volume.moved?.pool == name {
                // The move goes on.
            } else if name == volume.spec.pool {
                try pool.volumes.update(id.text) { ($0.moved, $0.progress) = (nil, .whole) }
                pool.forget(id.text, exceptIn: name)
            } else {
                try begin(volume, to: name, isThin: isThin)
            }
            guard let now = pool.volumes.value(id.text) else { throw notFound(id) }
            return observed(now, fence)
        }
    }

    private func begin(_ volume: SimulatedVolume, to name: String, isThin: Bool) throws {
        let id = volume.spec.id
        pool.forget(id.text, exceptIn: volume.spec.pool)
        var wanted = volume.spec
        (wanted.pool, wanted.isThin) = (name, isThin)
        let moved = wanted
        try pool.claim(moved)
        try pool.volumes.update(id.text) { ($0.moved, $0.progress) = (moved, .copying(percent: 0)) }
        if !moved.faults.contains(.slow) { try advance(id) }
    }
}

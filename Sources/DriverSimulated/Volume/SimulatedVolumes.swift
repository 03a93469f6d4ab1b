import CloudCore
import Drivers
import Foundation
package import HostModel
import Synchronization

/// A volume driver of a simulated host. It stores nothing itself, so a second driver of the same host sees the same
/// volumes.
package struct SimulatedVolumes: VolumeDriver {
    let host: SimulatedHost
    let pool: SimulatedPool

    package var kind: String { "simulated" }

    package func pools() async throws -> [VolumePool] {
        try host.requireReach()
        return pool.states
    }

    package func list() async throws -> [ObservedVolume] {
        try host.requireReach()
        return pool.volumes.all.map { observed($0.value, $0.fence) }
    }

    package func observe(_ id: VolumeID) async throws -> ObservedVolume? {
        try host.requireReach()
        if case .copying = pool.volumes.value(id.text)?.progress {
            try await host.work(isSlow: false)
            try advance(id)
        }
        return pool.volumes.value(id.text).map { observed($0, pool.volumes.fence(id.text)) }
    }

    /// Goes on with a copy. A volume that has come into another pool takes no room in its former one.
    func advance(_ id: VolumeID) throws {
        try pool.volumes.update(id.text) { $0.advance() }
        guard let volume = pool.volumes.value(id.text), volume.moved == nil else { return }
        pool.forget(id.text, exceptIn: volume.spec.pool)
    }

    @discardableResult
    package func ensure(_ spec: VolumeSpec, from content: VolumeContent, fence: Fence) async throws -> ObservedVolume {
        try spec.check()
        try pool.require(spec.pool)
        return try await pool.lanes.run(spec.id.text) {
            try host.requireReach()
            try pool.volumes.admit(spec.id.text, fence, makes: true)
            if var volume = pool.volumes.value(spec.id.text) {
                if case .failed = volume.progress { volume.progress = .copying(percent: 0) }
                let again = volume
                try pool.volumes.update(spec.id.text) { $0.progress = again.progress }
            } else {
                try await make(spec, content, fence)
            }
            try loseReply(spec.id)
            return try volume(spec.id)
        }
    }

    private func make(_ spec: VolumeSpec, _ content: VolumeContent, _ fence: Fence) async throws {
        let bytes = try await bytes(content, spec)
        try await host.work(isSlow: spec.faults.contains(.slow))
        try fail(spec, .createFails, "The volume could not be made.")
        if spec.faults.contains(.poolFull) {
            throw CloudError(
                .unavailable, "The pool has no room for the volume.", detail: "simulated: pool-full",
                code: VolumePool.fullCode)
        }
        try pool.claim(spec)
        var volume = SimulatedVolume(spec: spec, content: content, bytes: bytes)
        if !spec.faults.contains(.slow) { volume.advance() }
        do { try pool.volumes.put(spec.id.text, fence, volume) } catch {
            pool.forget(spec.id.text)
            throw error
        }
    }

    /// Returns the bytes with which a volume begins.
    private func bytes(_ content: VolumeContent, _ spec: VolumeSpec) async throws -> SimulatedBytes {
        switch content {
        // Images are not fetched.
        case .nothing, .image: return SimulatedBytes()
        case .volume(let id):
            let source = try whole(id)
            try requireRoom(source.spec.bytes, spec)
            return source.bytes
        case .snapshot(let id):
            guard let source = pool.snapshots.value(id.text) else { throw notFound(id) }
            try requireRoom(source.volume.bytes, spec)
            return source.bytes
        case .backup(let backup):
            try requireRoom(backup.bytes, spec)
            let bytes = Mutex(SimulatedBytes())
            try await host.backups.source.read(backup) { offset, piece in
                bytes.withLock { $0.writeParts(of: piece, at: offset) }
            }
            return bytes.withLock { $0 }
        }
    }

    private func requireRoom(_ bytes: Int64, _ spec: VolumeSpec) throws(CloudError) {
        guard bytes <= spec.bytes else { throw .badRequest("The volume is smaller than its content.") }
    }

    /// Loses the reply to the first creation, if the volume has that fault.
    private func loseReply(_ id: VolumeID) throws {
        guard let volume = pool.volumes.value(id.text), volume.spec.faults.contains(.agentLost), !volume.hasLostReply
        else { return }
        try pool.volumes.update(id.text) { $0.hasLostReply = true }
        throw SimulatedHost.unreachable(host.name)
    }

    @discardableResult
    package func grow(_ id: VolumeID, to bytes: Int64, fence: Fence) async throws -> ObservedVolume {
        try VolumeSpec.check(bytes: bytes)
        return try await change(id, fence) { volume in
            try fail(volume.spec, .growFails, "The volume could not be extended.")
            guard bytes > volume.spec.bytes else { return }
            var spec = volume.spec
            spec.bytes = bytes
            let larger = spec
            try pool.claim(larger)
            try pool.volumes.update(id.text) { $0.spec = larger }
        }
    }

    package func remove(_ id: VolumeID, fence: Fence) async throws {
        guard id.isUUID else { return }
        try await pool.lanes.run(id.text) {
            try host.requireReach()
            try pool.volumes.admit(id.text, fence)
            if let volume = pool.volumes.value(id.text) {
                try volume.connections.requireNone(id)
                try await host.work(isSlow: volume.spec.faults.contains(.slow))
                try fail(volume.spec, .removeFails, "The volume could not be removed.")
            }
            try pool.volumes.remove(id.text, fence)
            pool.forget(id.text)
        }
    }

    // MARK: Machines

    package func connect(_ id: VolumeID, _ connection: VolumeConnection) async throws -> VolumePath {
        try await pool.lanes.run(id.text) {
            try host.requireReach()
            let volume = try whole(id)
            try fail(volume.spec, .connectFails, "The volume could not be connected.")
            guard !connection.isShared || volume.spec.format == .raw else {
                throw CloudError.badRequest("Only a raw volume can be shared by machines.")
            }
            var connections = volume.connections
            try connections.connect(connection, to: id)
            let changed = connections
            try pool.volumes.update(id.text) { $0.connections = changed }
            return host.path(of: volume.spec)
        }
    }

    package func disconnect(_ id: VolumeID, from machine: MachineID, epoch: Int64) async throws {
        try await pool.lanes.run(id.text) {
            try host.requireReach()
            guard var connections = pool.volumes.value(id.text)?.connections else { return }
            try connections.disconnect(machine, from: id, epoch: epoch)
            let changed = connections
            try pool.volumes.update(id.text) { $0.connections = changed }
        }
    }

    // MARK: The host

    package func keep() async throws {
        // There is no work: copies go on when somebody looks at them.
        while true { try await host.settings.clock.sleep(for: .seconds(86_400)) }
    }

    package func stop() async {}

    // MARK: What all changes share

    private func volume(_ id: VolumeID) throws -> ObservedVolume {
        guard let volume = pool.volumes.value(id.text) else { throw notFound(id) }
        return observed(volume, pool.volumes.fence(id.text))
    }

    func observed(_ volume: SimulatedVolume, _ fence: Fence) -> ObservedVolume {
        var observed = ObservedVolume(volume.spec, progress: volume.progress, usedBytes: volume.usedBytes, fence: fence)
        observed.connections = volume.connections.open
        return observed
    }

    /// Returns a volume whose bytes are there.
    func whole(_ id: VolumeID) throws -> SimulatedVolume {
        guard let volume = pool.volumes.value(id.text) else { throw notFound(id) }
        if volume.moved != nil {
            var moving = CloudError(.conflict, "The volume is being moved.", detail: "\(id)", code: "volume_busy")
            moving.isTransient = true
            throw moving
        }
        guard volume.progress.isWhole else { throw CloudError.conflict("The volume is not complete.") }
        return volume
    }

    func fail(_ spec: VolumeSpec, _ fault: SimulatedVolumeFault, _ message: String) throws(CloudError) {
        guard spec.faults.contains(fault) else { return }
        throw CloudError(.unavailable, message, detail: "simulated: \(fault.rawValue)", code: "simulated_fault")
    }

    /// Takes the change, waits for its duration, and carries it out.
    @discardableResult
    func change(
        _ id: VolumeID, _ fence: Fence, _ body: (SimulatedVolume) throws -> Void
    ) async throws -> ObservedVolume {
        try await pool.lanes.run(id.text) {
            try host.requireReach()
            let volume = try whole(id)
            try pool.volumes.admit(id.text, fence)
            try await host.work(isSlow: volume.spec.faults.contains(.slow))
            try body(volume)
            return try self.volume(id)
        }
    }
}

package import HostModel
import CloudCore

/// The volumes of a host, with a typed call for each message. The errors are those of `VolumeDriver`; besides, a host
/// without volumes answers `notImplemented` (`no_volumes`).
extension AgentLink {
    package func volumePools() async throws -> [VolumePool] {
        guard case .pools(let pools) = try await ask(.pools) else { throw unexpected("pools") }
        return pools
    }

    package func volumes() async throws -> [ObservedVolume] {
        guard case .volumes(let volumes) = try await ask(.volumes) else { throw unexpected("volumes") }
        return volumes
    }

    /// Returns the volume as it is; nil if there is none.
    package func observe(_ id: VolumeID) async throws -> ObservedVolume? { try volume(await ask(.volume(id))) }

    /// Makes the volume. A long copy goes on after the reply: `observe` shows its progress.
    @discardableResult
    package func ensure(_ spec: VolumeSpec, from content: VolumeContent, fence: Fence) async throws -> ObservedVolume {
        try await change(.ensure(spec, from: content), fence)
    }

    @discardableResult
    package func grow(_ id: VolumeID, to bytes: Int64, fence: Fence) async throws -> ObservedVolume {
        try await change(.grow(id, bytes: bytes), fence)
    }

    package func remove(_ id: VolumeID, fence: Fence) async throws {
        _ = try await send(VolumeRequest(.remove(id), fence: fence))
    }

    @discardableResult
    package func revert(_ id: VolumeID, to snapshot: SnapshotID, fence: Fence) async throws -> ObservedVolume {
        try await change(.revert(id, to: snapshot), fence)
    }

    // MARK: Snapshots

    package func volumeSnapshots() async throws -> [ObservedSnapshot] {
        guard case .snapshots(let snapshots) = try await ask(.snapshots) else { throw unexpected("snapshots") }
        return snapshots
    }

    /// Returns the snapshot as it is; nil if there is none.
    package func observe(_ id: SnapshotID) async throws -> ObservedSnapshot? {
        switch try await ask(.snapshot(id)) {
        case .snapshot(let snapshot): return snapshot
        case .gone: return nil
        default: throw unexpected("a snapshot")
        }
    }

    /// Takes a snapshot. A long copy goes on after the reply: `observe` shows its progress.
    @discardableResult
    package func snapshot(_ id: SnapshotID, of volume: VolumeID, fence: Fence) async throws -> ObservedSnapshot {
        try snapshot(await send(VolumeRequest(.snapshot(id, of: volume), fence: fence)))
    }

    package func removeSnapshot(_ id: SnapshotID, fence: Fence) async throws {
        _ = try await send(VolumeRequest(.removeSnapshot(id), fence: fence))
    }

    // MARK: Bytes for images

    /// Makes a flat copy for an image, or returns how it goes on. `bytes(of:)` reads the copy when it is whole.
    package func export(
        _ source: VolumeSource, as export: String, format: VolumeFormat, fence: Fence
    ) async throws -> VolumeExport {
        let reply = try await send(VolumeRequest(.export(source, as: export, format: format), fence: fence))
        guard case .export(let export) = reply else { throw unexpected("an export") }
        return export
    }

    package func forgetExport(_ export: String, fence: Fence) async throws {
        _ = try await send(VolumeRequest(.forgetExport(export), fence: fence))
    }

    // MARK: Files of others

    package func manageableVolumes(in pool: String) async throws -> [ManageableVolume] {
        guard case .manageable(let files) = try await ask(.manageable(pool: pool)) else { throw unexpected("files") }
        return files
    }

    @discardableResult
    package func adopt(_ name: String, as spec: VolumeSpec, fence: Fence) async throws -> ObservedVolume {
        try await change(.adopt(name, as: spec), fence)
    }

    /// Makes the volume a file that is nobody's, and returns its name.
    @discardableResult
    package func release(_ id: VolumeID, as name: String? = nil, fence: Fence) async throws -> String {
        try released(await send(VolumeRequest(.release(id, as: name), fence: fence)))
    }

    @discardableResult
    package func adopt(
        _ name: String, as id: SnapshotID, of volume: VolumeID, fence: Fence
    ) async throws -> ObservedSnapshot {
        try snapshot(await send(VolumeRequest(.adoptSnapshot(name, as: id, of: volume), fence: fence)))
    }

    /// Makes the snapshot a file that is nobody's, and returns its name.
    @discardableResult
    package func release(_ id: SnapshotID, as name: String? = nil, fence: Fence) async throws -> String {
        try released(await send(VolumeRequest(.releaseSnapshot(id, as: name), fence: fence)))
    }

    /// Brings the volume into another pool. A long copy goes on after the reply: `observe` shows its progress.
    @discardableResult
    package func move(
        _ id: VolumeID, to pool: String, isThin: Bool, fence: Fence
    ) async throws -> ObservedVolume {
        try await change(.move(id, to: pool, isThin: isThin), fence)
    }

    // MARK: Machines

    /// Lets a machine use the volume, and returns its place for the machine's disk.
    package func connect(_ id: VolumeID, _ connection: VolumeConnection) async throws -> VolumePath {
        guard case .connected(let path) = try await ask(.connect(id, connection)) else { throw unexpected("a place") }
        return path
    }

    /// Takes the right to use the volume from a machine.
    ///
    /// - Throws: `conflict` (`volume_in_use`) if the machine still has the disk.
    package func disconnect(_ id: VolumeID, from machine: MachineID, epoch: Int64) async throws {
        _ = try await ask(.disconnect(id, from: machine, epoch: epoch))
    }

    // MARK: Replies

    private func change(_ verb: VolumeRequest.Verb, _ fence: Fence) async throws -> ObservedVolume {
        let reply = try await send(VolumeRequest(verb, fence: fence))
        guard let volume = try volume(reply) else { throw unexpected("a volume") }
        return volume
    }

    private func volume(_ reply: VolumeReply) throws -> ObservedVolume? {
        switch reply {
        case .volume(let volume): return volume
        case .gone: return nil
        default: throw unexpected("a volume")
        }
    }

    private func snapshot(_ reply: VolumeReply) throws -> ObservedSnapshot {
        guard case .snapshot(let snapshot) = reply else { throw unexpected("a snapshot") }
        return snapshot
    }

    private func released(_ reply: VolumeReply) throws -> String {
        guard case .released(let name) = reply else { throw unexpected("a file's name") }
        return name
    }

    private func unexpected(_ what: String) -> CloudError {
        .internalError("the host \(host) answers with something else than \(what)")
    }
}

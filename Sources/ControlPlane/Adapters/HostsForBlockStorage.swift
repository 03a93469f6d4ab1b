import AgentCore
import BlockStorage
import CloudCore
import HostModel
import NIOCore

/// The hosts with pools of volumes, as Block Storage needs them.
struct HostsForBlockStorage: BlockStorageHosts {
    let fleet: Fleet
    let world: World

    func pools() -> [PoolReport] {
        let now = world.now
        return fleet.known.flatMap { facts in
            facts.inventory.pools.map { pool in
                PoolReport(host: facts.name, pool: pool, isUp: facts.isUp(at: now), lastSeen: facts.seenAt)
            }
        }
    }

    func refresh() async { await fleet.askIfNobodyKeeps() }

    func ensure(
        _ spec: VolumeSpec, from content: VolumeContent, on host: String, fence: Fence
    ) async throws -> VolumeProgress {
        try await fleet.link(to: host).ensure(spec, from: content, fence: fleet.era.raise(fence)).progress
    }

    func observe(_ id: VolumeID, on host: String) async throws -> VolumeProgress? {
        try await fleet.link(to: host).observe(id)?.progress
    }

    func bytes(of id: VolumeID, on host: String) async throws -> Int64? {
        try await fleet.link(to: host).observe(id)?.bytes
    }

    func remove(_ id: VolumeID, on host: String, fence: Fence) async throws {
        try await fleet.link(to: host).remove(id, fence: fleet.era.raise(fence))
    }

    func grow(_ id: VolumeID, to bytes: Int64, on host: String, fence: Fence) async throws {
        try await fleet.link(to: host).grow(id, to: bytes, fence: fleet.era.raise(fence))
    }

    func snapshot(
        _ id: SnapshotID, of volume: VolumeID, on host: String, fence: Fence
    ) async throws -> VolumeProgress {
        try await fleet.link(to: host).snapshot(id, of: volume, fence: fleet.era.raise(fence)).progress
    }

    func observe(_ id: SnapshotID, on host: String) async throws -> VolumeProgress? {
        try await fleet.link(to: host).observe(id)?.progress
    }

    func removeSnapshot(_ id: SnapshotID, on host: String, fence: Fence) async throws {
        try await fleet.link(to: host).removeSnapshot(id, fence: fleet.era.raise(fence))
    }

    func revert(
        _ id: VolumeID, to snapshot: SnapshotID, on host: String, fence: Fence
    ) async throws -> VolumeProgress {
        try await fleet.link(to: host).revert(id, to: snapshot, fence: fleet.era.raise(fence)).progress
    }

    func export(
        _ source: VolumeSource, as name: String, format: VolumeFormat, on host: String, fence: Fence
    ) async throws -> VolumeExport {
        try await fleet.link(to: host).export(source, as: name, format: format, fence: fleet.era.raise(fence))
    }

    func forgetExport(_ name: String, on host: String, fence: Fence) async throws {
        try await fleet.link(to: host).forgetExport(name, fence: fleet.era.raise(fence))
    }

    func bytes(of copy: DiskSnapshot, on host: String) async throws -> AsyncThrowingStream<ByteBuffer, any Error> {
        try await fleet.link(to: host).bytes(of: copy)
    }

    // MARK: Files of others, and other pools

    func manageable(in pool: String, on host: String) async throws -> [ManageableVolume] {
        try await fleet.link(to: host).manageableVolumes(in: pool)
    }

    func adopt(_ name: String, as spec: VolumeSpec, on host: String, fence: Fence) async throws -> VolumeProgress {
        try await fleet.link(to: host).adopt(name, as: spec, fence: fleet.era.raise(fence)).progress
    }

    func release(_ id: VolumeID, as name: String?, on host: String, fence: Fence) async throws {
        try await fleet.link(to: host).release(id, as: name, fence: fleet.era.raise(fence))
    }

    func adopt(
        _ name: String, as id: SnapshotID, of volume: VolumeID, on host: String, fence: Fence
    ) async throws -> VolumeProgress {
        try await fleet.link(to: host).adopt(name, as: id, of: volume, fence: fleet.era.raise(fence)).progress
    }

    func release(_ id: SnapshotID, as name: String?, on host: String, fence: Fence) async throws {
        try await fleet.link(to: host).release(id, as: name, fence: fleet.era.raise(fence))
    }

    func move(
        _ id: VolumeID, to pool: String, isThin: Bool, on host: String, fence: Fence
    ) async throws -> VolumeProgress {
        try await fleet.link(to: host).move(id, to: pool, isThin: isThin, fence: fleet.era.raise(fence)).progress
    }
}

@testable import BlockStorage
import CloudCore
import HostModel
import NIOCore
import SQL
import Synchronization

/// Hosts with pools in memory. Every copy is whole at once, and older changes are refused as real hosts refuse them.
final class MemoryHosts: BlockStorageHosts {
    private struct State {
        var reports: [PoolReport] = []
        var volumes: [VolumeID: (spec: VolumeSpec, host: String)] = [:]
        var snapshots: [SnapshotID: (volume: VolumeID, host: String)] = [:]
        /// The files that are nobody's, by their names, each with its size in bytes.
        var files: [String: Int64] = [:]
        var exports: Set<String> = []
        /// The copies that were removed, which no late order makes again.
        var removedExports: Set<String> = []
        var fences: [String: Fence] = [:]
    }

    private let state: Mutex<State>

    /// Makes one host, `host-1`, with pools of 1 TiB each, of which the first is called `volumes`.
    init(pools: Int = 1) {
        var first = State()
        first.reports = (1...pools).map { number in
            let pool = VolumePool(
                name: number == 1 ? "volumes" : "volumes-\(number)", totalBytes: 1 << 40, freeBytes: 1 << 40,
                provisionedBytes: 0, abilities: Set(VolumePool.Ability.allCases))
            return PoolReport(host: "host-1", pool: pool, isUp: true, lastSeen: Timestamp(seconds: 0))
        }
        state = Mutex(first)
    }

    /// Puts a file into a pool.
    func bring(_ name: String, bytes: Int64) { state.withLock { $0.files[name] = bytes } }

    /// The things on the hosts, one line for each.
    var inventory: [String] {
        state.withLock { state in
            let volumes = state.volumes.map { id, volume in
                let pool = volume.spec.pool == "volumes" ? "" : " in \(volume.spec.pool)"
                return "bytes of \(id), \(volume.spec.bytes >> 30) GiB on \(volume.host)\(pool)"
            }
            let snapshots = state.snapshots.map { "snapshot \($0.key) of \($0.value.volume)" }
            let files = state.files.keys.map { "file \($0)" }
            return (volumes + snapshots + files + state.exports.map { "export \($0)" }).sorted()
        }
    }

    private func change<Value: Sendable>(
        _ id: String, _ fence: Fence, _ body: (inout State) throws -> Value
    ) throws -> Value {
        try state.withLock { state in
            try fence.require(notOlderThan: state.fences[id] ?? .none, id)
            state.fences[id] = fence
            return try body(&state)
        }
    }

    func pools() -> [PoolReport] { state.withLock { $0.reports } }
    func refresh() async {}

    func ensure(
        _ spec: VolumeSpec, from content: VolumeContent, on host: String, fence: Fence
    ) async throws -> VolumeProgress {
        try change(spec.id.text, fence) { state in
            if state.volumes[spec.id] == nil { state.volumes[spec.id] = (spec, host) }
            return .whole
        }
    }

    func observe(_ id: VolumeID, on host: String) async throws -> VolumeProgress? {
        state.withLock { $0.volumes[id] == nil ? nil : .whole }
    }

    func bytes(of id: VolumeID, on host: String) async throws -> Int64? {
        state.withLock { $0.volumes[id]?.spec.bytes }
    }

    func remove(_ id: VolumeID, on host: String, fence: Fence) async throws {
        try change(id.text, fence) { $0.volumes[id] = nil }
    }

    func grow(_ id: VolumeID, to bytes: Int64, on host: String, fence: Fence) async throws {
        try change(id.text, fence) { state in
            guard var volume = state.volumes[id] else { throw CloudError.notFound("volume", id.text) }
            volume.spec.bytes = max(volume.spec.bytes, bytes)
            state.volumes[id] = volume
        }
    }

    func snapshot(
        _ id: SnapshotID, of volume: VolumeID, on host: String, fence: Fence
    ) async throws -> VolumeProgress {
        try change(id.text, fence) { state in
            guard state.volumes[volume] != nil else { throw CloudError.notFound("volume", volume.text) }
            state.snapshots[id] = (volume, host)
            return .whole
        }
    }

    func observe(_ id: SnapshotID, on host: String) async throws -> VolumeProgress? {
        state.withLock { $0.snapshots[id] == nil ? nil : .whole }
    }

    func removeSnapshot(_ id: SnapshotID, on host: String, fence: Fence) async throws {
        try change(id.text, fence) { $0.snapshots[id] = nil }
    }

    func revert(
        _ id: VolumeID, to snapshot: SnapshotID, on host: String, fence: Fence
    ) async throws -> VolumeProgress {
        try change(id.text, fence) { state in
            guard state.snapshots[snapshot] != nil else { throw CloudError.notFound("snapshot", snapshot.text) }
            return .whole
        }
    }

    func export(
        _ source: VolumeSource, as name: String, format: VolumeFormat, on host: String, fence: Fence
    ) async throws -> VolumeExport {
        try change("export \(name)", fence) { state in
            guard !state.removedExports.contains(name) else { throw CloudError(.conflict, "", code: Fence.staleCode) }
            state.exports.insert(name)
        }
        let copy = DiskSnapshot(path: "/\(name)", format: format.rawValue, virtualBytes: 9 << 20, sizeBytes: 9 << 20)
        return VolumeExport(progress: .whole, copy: copy)
    }

    /// Returns 4 MiB of ones, as much of zeros, and one MiB of twos.
    func bytes(of copy: DiskSnapshot, on host: String) async throws -> AsyncThrowingStream<ByteBuffer, any Error> {
        AsyncThrowingStream { stream in
            for (byte, count) in [(UInt8(1), 4 << 20), (0, 4 << 20), (2, 1 << 20)] {
                stream.yield(ByteBuffer(repeating: byte, count: count))
            }
            stream.finish()
        }
    }

    func forgetExport(_ name: String, on host: String, fence: Fence) async throws {
        try change("export \(name)", fence) { state in
            state.exports.remove(name)
            state.removedExports.insert(name)
        }
    }

    // MARK: Files of others, and other pools

    func manageable(in pool: String, on host: String) async throws -> [ManageableVolume] {
        state.withLock { state in
            state.files.map { ManageableVolume(name: $0.key, bytes: $0.value, format: .raw) }
        }
    }

    func adopt(_ name: String, as spec: VolumeSpec, on host: String, fence: Fence) async throws -> VolumeProgress {
        try change(spec.id.text, fence) { state in
            if state.volumes[spec.id] != nil { return .whole }
            guard state.files.removeValue(forKey: name) != nil else { throw CloudError.notFound("file", name) }
            state.volumes[spec.id] = (spec, host)
            return .whole
        }
    }

    func release(_ id: VolumeID, as name: String?, on host: String, fence: Fence) async throws {
        try change(id.text, fence) { state in
            guard let volume = state.volumes.removeValue(forKey: id) else {
                throw CloudError.notFound("volume", id.text)
            }
            state.files[name ?? ManageableVolume.name(of: id, volume.spec.format)] = volume.spec.bytes
        }
    }

    func adopt(
        _ name: String, as id: SnapshotID, of volume: VolumeID, on host: String, fence: Fence
    ) async throws -> VolumeProgress {
        try change(id.text, fence) { state in
            if state.snapshots[id] != nil { return .whole }
            guard state.files.removeValue(forKey: name) != nil else { throw CloudError.notFound("file", name) }
            state.snapshots[id] = (volume, host)
            return .whole
        }
    }

    func release(_ id: SnapshotID, as name: String?, on host: String, fence: Fence) async throws {
        try change(id.text, fence) { state in
            guard state.snapshots.removeValue(forKey: id) != nil else {
                throw CloudError.notFound("snapshot", id.text)
            }
            state.files[name ?? ManageableVolume.name(of: id, .raw)] = 1 << 30
        }
    }

    func move(
        _ id: VolumeID, to pool: String, isThin: Bool, on host: String, fence: Fence
    ) async throws -> VolumeProgress {
        try change(id.text, fence) { state in
            guard var volume = state.volumes[id] else { throw CloudError.notFound("volume", id.text) }
            (volume.spec.pool, volume.spec.isThin) = (pool, isThin)
            state.volumes[id] = volume
            return .whole
        }
    }
}

/// The images of a test. Every UUID names an image, and those that volumes become are remembered.
final class MemoryVolumeImages: BlockStorageImages {
    private let made = Mutex<[ID<Kind.Image>: Bool]>([:])

    /// The images that were made, one line for each.
    var inventory: [String] {
        made.withLock { made in made.map { "image \($0.key), \($0.value ? "filled" : "empty")" }.sorted() }
    }

    func image(_ id: ID<Kind.Image>, for principal: Principal) async throws -> VolumeImageFacts {
        VolumeImageFacts(id: id, name: "simulated", isActive: true, sizeBytes: 1 << 20)
    }

    func images(named name: String, for principal: Principal) async throws -> [ID<Kind.Image>] { [] }

    func machineImage(_ id: ID<Kind.Image>) async throws -> MachineImage {
        let digits = id.text.filter(\.isHexDigit)
        let content = String(String(repeating: digits, count: 4).prefix(128))
        return try MachineImage(content: content, format: "raw", virtualBytes: 1 << 20)
    }

    func ensure(_ image: VolumeImage, for principal: Principal) async throws {
        made.withLock { $0[image.id] = $0[image.id] ?? false }
    }

    func fill(_ id: ID<Kind.Image>, with copy: DiskSnapshot, on host: String, for principal: Principal) async throws {
        made.withLock { $0[id] = true }
    }

    func delete(_ id: ID<Kind.Image>, for principal: Principal) async throws { made.withLock { $0[id] = nil } }
}

/// A log whose level stays as it is.
struct FixedLog: BlockStorageLogs {
    var level: LogWord { .info }
    func set(_ level: LogWord) {}
}

/// Servers of a test, which keep no actions.
struct NoServers: BlockStorageServers {
    func note(_ growth: VolumeGrowth, in tx: Transaction) throws {}
}

/// Projects of a test: all exist.
struct AllProjects: BlockStorageIdentity {
    func hasProject(_ id: ID<Kind.Project>) async throws -> Bool { true }
}

package import Blobs
package import CloudCore
package import HostModel
package import NIOCore
package import SQL

/// The parts of other services that Block Storage needs. ControlPlane connects them.
package struct BlockStorageNeeds: Sendable {
    package var hosts: any BlockStorageHosts
    package var images: any BlockStorageImages
    package var identity: any BlockStorageIdentity
    package var logs: any BlockStorageLogs
    package var servers: any BlockStorageServers
    /// The store of the pieces of backups.
    package var chunks: any ChunkStore

    package init(
        hosts: any BlockStorageHosts, images: any BlockStorageImages, identity: any BlockStorageIdentity,
        logs: any BlockStorageLogs, servers: any BlockStorageServers, chunks: any ChunkStore
    ) {
        self.hosts = hosts
        self.images = images
        self.identity = identity
        self.logs = logs
        self.servers = servers
        self.chunks = chunks
    }
}

/// The level of the process's log.
package protocol BlockStorageLogs: Sendable {
    var level: LogWord { get }
    func set(_ level: LogWord)
}

/// A level of a log in the words of the reference.
package enum LogWord: String, Sendable, CaseIterable {
    case debug = "DEBUG"
    case info = "INFO"
    case warning = "WARNING"
    case error = "ERROR"
}

/// The calls of Compute that Block Storage needs.
package protocol BlockStorageServers: Sendable {
    /// Notes among the actions on servers that their volume has grown. A server that does not have the volume is passed
    /// over.
    func note(_ growth: VolumeGrowth, in tx: Transaction) throws
}

/// The calls of Identity that Block Storage needs.
package protocol BlockStorageIdentity: Sendable {
    /// Returns whether the project exists.
    func hasProject(_ id: ID<Kind.Project>) async throws -> Bool
}

/// The calls of Images that Block Storage needs, in the name of the volume's user.
package protocol BlockStorageImages: Sendable {
    /// Returns the facts about an image.
    ///
    /// - Throws: `notFound` for an image that is not there or that the caller may not see.
    func image(_ id: ID<Kind.Image>, for principal: Principal) async throws -> VolumeImageFacts
    /// Returns the ids of the images with a name that the caller sees, at most two.
    func images(named name: String, for principal: Principal) async throws -> [ID<Kind.Image>]
    /// Returns an image as a volume is made from it. The rights of the volume's user were checked before.
    func machineImage(_ id: ID<Kind.Image>) async throws -> MachineImage
    /// Makes an image that waits for its data. One that is there already stays as it is.
    func ensure(_ image: VolumeImage, for principal: Principal) async throws
    /// Fills an image with a copy that a host has made. An image that has its data already stays as it is.
    func fill(
        _ id: ID<Kind.Image>, with copy: DiskSnapshot, on host: String, for principal: Principal
    ) async throws
    /// Deletes an image. Without effect if there is none.
    func delete(_ id: ID<Kind.Image>, for principal: Principal) async throws
}

/// The hosts that have the bytes of volumes. Every change may be repeated, and then changes nothing more.
///
/// A long copy goes on beside the calls: a call that begins one returns what is there, and `observe` says how it goes
/// on. A host that does not answer is a transient error.
package protocol BlockStorageHosts: Sendable {
    /// Returns the pools as their hosts last reported them, in the order of the hosts' names.
    func pools() -> [PoolReport]
    /// Asks the hosts whose reports are old, unless their reports come by themselves.
    func refresh() async
    func ensure(
        _ spec: VolumeSpec, from content: VolumeContent, on host: String, fence: Fence
    ) async throws -> VolumeProgress
    /// Returns how a copy into a volume goes on; nil if there is no volume.
    func observe(_ id: VolumeID, on host: String) async throws -> VolumeProgress?
    /// Returns the size of a volume in bytes, as a guest sees it; nil if there is no volume.
    func bytes(of id: VolumeID, on host: String) async throws -> Int64?
    func remove(_ id: VolumeID, on host: String, fence: Fence) async throws
    func grow(_ id: VolumeID, to bytes: Int64, on host: String, fence: Fence) async throws
    func snapshot(
        _ id: SnapshotID, of volume: VolumeID, on host: String, fence: Fence
    ) async throws -> VolumeProgress
    func observe(_ id: SnapshotID, on host: String) async throws -> VolumeProgress?
    func removeSnapshot(_ id: SnapshotID, on host: String, fence: Fence) async throws
    func revert(
        _ id: VolumeID, to snapshot: SnapshotID, on host: String, fence: Fence
    ) async throws -> VolumeProgress
    /// Makes a flat copy for an image or a backup, or returns how it goes on.
    func export(
        _ source: VolumeSource, as name: String, format: VolumeFormat, on host: String, fence: Fence
    ) async throws -> VolumeExport
    /// Returns the bytes of a copy, in order. Each piece is read when it is requested.
    func bytes(of copy: DiskSnapshot, on host: String) async throws -> AsyncThrowingStream<ByteBuffer, any Error>
    func forgetExport(_ name: String, on host: String, fence: Fence) async throws

    /// Returns the files of a pool that are nobody's.
    func manageable(in pool: String, on host: String) async throws -> [ManageableVolume]
    /// Makes a volume of a file.
    func adopt(_ name: String, as spec: VolumeSpec, on host: String, fence: Fence) async throws -> VolumeProgress
    /// Makes a volume a file that is nobody's.
    ///
    /// - Parameter name: the file's name; nil for one that is made of the id.
    /// - Throws: `notFound` if there is no volume and no such file.
    func release(_ id: VolumeID, as name: String?, on host: String, fence: Fence) async throws
    /// Makes a snapshot of a file.
    func adopt(
        _ name: String, as id: SnapshotID, of volume: VolumeID, on host: String, fence: Fence
    ) async throws -> VolumeProgress
    func release(_ id: SnapshotID, as name: String?, on host: String, fence: Fence) async throws

    /// Brings a volume into another pool of its host. A move to the former pool ends a move that is not done.
    func move(
        _ id: VolumeID, to pool: String, isThin: Bool, on host: String, fence: Fence
    ) async throws -> VolumeProgress
}

/// The report of a host on one of its pools.
package struct PoolReport: Sendable, Hashable {
    package var host: String
    package var pool: VolumePool
    package var isUp: Bool
    package var lastSeen: Timestamp
    package var zone = "nova"

    package init(host: String, pool: VolumePool, isUp: Bool, lastSeen: Timestamp) {
        self.host = host
        self.pool = pool
        self.isUp = isUp
        self.lastSeen = lastSeen
    }

    var name: PoolName { PoolName(host: host, pool: pool.name) }
}

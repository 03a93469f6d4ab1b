import Access
import CloudCore
import Durable
import HostModel
import SQL

/// The migrations of volumes: from a pool of a host to another pool of the same host, while nobody uses the volume.
struct MigrationService: Sendable {
    let volumes: VolumeService
    private var context: BlockStorageContext { volumes.context }

    /// The migration that an administrator asks for.
    struct Wish: Sendable {
        var host: String?
        var cluster: String?
        /// Whether users cannot use the volume meanwhile.
        var locksVolume = false
    }

    func migrate(
        _ id: ID<Kind.Volume>, to target: HostOrCluster, locked: Bool, by caller: Caller
    ) async throws {
        await context.needs.hosts.refresh()
        try await context.write { tx in
            let volume = try volumes.require(id, by: caller, in: tx)
            try caller.require(.migrateVolume, of: volume.projectID)
            let place = try requirePlace(target, in: tx)
            guard [.available, .inUse].contains(volume.status), !volume.isMigrating, volume.groupID == nil,
                volume.place != place.text, try !volumes.snapshots.hasAny(of: id, in: tx)
            else {
                throw VolumeRefusal.volume(
                    "Volume \(id) status must be available or in-use, must not be migrating, have snapshots, be "
                        + "replicated, be part of a group and destination host/cluster must be different than the "
                        + "current one")
            }
            try requireFree(volume)
            guard volume.host == place.host else {
                throw Self.invalidHost(
                    "The bytes of the volume are on another host than '\(place.text)', and cannot leave it")
            }
            try volumes.change(volume, in: tx) { volume, _ in
                volume.migration = Volume.Migration.starting
                if locked { (volume.status, volume.previousStatus) = (.maintenance, volume.status) }
            }
            try context.start(
                MigrateVolume.self, .init(volumeID: id, target: place.text), on: volume.resource, by: caller, in: tx)
        }
    }

    /// Returns the pool that a request names, if volumes may come there now.
    private func requirePlace(_ target: HostOrCluster, in tx: Transaction) throws -> PoolName {
        if case .host(let name) = target, let place = PoolName(name),
            let report = context.needs.hosts.pools().first(where: { $0.name == place }), report.isUp,
            try StorageHostStore().find(place.host, in: tx)?.isDisabled != true
        {
            return place
        }
        throw Self.invalidHost("No available service named '\(target.name)'")
    }

    private static func invalidHost(_ reason: String) -> CloudError { .badRequest("Invalid host: \(reason)") }

    /// Refuses to move a volume that a machine has: it writes to the bytes where they are.
    private func requireFree(_ volume: Volume) throws {
        guard volume.status == .available else {
            throw VolumeRefusal.volume(
                "Volume \(volume.id) is attached, and its bytes can only be moved while nobody uses them.")
        }
    }

    /// Begins to give a volume a type that its pool does not serve: it goes to a pool that does.
    func retype(_ volume: Volume, to type: VolumeType, by caller: Caller, in tx: Transaction) throws {
        try requireFree(volume)
        guard try !volumes.snapshots.hasAny(of: volume.id, in: tx) else {
            throw VolumeRefusal.volume("Volume must not have snapshots.")
        }
        let wish = try MigrateVolume.wish(volume, type: type, target: nil)
        let place = try PoolPicker(hosts: context.needs.hosts).pick(wish, in: tx)
        try volumes.change(volume, in: tx) { volume, _ in
            (volume.status, volume.previousStatus) = (.retyping, volume.status)
            volume.migration = Volume.Migration.starting
        }
        let input = MigrateVolume.Input(volumeID: volume.id, target: place.text, typeID: type.id)
        try context.start(MigrateVolume.self, input, on: volume.resource, by: caller, in: tx)
    }

    // MARK: The ends of what others do

    /// Takes the word of a service that has copied one volume into another. No migration here needs it: the host
    /// copies the bytes, and the workflow ends by itself.
    ///
    /// - Parameter isFailed: whether the copy has failed.
    /// - Returns: the volume that stays.
    func complete(
        _ id: ID<Kind.Volume>, with new: ID<Kind.Volume>, isFailed: Bool, by caller: Caller
    ) async throws -> ID<Kind.Volume> {
        try await context.read { tx in
            let volume = try volumes.require(id, by: caller, in: tx)
            try caller.require(.completeMigration, of: volume.projectID)
            let other = try volumes.require(new, by: caller, in: tx)
            if volume.migration == nil, other.migration == nil {
                // The attachments would go over to the other volume. Compute alone changes those of servers.
                if try isFailed || volumes.attachments.list(of: id, in: tx).isEmpty { return new }
            }
            guard volume.migration != nil else { throw VolumeRefusal.volume("Source volume not mid-migration.") }
            guard let state = other.migration else {
                throw VolumeRefusal.volume("Destination volume not mid-migration.")
            }
            throw VolumeRefusal.volume("Destination has migration_status \(state), expected target:\(id).")
        }
    }

    /// Takes the word of a service that has made a volume larger under a guest. No growth here needs it: the host makes
    /// the volume larger, and the workflow ends by itself.
    func completeExtend(_ id: ID<Kind.Volume>, by caller: Caller) async throws {
        try await context.read { tx -> Void in
            let volume = try volumes.require(id, by: caller, in: tx)
            try caller.require(.completeExtend, of: volume.projectID)
            guard volume.status == .extending else { throw VolumeRefusal.volume("Volume is not being extended.") }
            throw VolumeRefusal.volume("Required volume admin metadata is malformed or missing.")
        }
    }
}

import Access
import CloudCore
import Durable
import HostModel
import SQL

/// The files in pools that are nobody's: lists of them, taking them as volumes and snapshots, and giving these away.
struct ManagingService: Sendable {
    let snapshots: SnapshotService
    private var volumes: VolumeService { snapshots.volumes }
    private var context: BlockStorageContext { snapshots.context }

    // MARK: Pools

    /// Returns the pool that a request names.
    ///
    /// - Throws: `notFound` if there is none; `badRequest` if it takes nothing now.
    private func requirePool(_ named: HostOrCluster, by caller: Caller) async throws -> PoolReport {
        await context.needs.hosts.refresh()
        guard case .host(let name) = named, let place = PoolName(name),
            let report = context.needs.hosts.pools().first(where: { $0.name == place })
        else {
            throw CloudError.notFound(
                "Service \(StorageHostService.volumeBinary) could not be found on host \(named.name).")
        }
        let decision = try await context.read { tx in try StorageHostStore().find(place.host, in: tx) }
        try Self.requireOpen(report, decision)
        return report
    }

    private static func requireOpen(_ report: PoolReport, _ decision: StorageHost?) throws {
        guard report.isUp, decision?.isDisabled != true else {
            throw CloudError.badRequest("Service is unavailable at this time.")
        }
    }

    // MARK: Lists

    /// The kinds of things that a file can become.
    enum Future: Sendable { case volumes, snapshots }

    /// Returns the files of a pool that could become volumes, or snapshots.
    func list(_ kind: Future, in named: HostOrCluster, by caller: Caller) async throws -> [ManageableVolume] {
        try caller.require(kind == .volumes ? .listManageable : .listManageableSnapshots)
        let report = try await requirePool(named, by: caller)
        guard report.pool.abilities.contains(.manage) else { return [] }
        let files = try await context.needs.hosts.manageable(in: report.pool.name, on: report.host)
        return files.filter { $0.isSnapshot == (kind == .snapshots) }
    }

    // MARK: Volumes

    /// The volume that a user wants to be made of a file.
    struct Wish: Sendable {
        var host: String?
        var cluster: String?
        var reference = JSON.null
        var name: String?
        var description: String?
        /// The id or the name of the type.
        var type: String?
        var zone: String?
        var metadata = JSONObject()
        var isBootable = false
    }

    func manage(_ wish: Wish, in named: HostOrCluster, by caller: Caller) async throws -> VolumeView {
        try caller.require(.manageVolume)
        let file = try Self.file(wish.reference)
        let report: PoolReport
        do { report = try await requirePool(named, by: caller) } catch let error as CloudError {
            guard error.kind == .notFound else { throw error }
            throw CloudError.badRequest("\(named.word) '\(named.name)' not found")
        }
        let id = ID<Kind.Volume>(context.world.random.uuid())
        return try await context.write { tx in
            try requireUnmanaged(file, in: tx)
            let type = try type(wish.type, by: caller, in: tx)
            try QuotaCheck().require(.init(volumes: 1, type: type), of: caller.projectID, in: tx)
            var volume = Volume(
                id: id, projectID: caller.projectID, userID: caller.userID, size: 0, typeID: type.id,
                createdAt: context.world.now)
            (volume.name, volume.description) = (wish.name?.trimmed, wish.description?.trimmed)
            (volume.host, volume.pool, volume.zone) = (report.host, report.pool.name, wish.zone ?? report.zone)
            (volume.metadata, volume.isBootable) = (wish.metadata, wish.isBootable)
            (volume.status, volume.isMultiattach) = (.managing, type.isMultiattach)
            try volumes.volumes.insert(volume, in: tx)
            let input = ManageVolume.Input(
                volumeID: id, file: file, host: report.host, pool: report.pool.name)
            try context.start(ManageVolume.self, input, on: volume.resource, by: caller, in: tx)
            return VolumeView(volume: volume, typeName: type.name)
        }
    }

    /// Returns the file that a reference names.
    private static func file(_ reference: JSON) throws -> String {
        guard let name = reference["source-name"]?.string, !name.isEmpty else {
            throw VolumeRefusal.input("Reference must contain source-name element.")
        }
        guard ManageableVolume.format(of: name) != nil else {
            throw VolumeRefusal.input("No file of a pool can be called '\(name.prefix(255))'.")
        }
        return name
    }

    /// Refuses the name of a file that is a volume.
    private func requireUnmanaged(_ file: String, in tx: Transaction) throws {
        guard let format = ManageableVolume.format(of: file) else { return }
        let id = ID<Kind.Volume>(String(file.dropLast(format.rawValue.count + 1)))
        guard id.isUUID, try volumes.volumes.find(id, in: tx) != nil else { return }
        throw VolumeRefusal.volume("Unable to manage existing volume. The volume is already managed")
    }

    private func type(_ text: String?, by caller: Caller, in tx: Transaction) throws -> VolumeType {
        guard let text, !text.isEmpty else { return try volumes.typeRules.usual(for: caller.projectID, in: tx) }
        do { return try volumes.typeRules.require(text, by: caller, in: tx) } catch let error as CloudError {
            guard error.kind == .notFound else { throw error }
            throw VolumeRefusal.type("Cannot find requested '\(text)' volume type")
        }
    }

    /// Gives a volume up: its bytes become a file that is nobody's.
    func unmanage(_ id: ID<Kind.Volume>, by caller: Caller) async throws {
        try await context.write { tx in
            let volume = try volumes.require(id, by: caller, in: tx)
            try caller.require(.unmanageVolume, of: volume.projectID)
            try caller.require(.deleteVolume, of: volume.projectID)
            try volumes.requireDeletable(volume, cascade: false, isForced: false, by: caller, in: tx)
            try volumes.change(volume, in: tx) { volume, _ in volume.status = .unmanaging }
            try context.start(UnmanageVolume.self, .init(volumeID: id), on: volume.resource, by: caller, in: tx)
        }
    }

    // MARK: Snapshots

    /// The snapshot that a user wants to be made of a file.
    struct SnapshotWish: Sendable {
        var volumeID = ""
        var reference = JSON.null
        var name: String?
        var description: String?
        var metadata = JSONObject()
    }

    func manage(_ wish: SnapshotWish, by caller: Caller) async throws -> VolumeSnapshot {
        await context.needs.hosts.refresh()
        let id = ID<Kind.Snapshot>(context.world.random.uuid())
        return try await context.write { tx in
            let volume = try volumes.require(ID(wish.volumeID), by: caller, in: tx)
            try caller.require(.manageSnapshot, of: volume.projectID)
            let file = try Self.file(wish.reference)
            let report = context.needs.hosts.pools().first { $0.name.text == volume.place }
            if let report { try Self.requireOpen(report, try StorageHostStore().find(report.host, in: tx)) }
            var new = try snapshots.make(id, of: volume, takesUsed: true, by: caller, in: tx)
            (new.name, new.description, new.metadata) = (wish.name?.trimmed, wish.description, wish.metadata)
            try volumes.snapshots.insert(new, in: tx)
            try context.start(
                ManageSnapshot.self, .init(snapshotID: id, volumeID: volume.id, file: file), on: volume.resource,
                by: caller, whenBusy: .wait(most: Limits.thing.waitingSnapshots.most), in: tx)
            return new
        }
    }

    /// Gives a snapshot up: its bytes become a file that is nobody's.
    func unmanage(_ id: ID<Kind.Snapshot>, by caller: Caller) async throws {
        try await context.write { tx in
            let old = try SnapshotRules().require(id, by: caller, in: tx)
            try caller.require(.unmanageSnapshot, of: old.projectID)
            try caller.require(.deleteSnapshot, of: old.projectID)
            try snapshots.requireDeletable(old, isForced: false)
            var new = old
            (new.status, new.updatedAt) = (.unmanaging, context.world.now)
            try volumes.snapshots.update(old, to: new, in: tx)
            try context.start(
                UnmanageSnapshot.self, .init(snapshotID: id, volumeID: old.volumeID),
                on: Volume.resource(old.volumeID), by: caller,
                whenBusy: .wait(most: Limits.thing.waitingSnapshots.most), in: tx)
        }
    }
}

import Access
import CloudCore
import Durable
import SQL

/// The snapshots: taking, finding, changing and deleting them.
struct SnapshotService: Sendable {
    let volumes: VolumeService
    private let snapshots = SnapshotStore()
    private let rules = SnapshotRules()
    var context: BlockStorageContext { volumes.context }

    // MARK: Finding

    func get(_ id: ID<Kind.Snapshot>, by caller: Caller) async throws -> VolumeSnapshot {
        try await context.read { tx in try rules.require(id, by: caller, in: tx) }
    }

    /// The first minor version whose lists can be searched by metadata.
    private static let metadataSince = 22

    func list(
        _ query: ListRequest, by caller: Caller
    ) async throws -> (snapshots: [VolumeSnapshot], count: Int?) {
        try caller.require(.listSnapshots)
        var filters = try ListFilters(
            query.filters, of: "snapshot", older: ["status", "volume_id", "name", "metadata"], by: caller)
        if caller.minor < ListFilters.strictSince {
            if caller.minor < Self.metadataSince { filters.drop(["metadata"]) }
            filters.drop(["consumes_quota", "use_quota"])
        }
        var filter = SnapshotStore.Filter(projectID: try filters.takeProject())
        for name in ["consumes_quota", "use_quota"] {
            // Every snapshot counts.
            if try filters.takeOptionalTruth(name) == false { filter.isEmpty = true }
        }
        if let text = filters.take("metadata") {
            if let pairs = PythonDictionary.pairs(text) { filter.metadata = pairs } else { filter.isEmpty = true }
        }
        filter.zone = filters.take("availability_zone")
        let columns = try filters.columns(ListColumn.snapshots)
        (filter.equal, filter.contain) = (columns.equal, columns.contain)
        filter.isEmpty = filter.isEmpty || columns.isEmpty
        let page = try RowPage(query.page, by: query.sort, ListColumn.snapshots)
        return try await context.read { [filter] tx in
            let found = try snapshots.page(filter, page, in: tx)
            return (found, try query.hasCount ? snapshots.count(filter, in: tx) : nil)
        }
    }

    // MARK: Taking

    /// The snapshot that a user asks for.
    struct Wish: Sendable {
        var volumeID: String?
        var name: String?
        var displayName: String?
        var description: String?
        var metadata = JSONObject()
        var isForced: Bool?
    }

    /// The first minor version that takes snapshots of volumes in use without force.
    private static let inUseSince = 66

    func create(_ wish: Wish, by caller: Caller) async throws -> VolumeSnapshot {
        if caller.minor >= Self.inUseSince, wish.isForced == false {
            throw CloudError.badRequest(
                "Since microversion 3.66 the 'force' flag is invalid for this request.  For backward compatability, "
                    + "however, when the 'force' flag is passed with a value evaluating to True, it is silently "
                    + "ignored."
            )
        }
        let takesUsed = caller.minor >= Self.inUseSince || wish.isForced == true
        return try await context.write { tx in
            let volume = try volumes.require(ID(wish.volumeID ?? ""), by: caller, in: tx)
            try caller.require(.createSnapshot, of: volume.projectID)
            let id = ID<Kind.Snapshot>(context.world.random.uuid())
            return try begin(id, of: volume, takesUsed: takesUsed, by: caller, in: tx) { new in
                (new.name, new.description) = (wish.name ?? wish.displayName, wish.description)
                new.metadata = wish.metadata
            }
        }
    }

    /// Writes the row of a new snapshot, and starts its workflow.
    ///
    /// - Parameters:
    ///   - takesUsed: whether a volume in use is taken, too.
    ///   - describe: sets the snapshot's name and what else the user says of it.
    func begin(
        _ id: ID<Kind.Snapshot>, of volume: Volume, takesUsed: Bool, by caller: Caller, in tx: Transaction,
        _ describe: (inout VolumeSnapshot) -> Void
    ) throws -> VolumeSnapshot {
        var new = try make(id, of: volume, takesUsed: takesUsed, by: caller, in: tx)
        describe(&new)
        try snapshots.insert(new, in: tx)
        try context.start(
            CreateSnapshot.self, .init(snapshotID: id, volumeID: volume.id), on: volume.resource, by: caller,
            whenBusy: .wait(most: Limits.thing.waitingSnapshots.most), in: tx)
        return new
    }

    /// Checks that a snapshot can be taken of a volume, and returns its row.
    func make(
        _ id: ID<Kind.Snapshot>, of volume: Volume, takesUsed: Bool, by caller: Caller, in tx: Transaction
    ) throws -> VolumeSnapshot {
        try volumes.requireThawed(volume, in: tx)
        guard volume.host != nil else {
            throw VolumeRefusal.volume(
                "The snapshot cannot be created because volume has not been scheduled to any host.")
        }
        if volume.status == .maintenance {
            throw VolumeRefusal.volume("The snapshot cannot be created when the volume is in maintenance mode.")
        }
        if volume.isMigrating {
            throw VolumeRefusal.volume("Snapshot cannot be created while volume is migrating.")
        }
        if volume.status == .error {
            throw VolumeRefusal.volume("The snapshot cannot be created when the volume is in error status.")
        }
        let valid: [VolumeStatus] = takesUsed ? [.available, .inUse] : [.available]
        guard valid.contains(volume.status) else {
            throw VolumeRefusal.volume(
                "Volume \(volume.id) status must be \(valid.map(\.rawValue).joined(separator: ", ")), but current "
                    + "status is: \(volume.status.rawValue).")
        }
        var addition = QuotaCheck.Addition(
            snapshots: 1, gigabytes: volume.size, type: try volumes.types.find(volume.typeID, in: tx))
        (addition.requested, addition.thing) = (volume.size, .snapshots)
        try QuotaCheck().require(addition, of: caller.projectID, in: tx)
        return VolumeSnapshot(
            id: id, of: volume, projectID: caller.projectID, userID: caller.userID,
            createdAt: context.world.now)
    }

    // MARK: Changing

    /// Changes a snapshot's row.
    ///
    /// - Parameter action: the rule that is asked about the snapshot's project.
    func change(
        _ id: ID<Kind.Snapshot>, _ action: Action, by caller: Caller,
        _ body: @escaping @Sendable (inout VolumeSnapshot) throws -> Void
    ) async throws -> VolumeSnapshot {
        try await context.write { tx in
            let old = try rules.require(id, by: caller, in: tx)
            try caller.require(action, of: old.projectID)
            var new = old
            try body(&new)
            new.updatedAt = context.world.now
            try snapshots.update(old, to: new, in: tx)
            return new
        }
    }

    func metadata(of id: ID<Kind.Snapshot>, by caller: Caller) async throws -> JSONObject {
        try await context.read { tx in
            let snapshot = try rules.require(id, by: caller, in: tx)
            try caller.require(.getSnapshotMetadata, of: snapshot.projectID)
            return snapshot.metadata
        }
    }

    func setMetadata(
        _ given: JSONObject, of id: ID<Kind.Snapshot>, isWhole: Bool, by caller: Caller
    ) async throws -> JSONObject {
        try await change(id, .updateSnapshotMetadata, by: caller) { snapshot in
            snapshot.metadata = isWhole ? given : VolumeMetadata.merged(snapshot.metadata, given)
        }.metadata
    }

    func removeMetadata(_ key: String, of id: ID<Kind.Snapshot>, by caller: Caller) async throws {
        _ = try await change(id, .deleteSnapshotMetadata, by: caller) { snapshot in
            guard snapshot.metadata[key] != nil else { throw Self.missing(key, id) }
            snapshot.metadata[key] = nil
        }
    }

    static func missing(_ key: String, _ id: ID<Kind.Snapshot>) -> CloudError {
        .notFound("Snapshot \(id) has no metadata with key \(key).")
    }

    // MARK: Deleting

    /// Deletes a snapshot: it is `deleting` until its bytes are gone.
    ///
    /// - Parameter isForced: whether it goes in any state.
    func delete(_ id: ID<Kind.Snapshot>, isForced: Bool, by caller: Caller) async throws {
        try await context.write { tx in
            let old = try rules.require(id, by: caller, in: tx)
            if isForced { try caller.require(.forceDeleteSnapshot, of: old.projectID) }
            try caller.require(.deleteSnapshot, of: old.projectID)
            let volume = try volumes.volumes.find(old.volumeID, in: tx)
            if let volume { try volumes.requireThawed(volume, in: tx) }
            try requireDeletable(old, isForced: isForced)
            try beginDelete(old, by: caller, in: tx)
        }
    }

    func requireDeletable(_ snapshot: VolumeSnapshot, isForced: Bool) throws {
        let isReady = isForced || SnapshotStatus.deletable.contains(snapshot.status)
        guard isReady, snapshot.groupSnapshotID == nil else {
            let status = isForced ? "" : "status must be available or error and"
            throw VolumeRefusal.snapshot("Snapshot \(status) must not be part of a group.")
        }
    }

    /// Marks a snapshot as `deleting`, and starts the workflow that removes it.
    func beginDelete(_ old: VolumeSnapshot, by caller: Caller, in tx: Transaction) throws {
        var new = old
        (new.status, new.updatedAt) = (.deleting, context.world.now)
        try snapshots.update(old, to: new, in: tx)
        try context.start(
            DeleteSnapshot.self, .init(snapshotID: old.id, volumeID: old.volumeID), on: Volume.resource(old.volumeID),
            by: caller, whenBusy: .wait(most: Limits.thing.waitingSnapshots.most), in: tx)
    }
}

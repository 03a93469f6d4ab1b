import Access
import CloudCore
import SQL

/// The transfers of volumes from one project to another: whoever has the key of a transfer gets the volume.
struct TransferService: Sendable {
    let volumes: VolumeService
    private let transfers = TransferStore()
    private var context: BlockStorageContext { volumes.context }

    // MARK: Finding

    func get(_ id: ID<VolumeTransfer>, by caller: Caller) async throws -> VolumeTransfer {
        try caller.require(.getTransfer)
        return try await context.read { tx in try transfers.require(id, by: caller, in: tx) }
    }

    func list(_ query: ListRequest, by caller: Caller) async throws -> [VolumeTransfer] {
        try caller.require(.listTransfers)
        var filters = ListFilters(query.filters, by: caller)
        var filter = ProjectFilter(projectID: try filters.takeProject())
        filter.columns = try filters.columns(ListColumn.transfers)
        let page = try RowPage(query.page, by: query.sort, ListColumn.transfers)
        return try await context.read { [filter] tx in try transfers.page(filter, page, in: tx) }
    }

    // MARK: Offering

    /// The transfer that a user asks for.
    struct Wish: Sendable {
        var volumeID = ""
        var name: String?
        var leavesSnapshots = false
    }

    /// Offers a volume.
    ///
    /// - Returns: the transfer, and the key that nobody can read again.
    func create(_ wish: Wish, by caller: Caller) async throws -> (transfer: VolumeTransfer, key: String) {
        let id = ID<VolumeTransfer>(context.world.random.uuid())
        let key = TransferKey(context.world.random)
        let transfer = try await context.write { tx in
            let volume = try volumes.require(ID(wish.volumeID), by: caller, in: tx)
            try caller.require(.createTransfer, of: volume.projectID)
            guard volume.status == .available else { throw VolumeRefusal.volume("status must be available") }
            let snapshots = try wish.leavesSnapshots ? [] : volumes.snapshots.list(of: volume.id, in: tx)
            if let busy = snapshots.first(where: { $0.status != .available }) {
                throw VolumeRefusal.snapshot("snapshot: \(busy.id) status must be available")
            }
            let transfer = VolumeTransfer(
                id: id, volumeID: volume.id, projectID: volume.projectID, name: wish.name,
                leavesSnapshots: wish.leavesSnapshots, lock: key.lock, createdAt: context.world.now)
            try volumes.change(volume, in: tx) { volume, _ in volume.status = .awaitingTransfer }
            try transfers.insert(transfer, in: tx)
            return transfer
        }
        return (transfer, key.text)
    }

    /// Takes an offer back.
    func delete(_ id: ID<VolumeTransfer>, by caller: Caller) async throws {
        try await context.write { tx in
            let transfer = try transfers.require(id, by: caller, in: tx)
            let volume = try volumes.require(transfer.volumeID, by: caller, in: tx)
            try caller.require(.deleteTransfer, of: volume.projectID)
            if volume.status == .awaitingTransfer {
                try volumes.change(volume, in: tx) { volume, _ in volume.status = .available }
            }
            try transfers.delete(id, in: tx)
        }
    }

    // MARK: Accepting

    /// Gives a volume, and its snapshots unless they stay, to the caller's project. The usage of both projects changes
    /// in the same transaction.
    ///
    /// - Throws: `badRequest` for a wrong key; `tooLarge` if the project's quota has no room.
    func accept(_ id: ID<VolumeTransfer>, key: String, by caller: Caller) async throws -> VolumeTransfer {
        try caller.require(.acceptTransfer)
        return try await context.write { tx in
            let transfer = try transfers.require(id, in: tx)
            guard transfer.lock.isOpened(by: key) else {
                throw CloudError.badRequest(
                    "Invalid auth key: Attempt to transfer \(id) with invalid auth key.")
            }
            let volume = try volumes.volumes.require(transfer.volumeID, in: tx)
            guard volume.groupID == nil else {
                throw VolumeRefusal.volume("Volume \(volume.id) must not be part of a consistency group.")
            }
            let type = try volumes.types.find(volume.typeID, in: tx)
            try move(volume, of: transfer, type, to: caller, in: tx)
            if !transfer.leavesSnapshots {
                for snapshot in try volumes.snapshots.list(of: volume.id, in: tx) {
                    try move(snapshot, of: transfer, type, to: caller, in: tx)
                }
            }
            // An older offer of the same volume must not give it away again.
            try transfers.delete(of: volume.id, in: tx)
            return transfer
        }
    }

    private func move(
        _ volume: Volume, of transfer: VolumeTransfer, _ type: VolumeType?, to caller: Caller, in tx: Transaction
    ) throws {
        var addition = QuotaCheck.Addition(volumes: 1, gigabytes: volume.claimedSize, type: type)
        addition.requested = volume.size
        try QuotaCheck().require(addition, of: caller.projectID, in: tx)
        if volume.status == .maintenance {
            throw VolumeRefusal.volume("The volume cannot accept transfer in maintenance mode.")
        }
        guard volume.status == .awaitingTransfer else {
            throw VolumeRefusal.volume(
                "Transfer \(transfer.id): Volume id \(volume.id) expected in awaiting-transfer state.")
        }
        try volumes.change(volume, in: tx) { volume, _ in
            (volume.projectID, volume.userID, volume.status) = (caller.projectID, caller.userID, .available)
        }
    }

    private func move(
        _ old: VolumeSnapshot, of transfer: VolumeTransfer, _ type: VolumeType?, to caller: Caller, in tx: Transaction
    ) throws {
        var addition = QuotaCheck.Addition(snapshots: 1, gigabytes: old.size, type: type)
        (addition.requested, addition.thing) = (old.size, .snapshots)
        try QuotaCheck().require(addition, of: caller.projectID, in: tx)
        guard old.status == .available else {
            throw VolumeRefusal.snapshot(
                "Transfer \(transfer.id): Snapshot \(old.id) is not in the expected available state.")
        }
        var new = old
        (new.projectID, new.userID, new.updatedAt) = (caller.projectID, caller.userID, context.world.now)
        try volumes.snapshots.update(old, to: new, in: tx)
    }
}

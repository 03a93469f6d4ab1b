import Access
import CloudCore
import Durable
import SQL

/// The actions on a volume that are no attaching: growing, another type, flags and states.
struct VolumeActionService: Sendable {
    let volumes: VolumeService
    private var context: BlockStorageContext { volumes.context }

    // MARK: Growing

    /// The first minor version that grows volumes in use.
    private static let inUseSince = 42

    func extend(_ id: ID<Kind.Volume>, to size: Int, by caller: Caller) async throws {
        try await context.write { tx in
            let volume = try volumes.require(id, by: caller, in: tx)
            let isUsed = volume.status == .inUse && caller.minor >= Self.inUseSince
            try caller.require(isUsed ? .extendAttached : .extendVolume, of: volume.projectID)
            guard size > volume.size else {
                throw VolumeRefusal.input(
                    "New size for extend must be greater than current size. (current: \(volume.size), extended: "
                        + "\(size))."
                )
            }
            let type = try volumes.types.find(volume.typeID, in: tx)
            if let type { try TypeSizes.check(size, of: type) }
            let expected: VolumeStatus = isUsed ? .inUse : .available
            guard volume.status == expected else {
                throw VolumeRefusal.volume(
                    "Volume \(volume.id) status must be '{'status': '\(expected.rawValue)'}' to extend, currently "
                        + "\(volume.status.rawValue).")
            }
            var addition = QuotaCheck.Addition(gigabytes: size - volume.size, type: type)
            addition.requested = size - volume.size
            try QuotaCheck().require(addition, of: volume.projectID, in: tx)
            try volumes.requireThawed(volume, in: tx)
            try volumes.change(volume, in: tx) { volume, _ in
                (volume.status, volume.previousStatus) = (.extending, volume.status)
                volume.claimedSize = size
            }
            try context.start(
                ExtendVolume.self, .init(volumeID: id, size: size), on: volume.resource, by: caller,
                whenBusy: .wait(most: Limits.thing.waitingSnapshots.most), in: tx)
        }
    }

    // MARK: Another type

    /// Gives a volume another type.
    ///
    /// - Parameter mayMove: whether the volume goes to another pool if its own does not serve the new type.
    func retype(_ id: ID<Kind.Volume>, to text: String, mayMove: Bool, by caller: Caller) async throws {
        try await context.write { tx in
            let old = try volumes.require(id, by: caller, in: tx)
            try caller.require(.retypeVolume, of: old.projectID)
            let type = try volumes.typeRules.require(text, by: caller, in: tx)
            try TypeSizes.check(old.size, of: type)
            if old.isMultiattach != type.isMultiattach {
                guard old.status == .available else {
                    throw VolumeRefusal.input(
                        "Invalid volume_type passed, retypes affecting multiattach are only allowed on available "
                            + "volumes, the specified volume however currently has a status of: \(old.status.rawValue)."
                    )
                }
                if type.isMultiattach { try caller.require(.createMultiattach, of: old.projectID) }
            }
            let isReady = [.available, .inUse].contains(old.status) && !old.isMigrating && old.groupID == nil
            guard isReady, type.id != old.typeID else {
                throw VolumeRefusal.volume(
                    "Retype needs volume to be in available or in-use state, not be part of an active migration or a "
                        + "consistency group, requested type has to be different that the one from the volume, and for "
                        + "in-use volumes front-end qos specs cannot change.")
            }
            var addition = QuotaCheck.Addition(volumes: 1, gigabytes: old.claimedSize, type: type, isOfTypeOnly: true)
            addition.requested = old.claimedSize
            try QuotaCheck().require(addition, of: old.projectID, in: tx)
            if let host = old.host, let pool = old.pool {
                var wish = PoolWish(size: old.size, type: type)
                (wish.isCounted, wish.zones) = (true, type.zones)
                let place = PoolName(host: host, pool: pool)
                do { try PoolPicker(hosts: context.needs.hosts).require(place, for: wish, in: tx) } catch {
                    guard mayMove else { throw error }
                    return try MigrationService(volumes: volumes).retype(old, to: type, by: caller, in: tx)
                }
            }
            try volumes.change(old, in: tx) { volume, _ in
                (volume.typeID, volume.isMultiattach) = (type.id, type.isMultiattach)
            }
        }
    }

    // MARK: Flags

    func setReadOnly(_ isReadOnly: Bool, _ id: ID<Kind.Volume>, by caller: Caller) async throws {
        _ = try await volumes.change(id, .setReadOnly, by: caller) { volume, _ in
            guard volume.status == .available else {
                throw VolumeRefusal.volume(
                    "Volume \(volume.id) status must be available to update readonly flag, but current status is: "
                        + "\(volume.status.rawValue).")
            }
            volume.isReadOnly = isReadOnly
        }
    }

    func setBootable(_ isBootable: Bool, _ id: ID<Kind.Volume>, by caller: Caller) async throws {
        _ = try await volumes.change(id, .updateVolume, by: caller) { volume, _ in volume.isBootable = isBootable }
    }

    // MARK: States

    /// The states that an administrator sets. They are words of the API.
    struct Reset: Sendable {
        var status: String?
        var attachStatus: String?
        var migration: String?
    }

    /// Sets the states of a volume. A volume that a server uses keeps its attachment: no reset skips the host.
    func reset(_ id: ID<Kind.Volume>, _ reset: Reset, by caller: Caller) async throws {
        let (status, attachStatus) = (try Self.status(reset.status), try Self.attachStatus(reset.attachStatus))
        if let status, [.deleting, .errorDeleting, .detaching].contains(status) {
            throw CloudError.badRequest("Cannot reset-state to \(status.rawValue)")
        }
        _ = try await volumes.change(id, .resetVolume, by: caller) { volume, tx in
            let attachments = try volumes.attachments.list(of: volume.id, in: tx)
            if status == .inUse, attachments.isEmpty {
                throw CloudError.badRequest(
                    "Cannot reset-state to in-use because volume does not have any attachments.")
            }
            let rules = AttachmentRules(world: context.world)
            if status == .available || attachStatus == .detached {
                for attachment in attachments { try rules.requireEndable(attachment) }
            }
            if let status { volume.status = status }
            if let attachStatus { volume.attachStatus = attachStatus }
            if let migration = reset.migration?.lowercased() {
                volume.migration = migration == "none" ? nil : migration
            }
            guard attachStatus == .detached else { return }
            for attachment in attachments { try volumes.attachments.delete(attachment.id, in: tx) }
        }
    }

    private static func status(_ text: String?) throws -> VolumeStatus? {
        guard let text, !text.isEmpty else { return nil }
        let status = VolumeStatus(rawValue: text.lowercased())
        guard let status, VolumeStatus.resettable.contains(status) else {
            throw invalid("Volume status", text, VolumeStatus.resettable.map(\.rawValue))
        }
        return status
    }

    private static func attachStatus(_ text: String?) throws -> AttachStatus? {
        guard let text, !text.isEmpty else { return nil }
        let status = AttachStatus(rawValue: text.lowercased())
        guard let status, [.attached, .detached].contains(status) else {
            throw invalid("Volume attach status", text, ["attached", "detached"])
        }
        return status
    }

    private static func invalid(_ what: String, _ text: String, _ valid: [String]) -> CloudError {
        let words = valid.map { "'\($0)'" }.joined(separator: ", ")
        return .badRequest("\(what): \(text.prefix(255)) is invalid, valid statuses are: (\(words)).")
    }

    // MARK: Back to a snapshot

    func revert(_ id: ID<Kind.Volume>, to snapshotID: String?, by caller: Caller) async throws {
        try await context.write { tx in
            let volume = try volumes.require(id, by: caller, in: tx)
            guard let latest = try volumes.snapshots.list(of: id, in: tx).last else {
                throw CloudError.badRequest("Volume \(id) doesn't have any snapshots.")
            }
            guard snapshotID == latest.id.text else {
                throw CloudError.badRequest(
                    "Specified snapshot \(snapshotID ?? "None") is None or not the latest one of volume \(id).")
            }
            guard volume.size == latest.size else {
                throw CloudError.badRequest(
                    "Can't revert volume \(id) to its latest snapshot \(latest.id). The volume size must be equal to "
                        + "the snapshot size.")
            }
            try caller.require(.revertVolume, of: volume.projectID)
            let words = "Can't revert volume \(id) to its latest snapshot \(latest.id)."
            guard volume.status == .available else {
                throw CloudError.conflict("Invalid volume: \(words) Volume's status must be 'available'.")
            }
            guard latest.status == .available else {
                throw CloudError.conflict("Invalid snapshot: \(words) Snapshot's status must be 'available'.")
            }
            try volumes.change(volume, in: tx) { volume, _ in
                (volume.status, volume.previousStatus) = (.reverting, volume.status)
            }
            var restoring = latest
            (restoring.status, restoring.updatedAt) = (.restoring, context.world.now)
            try volumes.snapshots.update(latest, to: restoring, in: tx)
            try context.start(
                RevertVolume.self, .init(volumeID: id, snapshotID: latest.id), on: volume.resource, by: caller, in: tx)
        }
    }
}

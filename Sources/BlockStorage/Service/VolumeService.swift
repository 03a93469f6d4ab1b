import Access
import CloudCore
import Durable
import SQL

/// The volumes: finding, changing and deleting them.
struct VolumeService: Sendable {
    let context: BlockStorageContext
    let volumes = VolumeStore()
    let snapshots = SnapshotStore()
    let attachments = AttachmentStore()
    let types = VolumeTypeStore()
    let typeRules = TypeRules()

    // MARK: Finding

    /// Returns a volume of which the caller may know.
    ///
    /// - Throws: `notFound` if there is none, or if the caller may not see it.
    func require(_ id: ID<Kind.Volume>, by caller: Caller, in tx: Transaction) throws -> Volume {
        let volume = try volumes.require(id, by: caller, in: tx)
        guard caller.may(.getVolume, of: volume.projectID) else { throw Volume.missing(id) }
        return volume
    }

    func get(_ id: ID<Kind.Volume>, by caller: Caller) async throws -> VolumeView {
        try await context.read { tx in try views([try require(id, by: caller, in: tx)], in: tx)[0] }
    }

    /// Returns volumes with what their answers show besides.
    func views(_ found: [Volume], in tx: Transaction) throws -> [VolumeView] {
        let names = Dictionary(
            try types.find(Set(found.map(\.typeID)).sorted(), in: tx).map { ($0.id, $0.name) }
        ) { first, _ in first }
        let attached = try attachments.list(of: found.filter { $0.attachStatus != .detached }.map(\.id), in: tx)
        let old = try GroupStore().consistencyGroups(among: found.compactMap(\.groupID), in: tx)
        let copying: [VolumeStatus] = [.creating, .downloading, .uploading, .restoringBackup]
        let busy = found.filter { copying.contains($0.status) || $0.isMigrating }
        let lines = try busy.isEmpty ? [:] : context.workflows.lines(on: busy.map(\.resource), in: tx)
        return found.map { volume in
            VolumeView(
                volume: volume, typeName: names[volume.typeID] ?? volume.typeID.text,
                attachments: (attached[volume.id] ?? []).filter { $0.status == .attached },
                isInConsistencyGroup: volume.groupID.map(old.contains) ?? false,
                progress: lines[volume.resource]?.active.progress)
        }
    }

    // MARK: Changing

    /// Changes a volume's row.
    ///
    /// - Parameter action: the rule that is asked about the volume's project.
    /// - Returns: the new form.
    func change(
        _ id: ID<Kind.Volume>, _ action: Action, by caller: Caller,
        _ body: @escaping @Sendable (inout Volume, Transaction) throws -> Void
    ) async throws -> Volume {
        try await context.write { tx in
            let old = try require(id, by: caller, in: tx)
            try caller.require(action, of: old.projectID)
            return try change(old, in: tx, body)
        }
    }

    /// Writes a changed form of a volume.
    @discardableResult
    func change(
        _ old: Volume, in tx: Transaction, _ body: (inout Volume, Transaction) throws -> Void
    ) throws -> Volume {
        var new = old
        try body(&new, tx)
        new.updatedAt = context.world.now
        try volumes.update(old, to: new, in: tx)
        return new
    }

    /// The values that a user gives with a change.
    struct Change: Sendable {
        var name = Update<String>.keep
        var description = Update<String>.keep
        /// The metadata that replaces the present one; nil to keep it.
        var metadata: JSONObject?
    }

    func update(_ id: ID<Kind.Volume>, _ change: Change, by caller: Caller) async throws -> VolumeView {
        try await context.write { tx in
            let old = try require(id, by: caller, in: tx)
            try caller.require(.updateVolume, of: old.projectID)
            guard old.status != .maintenance else {
                throw VolumeRefusal.volume("The volume cannot be updated during maintenance.")
            }
            let new = try self.change(old, in: tx) { volume, _ in
                change.name.apply(to: &volume.name)
                change.description.apply(to: &volume.description)
                if let metadata = change.metadata { volume.metadata = metadata }
            }
            return try views([new], in: tx)[0]
        }
    }

    // MARK: Deleting

    /// Deletes a volume: it is `deleting` until its bytes are gone.
    ///
    /// - Parameters:
    ///   - cascade: whether its snapshots go with it.
    ///   - force: whether it goes in any state.
    ///   - rule: the rule of a forced delete; nil for a usual one.
    func delete(
        _ id: ID<Kind.Volume>, cascade: Bool, force rule: Action?, by caller: Caller
    ) async throws {
        try await context.write { tx in
            let volume = try require(id, by: caller, in: tx)
            if let rule { try caller.require(rule, of: volume.projectID) }
            try caller.require(.deleteVolume, of: volume.projectID)
            try delete(volume, cascade: cascade, isForced: rule != nil, by: caller, in: tx)
        }
    }

    func delete(
        _ volume: Volume, cascade: Bool, isForced: Bool, by caller: Caller, in tx: Transaction
    ) throws {
        try requireThawed(volume, in: tx)
        try requireDeletable(volume, cascade: cascade, isForced: isForced, by: caller, in: tx)
        try beginDelete(volume, by: caller, in: tx)
    }

    /// Refuses to delete a volume that something needs.
    func requireDeletable(
        _ volume: Volume, cascade: Bool, isForced: Bool, by caller: Caller, in tx: Transaction
    ) throws {
        let parts = try snapshots.list(of: volume.id, in: tx)
        var isAllowed = volume.attachStatus != .attached && !volume.isMigrating && volume.groupID == nil
        if !isForced { isAllowed = isAllowed && VolumeStatus.deletable.contains(volume.status) }
        if cascade {
            isAllowed = isAllowed && parts.allSatisfy { $0.groupSnapshotID == nil }
            if !isForced {
                isAllowed = isAllowed && parts.allSatisfy { SnapshotStatus.deletable.contains($0.status) }
                isAllowed =
                    isAllowed && (caller.isAdministrator || parts.allSatisfy { $0.projectID == volume.projectID })
            }
        } else {
            isAllowed = isAllowed && parts.isEmpty
        }
        guard isAllowed else {
            let status = isForced ? "" : "status must be \(Self.deletableWords) and"
            throw VolumeRefusal.volume(
                "Volume \(status) must not be migrating, attached, belong to a group, have snapshots, awaiting a "
                    + "transfer, or be disassociated from snapshots after volume transfer.")
        }
    }

    /// Marks a volume as `deleting`, and starts the workflow that removes it.
    func beginDelete(_ volume: Volume, by caller: Caller, in tx: Transaction) throws {
        // A volume that was reserved or half attached loses that with a forced delete.
        for attachment in try attachments.list(of: volume.id, in: tx) {
            try attachments.delete(attachment.id, in: tx)
        }
        try change(volume, in: tx) { volume, _ in volume.status = .deleting }
        try context.start(
            DeleteVolume.self, .init(volumeID: volume.id), on: volume.resource, by: caller, whenBusy: .supersede, in: tx
        )
    }

    private static let deletableWords = VolumeStatus.deletable.map(\.rawValue).joined(separator: " or ")

    /// Refuses a change of what lies on a frozen host.
    func requireThawed(_ volume: Volume, in tx: Transaction) throws {
        guard let host = volume.host, try StorageHostStore().find(host, in: tx)?.isFrozen == true else { return }
        throw VolumeRefusal.input("Modification operations are not allowed on frozen storage backends.")
    }
}

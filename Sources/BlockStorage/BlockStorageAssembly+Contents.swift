package import CloudCore
import Durable
package import HostModel
package import SQL

/// The functions for Compute about the contents of servers' volumes: snapshots, and other bytes. Those that begin
/// something run within Compute's own transactions; the work goes on in the volumes' workflows.
extension BlockStorageAssembly {
    private var volumes: VolumeService { VolumeService(context: context) }
    private var snapshots: SnapshotService { SnapshotService(volumes: volumes) }

    // MARK: Snapshots

    /// Begins to take snapshots, whatever the volumes are used for: all of them or none.
    ///
    /// - Throws: `badRequest` for a volume whose state does not allow it; `quotaExceeded`.
    package func takeSnapshots(_ all: [NewSnapshot], for principal: Principal, in tx: Transaction) throws {
        let caller = caller(principal)
        for new in all {
            let volume = try volumes.require(new.volume, by: caller, in: tx)
            do {
                try caller.require(.createSnapshot, of: volume.projectID)
                _ = try snapshots.begin(new.id, of: volume, takesUsed: true, by: caller, in: tx) { snapshot in
                    (snapshot.name, snapshot.description) = (new.name, volume.description)
                }
            } catch let error as CloudError where error.kind == .tooLarge {
                throw CloudError(.quotaExceeded, error.message)
            }
        }
    }

    /// Returns when volumes can be made of a snapshot.
    ///
    /// - Throws: a transient error until then; `conflict` if the snapshot could not be taken.
    package func awaitWhole(_ id: SnapshotID) async throws {
        let found = try await context.read { tx in try volumes.snapshots.find(id, in: tx) }
        switch found?.status {
        case .available?: return
        case .creating?: throw Self.unfinished("Snapshot \(id) is being taken.")
        default: throw CloudError.conflict("Snapshot \(id) could not be taken.")
        }
    }

    /// Begins to delete a snapshot. It has no effect if there is none.
    package func delete(_ id: SnapshotID, for principal: Principal) async throws {
        try await context.write { tx in
            guard let snapshot = try volumes.snapshots.find(id, in: tx), snapshot.status != .deleting else { return }
            try snapshots.beginDelete(snapshot, by: caller(principal), in: tx)
        }
    }

    // MARK: Other bytes

    /// Returns the facts about an image that a volume is to have the bytes of.
    ///
    /// - Throws: `badRequest` if the image does not fit the volume; `notFound` for an image that the principal does not
    ///   see.
    package func image(
        _ id: ID<Kind.Image>, fitting volumeID: VolumeID, for principal: Principal
    ) async throws -> VolumeImageFacts {
        let image = try await context.needs.images.image(id, for: principal)
        let volume = try await context.read { tx in try volumes.require(volumeID, by: caller(principal), in: tx) }
        try VolumeCreation.check(image, fits: volume.size)
        return image
    }

    /// Begins to replace the bytes of a volume that a server has reserved.
    ///
    /// - Throws: `badRequest` for a volume in another state; `conflict` for one that several servers have.
    package func reimage(
        _ id: VolumeID, from image: VolumeImageFacts, for principal: Principal, in tx: Transaction
    ) throws {
        let caller = caller(principal)
        let volume = try volumes.require(id, by: caller, in: tx)
        try VolumeImageService(volumes: volumes).reimage(
            volume, from: image, states: [.reserved], whenBusy: .wait(most: Limits.thing.waitingSnapshots.most),
            by: caller, in: tx)
    }

    /// Returns when nothing is copied into a volume any more.
    ///
    /// - Throws: a transient error until then; `conflict` if the copy failed, or if the volume is gone.
    package func awaitWhole(_ id: VolumeID) async throws {
        let found = try await context.read { tx in try volumes.volumes.find(id, in: tx) }
        guard let status = found?.status, status != .deleting, !status.isError else {
            throw CloudError.conflict("Volume \(id) could not be filled.")
        }
        if status == .creating || status == .downloading { throw Self.unfinished("Volume \(id) is being filled.") }
    }

    // MARK: Sizes

    /// Returns when a volume has its size on its host, too, where guests see it. It has no effect if there is none.
    ///
    /// - Throws: a transient error until then.
    package func awaitGrown(_ id: VolumeID) async throws {
        let found = try await context.read { tx in try volumes.volumes.find(id, in: tx) }
        guard let volume = found, let host = volume.host,
            let bytes = try await context.needs.hosts.bytes(of: id, on: host)
        else { return }
        if bytes < Int64(volume.size) << 30 { throw Self.unfinished("Volume \(id) is growing.") }
    }
}

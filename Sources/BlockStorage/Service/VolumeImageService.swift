import CloudCore
import Durable
import HostModel
import SQL

/// The way from images to volumes: new bytes of an image for a volume.
struct VolumeImageService: Sendable {
    let volumes: VolumeService
    private var context: BlockStorageContext { volumes.context }

    init(volumes: VolumeService) { self.volumes = volumes }

    /// Replaces the bytes of a volume by those of an image.
    ///
    /// - Parameter takesReserved: whether a volume that is reserved is taken, too.
    func reimage(
        _ id: ID<Kind.Volume>, from imageID: ID<Kind.Image>, takesReserved: Bool, by caller: Caller
    ) async throws {
        let image = try await context.needs.images.image(imageID, for: caller.principal)
        try await context.write { tx in
            let volume = try volumes.require(id, by: caller, in: tx)
            try caller.require(volume.status == .reserved ? .reimageReserved : .reimageVolume, of: volume.projectID)
            let states: [VolumeStatus] = takesReserved ? [.available, .error, .reserved] : [.available, .error]
            try reimage(volume, from: image, states: states, by: caller, in: tx)
        }
    }

    /// Begins to replace the bytes of a volume by those of an image.
    ///
    /// - Parameters:
    ///   - states: the states of the volume in which this is allowed.
    ///   - whenBusy: what happens if another workflow works on the volume.
    func reimage(
        _ volume: Volume, from image: VolumeImageFacts, states: [VolumeStatus],
        whenBusy: Workflows.StartOptions.WhenBusy = .refuse, by caller: Caller, in tx: Transaction
    ) throws {
        guard try volumes.attachments.list(of: volume.id, in: tx).count <= 1 else {
            throw CloudError.conflict("Cannot re-image a volume which is attached to more than one server.")
        }
        guard states.contains(volume.status), volume.host != nil else {
            throw VolumeRefusal.volume(
                "Volume \(volume.id) status must be \(states.map(\.rawValue).joined(separator: " or ")), but current "
                    + "status is \(volume.status.rawValue).")
        }
        try VolumeCreation.check(image, fits: volume.size)
        try volumes.change(volume, in: tx) { volume, _ in
            (volume.status, volume.previousStatus) = (.downloading, volume.status)
            (volume.imageMetadata, volume.isBootable) = (VolumeCreation.metadata(of: image), true)
        }
        try context.start(
            ReimageVolume.self, .init(volumeID: volume.id, imageID: image.id), on: volume.resource, by: caller,
            whenBusy: whenBusy, in: tx)
    }
}

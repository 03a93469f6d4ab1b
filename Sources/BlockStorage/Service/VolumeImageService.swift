import CloudCore
import Durable
import HostModel
import SQL

/// The ways between volumes and images: an image of a volume, and new bytes of an image for a volume.
struct VolumeImageService: Sendable {
    let volumes: VolumeService
    private var context: BlockStorageContext { volumes.context }

    /// The image that a user asks for.
    struct Wish: Sendable {
        var name = ""
        var isForced = false
        var diskFormat: String?
        var containerFormat: String?
        var visibility: String?
        var isProtected = false
    }

    /// The members of an image's properties that a volume keeps and that its own image gets otherwise.
    private static let own: Set<String> = [
        "image_id", "image_name", "checksum", "container_format", "disk_format", "min_disk", "min_ram", "size",
        "signature_verified",
    ]

    /// The formats of which a host can make a copy.
    private static let formats = ["raw", "qcow2"]

    func upload(
        _ id: ID<Kind.Volume>, _ wish: Wish, by caller: Caller
    ) async throws -> (volume: VolumeView, image: VolumeImage) {
        try caller.require(.uploadImage)
        if wish.visibility == "public" { try caller.require(.uploadPublic) }
        let format = wish.diskFormat ?? "raw"
        guard Self.formats.contains(format) else {
            throw CloudError.badRequest("An image of the format \(format) cannot be made of a volume.")
        }
        var image = VolumeImage(id: ID(context.world.random.uuid()), name: wish.name)
        (image.diskFormat, image.containerFormat) = (format, wish.containerFormat ?? "bare")
        (image.visibility, image.isProtected) = (wish.visibility ?? "private", wish.isProtected)
        let begun = try await context.write { [image] tx in
            let volume = try volumes.require(id, by: caller, in: tx)
            let states: [VolumeStatus] = wish.isForced ? [.available, .inUse] : [.available]
            guard states.contains(volume.status) else {
                let words = states.map(\.rawValue).joined(separator: " or ")
                throw VolumeRefusal.volume("Volume \(id) status must be \(words)")
            }
            var image = image
            image.minDiskGiB = volume.size
            for (name, value) in volume.imageMetadata.members where !Self.own.contains(name) {
                image.properties[name] = value.string
            }
            let changed = try volumes.change(volume, in: tx) { volume, _ in
                (volume.status, volume.previousStatus) = (.uploading, volume.status)
            }
            try context.start(
                UploadVolume.self, .init(volumeID: id, image: image), on: volume.resource, by: caller, in: tx)
            return (volume: try volumes.views([changed], in: tx)[0], image: image)
        }
        // The answer names the image, so the image is there. If it cannot be made, the workflow tells why.
        try? await context.needs.images.ensure(begun.image, for: caller.principal)
        return begun
    }

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

import CloudCore
import Durable
import HostModel
import SQL

/// The actions on servers whose root disk is a volume, where these differ from those on others.
extension ServerActionService {
    // MARK: Images

    /// Makes an image of a server: snapshots of its volumes, and an image without bytes that names them.
    ///
    /// - Returns: the id of the image.
    func snapshotVolumes(
        of id: ID<Kind.Server>, as name: String, _ metadata: [String: String], by caller: Caller
    ) async throws -> String {
        let rule = try SnapshotServerVolumes.rule
        let (server, volumes) = try await context.read { tx in
            let server = try service.require(id, rule, for: SnapshotServerVolumes.kind, by: caller, in: tx)
            try caller.require(.createVolumeBackedImage, projectID: server.projectID)
            try QuotaService.requireImageMetadata(metadata.count, of: caller.projectID, in: tx)
            return (server, try ServerVolumeStore().list(of: id, in: tx))
        }
        var sizes: [Int] = []
        for volume in volumes {
            sizes.append(try await context.needs.volumes.volume(volume.volumeID, for: caller.principal).sizeGiB)
        }
        let snapshots = volumes.map { volume in
            NewSnapshot(
                id: ID(context.world.random.uuid()), volume: volume.volumeID, name: "snapshot for \(name)")
        }
        var properties = server.imageProperties.filter { !Self.ofImage.contains($0.key) }
        properties["base_image_ref"] = server.image?.id.text ?? ""
        properties.merge(metadata) { _, new in new }
        let devices = ImageDevices.properties(of: server, volumes, snapshots.map(\.id), sizes: sizes)
        properties.merge(devices) { _, new in new }
        var image = NewImage(
            id: ID(context.world.random.uuid()), name: name,
            minDiskGiB: server.imageProperties["min_disk"].flatMap { Int($0) } ?? server.image?.minDiskGiB ?? 0,
            properties: properties)
        image.hasNoBytes = true
        try await context.needs.images.ensure(image, for: caller.principal)
        return try await filling(image, by: caller) { [image] in
            try await service.start(SnapshotServerVolumes.self, on: id, by: caller) { server, tx in
                let present = try ServerVolumeStore().list(of: id, in: tx)
                guard present.map(\.volumeID) == volumes.map(\.volumeID) else {
                    throw CloudError.conflict("The volumes of instance \(id) have changed meanwhile.")
                }
                try context.needs.volumes.takeSnapshots(snapshots, for: caller.principal, in: tx)
                return .init(serverID: server.id, image: image, snapshots: snapshots.map(\.id))
            }
        }
    }

    /// The properties of a volume that say what its image was, and not what a machine is like.
    private static let ofImage: Set<String> = [
        "image_id", "image_name", "size", "checksum", "container_format", "disk_format", "min_ram", "min_disk",
    ]
}

import CloudCore
import Durable
import HostModel
import SQL

/// The actions on servers whose root disk is a volume, where these differ from those on others.
extension ServerActionService {
    /// The first microversion in which a rebuild gives such a server's root disk the bytes of the image.
    private static let reimageSince = 93

    /// Checks that all of a server's volumes are in use.
    ///
    /// - Throws: an error of the kind, in the reference's words.
    func requireVolumesInUse(of id: ID<Kind.Server>, _ kind: CloudError.Kind, by caller: Caller) async throws {
        for volume in try await context.read({ tx in try ServerVolumeStore().list(of: id, in: tx) }) {
            let status = try await context.needs.volumes.volume(volume.volumeID, for: caller.principal).status
            guard status == "in-use" else {
                throw CloudError(
                    kind,
                    "Invalid volume: volume '\(volume.volumeID)' status must be 'in-use'. Currently in '\(status)' "
                        + "status")
            }
        }
    }

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

    // MARK: Rebuilds

    /// Rebuilds a server whose root disk is a volume. From 2.93 on, the volume gets the bytes of the image. Before, it
    /// stays as it is, and the image must be the one that it was made from.
    func rebuildVolumeBacked(
        _ present: Server, from imageID: ID<Kind.Image>, _ change: ServerChange, by caller: Caller
    ) async throws -> ServerView {
        let id = present.id
        let image = try await rebuildImage(imageID, for: present, by: caller)
        if case .set = change.certificates {
            throw CloudError.badRequest("Image certificate validation is not supported for volume-backed servers.")
        }
        let reimages = caller.minor >= Self.reimageSince
        guard reimages || present.rootVolume?.imageProperties["image_id"] == imageID.text else {
            throw CloudError.badRequest(
                "Image \(imageID) is unacceptable: Unable to rebuild with a different image for a volume-backed "
                    + "server.")
        }
        try await requireVolumesInUse(of: id, .badRequest, by: caller)
        let bytes = reimages ? try await bytes(of: imageID, for: id, by: caller) : nil
        @Sendable func wanted(_ server: Server, _ tx: Transaction) throws -> Server {
            if let metadata = change.metadata {
                try QuotaService.requireMetadata(metadata.count, of: caller.projectID, in: tx)
            }
            if server.host == nil {
                throw CloudError.conflict("Cannot 'rebuild' instance \(id): it was never on a host.")
            }
            var wanted = server
            if bytes != nil {
                wanted.rootVolume = .init(imageProperties: image.propertiesOfVolume)
                if wanted.image != nil { wanted.image?.properties = image.properties }
            }
            change.apply(to: &wanted)
            try setKey(change.keyName, of: &wanted, by: caller, in: tx)
            return wanted
        }
        if let bytes {
            try await service.start(ReimageServer.self, on: id, by: caller) { server, tx in
                .init(server: try wanted(server, tx), image: bytes, startsAfter: server.state != .stopped)
            }
        } else {
            try await service.start(RebuildServer.self, on: id, by: caller) { server, tx in
                .init(server: try wanted(server, tx), startsAfter: server.state != .stopped)
            }
        }
        var view = try await service.get(id, try RebuildServer.rule.policy, by: caller)
        try view.change { server in
            change.apply(to: &server)
            change.keyName.apply(to: &server.keyName)
        }
        return view
    }

    /// Returns the facts about an image that the root disk of a server is to have the bytes of.
    private func bytes(
        of imageID: ID<Kind.Image>, for id: ID<Kind.Server>, by caller: Caller
    ) async throws -> VolumeImageFacts {
        let volumes = try await context.read { tx in try ServerVolumeStore().list(of: id, in: tx) }
        let root = try volumes.first(where: \.isRoot).required("root volume", from: "create")
        return try await context.needs.volumes.image(imageID, fitting: root.volumeID, for: caller.principal)
    }

    private func rebuildImage(
        _ id: ID<Kind.Image>, for server: Server, by caller: Caller
    ) async throws -> ImageFacts {
        let image = try await ServerCreation(service: service).facts(of: id, by: caller)
        guard image.isActive else { throw CloudError.badRequest("Image \(id) is not active.") }
        if server.flavor.ramMiB < image.minMemoryMiB {
            throw CloudError.badRequest("Flavor's memory is too small for requested image.")
        }
        return image
    }
}

extension ImageFacts {
    /// The properties that a volume has after it was made of the image.
    var propertiesOfVolume: [String: String] {
        let more = [
            "image_id": id.text, "image_name": name, "min_disk": "\(minDiskGiB)", "min_ram": "\(minMemoryMiB)",
        ]
        return properties.merging(more) { _, new in new }
    }
}

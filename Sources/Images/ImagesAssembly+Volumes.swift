package import CloudCore
package import HostModel

/// The functions for Block Storage, in the name of the volume's user.
extension ImagesAssembly {
    /// Returns an image as volumes are made from it.
    ///
    /// - Throws: `CloudError.notFound` for one that is not there or that the caller may not see.
    package func volumeFacts(of id: ID<Kind.Image>, by caller: Principal) async throws -> VolumeImageFacts {
        let image = try await ImageService(context: context).get(id, by: caller)
        var facts = VolumeImageFacts(
            id: image.id, name: image.name ?? "", isActive: image.status == .active, sizeBytes: image.size ?? 0)
        (facts.minDiskGiB, facts.minMemoryMiB) = (Int(image.minDisk), Int(image.minRAM))
        (facts.virtualBytes, facts.checksum) = (image.virtualSize, image.checksum)
        (facts.diskFormat, facts.containerFormat) = (image.diskFormat, image.containerFormat)
        let texts = image.properties.members.compactMap { key, value in value.string.map { (key, $0) } }
        facts.properties = Dictionary(texts) { $1 }
        return facts
    }

    /// Returns the ids of the images with a name that the caller sees, newest first.
    package func ids(named name: String, most: Int, by caller: Principal) async throws -> [ID<Kind.Image>] {
        let found = try await ImageService(context: context).list(ImageList(named: name), by: caller)
        return found.images.prefix(most).map(\.id)
    }

    /// Makes an image of the caller's that waits for its data. One that is there already stays as it is.
    package func reserve(_ new: VolumeImage, by caller: Principal) async throws {
        try ImageFields.check([
            "id": .string(new.id.text), "name": .string(new.name), "min_disk": .integer(Int64(new.minDiskGiB)),
            "disk_format": .string(new.diskFormat), "container_format": .string(new.containerFormat),
        ])
        var image = Image(id: new.id, createdAt: context.world.now)
        (image.owner, image.name, image.isProtected) = (caller.projectID?.text, new.name, new.isProtected)
        image.visibility = Image.Visibility(rawValue: new.visibility) ?? .private
        (image.diskFormat, image.containerFormat) = (new.diskFormat, new.containerFormat)
        image.minDisk = Int64(new.minDiskGiB)
        let properties = new.properties.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value)) }
        try image.take(JSONObject(properties))
        do {
            try await ImageService(context: context).create(image, by: caller) { _, _ in }
        } catch let error as CloudError where error.kind == .conflict {
            return
        }
    }
}

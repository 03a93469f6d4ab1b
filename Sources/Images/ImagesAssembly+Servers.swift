package import CloudCore
package import HostModel
package import NIOCore

/// The functions for services that make servers, in the name of the server's user.
extension ImagesAssembly {
    /// Returns an image as servers are made from it.
    ///
    /// - Throws: `CloudError.notFound` for one that is not there or that the caller may not see.
    package func facts(of id: ID<Kind.Image>, by caller: Principal) async throws -> ImageFacts {
        let image = try await ImageService(context: context).get(id, by: caller)
        var facts = ImageFacts(id: image.id, name: image.name ?? "")
        facts.isActive = image.status == .active
        (facts.minDiskGiB, facts.minMemoryMiB, facts.sizeBytes) = (Int(image.minDisk), Int(image.minRAM), image.size ?? 0)
        facts.properties = Dictionary(image.properties.members.compactMap { key, value in value.string.map { (key, $0) } }) { $1 }
        return facts
    }

    /// Makes a qcow2 image of the caller's that waits for its data; one without bytes is raw. One that is there already
    /// stays as it is.
    package func reserve(_ new: NewImage, by caller: Principal) async throws {
        try ImageFields.check(["id": .string(new.id.text), "name": .string(new.name), "min_disk": .integer(Int64(new.minDiskGiB))])
        var image = Image(id: new.id, createdAt: context.world.now)
        (image.owner, image.name, image.visibility) = (caller.projectID?.text, new.name, .private)
        image.diskFormat = new.hasNoBytes ? "raw" : "qcow2"
        (image.containerFormat, image.minDisk) = ("bare", Int64(new.minDiskGiB))
        let decided: Set<String> = ["id", "name", "disk_format", "container_format", "min_disk", "visibility"]
        let rest = new.properties.filter { !decided.contains($0.key) }.sorted { $0.key < $1.key }
        try image.take(JSONObject(rest.map { ($0.key, .string($0.value)) }))
        do {
            try await ImageService(context: context).create(image, by: caller) { _, _ in }
        } catch let error as CloudError where error.kind == .conflict {
            return
        }
    }

    /// Stores the data of a reserved image. An image that has data already keeps it.
    package func fill<Chunks: AsyncSequence & Sendable>(
        _ id: ID<Kind.Image>, with chunks: Chunks, size: Int64?, by caller: Principal
    ) async throws where Chunks.Element == ByteBuffer {
        if try await facts(of: id, by: caller).isActive { return }
        try await ImageDataService(context: context).upload(id, chunks, size: size, store: nil, by: caller)
    }

    /// Makes a reserved image active without any data.
    package func publish(_ id: ID<Kind.Image>, by caller: Principal) async throws {
        try await fill(id, with: AsyncStream<ByteBuffer> { $0.finish() }, size: 0, by: caller)
    }

    /// Returns the ids of the newest images that the caller sees and that have these properties, newest first.
    package func newest(with properties: [String: String], by caller: Principal) async throws -> [ID<Kind.Image>] {
        try await ImageService(context: context).list(ImageList(newestWith: properties), by: caller).images.map(\.id)
    }

    /// Deletes an image. Without effect when there is none.
    package func remove(_ id: ID<Kind.Image>, by caller: Principal) async throws {
        do {
            try await ImageService(context: context).delete(id, by: caller)
        } catch let error as CloudError where error.kind == .notFound {
            return
        }
    }
}

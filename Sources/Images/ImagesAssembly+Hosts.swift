package import Blobs
package import CloudCore
package import HostModel
import Resources
import SQL

/// The functions for hosts: the bytes that machines are made from. The rights of the machine's user were checked
/// before.
extension ImagesAssembly {
    /// Returns an image as a machine is made from it.
    ///
    /// - Throws: `notFound` for an image that is not there; `conflict` for one without data; `badRequest` for one that no machine can
    ///   be made from.
    package func machineImage(_ id: ID<Kind.Image>) async throws -> MachineImage {
        try await context.base.database.read { tx in
            let (main, content) = try active(id, in: tx)
            func part(_ property: String) throws -> ContentID? {
                try self.part(main.properties[property]?.string, of: main.owner, in: tx)
            }
            let (kernel, ramdisk) = (try part("kernel_id"), try part("ramdisk_id"))
            var found = try MachineImage(
                content: content.text, format: main.diskFormat ?? "raw", virtualBytes: main.virtualSize ?? main.size ?? 0)
            (found.kernel, found.ramdisk) = (kernel, ramdisk)
            found.kernelArguments = main.properties["os_command_line"]?.string
            return found
        }
    }

    /// Returns the first stage of a start from a disk of a project, whose image had these properties.
    ///
    /// - Throws: `notFound` for a kernel that is not there or that the project may not have; `conflict` for one without
    ///   data.
    package func boot(_ properties: [String: String], of project: String) async throws -> MachineSpec.Boot {
        guard properties["kernel_id"]?.isEmpty == false else { return .disk }
        return try await context.base.database.read { tx in
            let kernel = try part(properties["kernel_id"], of: project, in: tx)
            return MachineImage.boot(
                kernel: kernel, ramdisk: try part(properties["ramdisk_id"], of: project, in: tx),
                arguments: properties["os_command_line"])
        }
    }

    private func active(_ id: ID<Kind.Image>, in tx: Transaction) throws -> (image: Image, content: ContentID) {
        let onlooker = Onlooker(project: nil, now: context.world.now)
        guard let image = try ImageStore().find(id, for: onlooker, in: tx) else {
            throw CloudError.notFound("image", id.text)
        }
        guard image.status == .active, let content = image.locations.first?.blob else {
            throw CloudError.conflict("Image \(id) is not active.")
        }
        return (image, content)
    }

    /// Returns the bytes of the image that a property names; nil if it names none. A property is any text that a user
    /// wrote, so it must not open an image of another project.
    private func part(_ id: String?, of owner: String?, in tx: Transaction) throws -> ContentID? {
        guard let id, !id.isEmpty else { return nil }
        let (part, content) = try active(ID(id), in: tx)
        guard part.owner == owner || part.visibility == .public || part.visibility == .community else {
            throw CloudError.notFound("image", id)
        }
        return content
    }
}

extension ImageStores {
    /// Opens bytes in whichever store has them.
    ///
    /// - Throws: `notFound`.
    package func open(_ content: ContentID) async throws -> BlobBytes {
        for entry in all.dropLast() {
            do { return try await entry.blobs.open(content, range: nil) } catch let error as CloudError where error.kind == .notFound {}
        }
        return try await (all.last ?? standard).blobs.open(content, range: nil)
    }
}

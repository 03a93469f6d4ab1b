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
        let store = ImageStore()
        let onlooker = Onlooker(project: nil, now: context.world.now)
        return try await context.base.database.read { tx in
            func image(_ id: ID<Kind.Image>) throws -> (image: Image, content: ContentID) {
                guard let image = try store.find(id, for: onlooker, in: tx) else { throw CloudError.notFound("image", id.text) }
                guard image.status == .active, let content = image.locations.first?.blob else {
                    throw CloudError.conflict("Image \(id) is not active.")
                }
                return (image, content)
            }
            let (main, content) = try image(id)
            // A property is any text that a user wrote, so it must not open an image of another project.
            func part(_ property: String) throws -> ContentID? {
                guard let id = main.properties[property]?.string, !id.isEmpty else { return nil }
                let (part, content) = try image(ID(id))
                guard part.owner == main.owner || part.visibility == .public || part.visibility == .community else {
                    throw CloudError.notFound("image", id)
                }
                return content
            }
            let (kernel, ramdisk) = (try part("kernel_id"), try part("ramdisk_id"))
            var found = try MachineImage(
                content: content.text, format: main.diskFormat ?? "raw", virtualBytes: main.virtualSize ?? main.size ?? 0)
            (found.kernel, found.ramdisk) = (kernel, ramdisk)
            found.kernelArguments = main.properties["os_command_line"]?.string
            return found
        }
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

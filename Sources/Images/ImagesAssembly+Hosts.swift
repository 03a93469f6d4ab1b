package import Blobs
package import CloudCore
import Resources
import SQL

/// The functions for hosts: the bytes that machines are made from. The rights of the machine's user were checked
/// before.
extension ImagesAssembly {
    /// An image for making a disk.
    package struct DiskImage: Sendable {
        package let content: ContentID
        package let diskFormat: String
        /// The size in bytes of the disk that a guest sees.
        package let virtualBytes: Int64
        /// The kernel and the RAM disk that the image names.
        package let kernel: ContentID?
        package let ramdisk: ContentID?
        package let kernelArguments: String?
    }

    /// Returns an image for making a disk.
    ///
    /// - Throws: `notFound` for an image that does not exist; `conflict` for one without data.
    package func diskImage(_ id: String) async throws -> DiskImage {
        let store = ImageStore()
        let onlooker = Onlooker(project: nil, now: context.world.now)
        return try await context.base.database.read { tx in
            func image(_ id: String) throws -> (image: Image, content: ContentID) {
                guard let image = try store.find(ID(id), for: onlooker, in: tx) else { throw CloudError.notFound("image", id) }
                guard image.status == .active, let content = image.locations.first?.blob else {
                    throw CloudError.conflict("Image \(id) is not active.")
                }
                return (image, content)
            }
            let (main, content) = try image(id)
            // A property is any text that a user wrote, so it must not open an image of another project.
            func part(_ property: String) throws -> ContentID? {
                guard let id = main.properties[property]?.string, !id.isEmpty else { return nil }
                let (part, content) = try image(id)
                guard part.owner == main.owner || part.visibility == .public || part.visibility == .community else {
                    throw CloudError.notFound("image", id)
                }
                return content
            }
            return DiskImage(
                content: content, diskFormat: main.diskFormat ?? "raw", virtualBytes: main.virtualSize ?? main.size ?? 0,
                kernel: try part("kernel_id"), ramdisk: try part("ramdisk_id"), kernelArguments: main.properties["os_command_line"]?.string)
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

package import CloudCore
package import Compute
import Synchronization

/// The images of a test. Every UUID names an existing image, and the images that snapshots make are remembered.
package final class MemoryImages: ImagesNeed {
    private struct Entry: Sendable {
        var image: NewImage
        var isFilled = false
    }

    private let made = Mutex<[String: Entry]>([:])

    package init() {}

    package func image(_ id: String, for principal: Principal) async throws -> ImageFacts {
        if let entry = made.withLock({ $0[id] }) {
            return ImageFacts(
                id: id, name: entry.image.name, isActive: entry.isFilled, minDiskGiB: entry.image.minDiskGiB,
                properties: entry.image.properties)
        }
        // An id that consists of zeros names no image.
        guard id.contains(where: { $0 != "0" && $0 != "-" }) else { throw CloudError.notFound("No image found with ID \(id)") }
        return ImageFacts(id: id, name: "simulated")
    }

    package func ensure(_ image: NewImage, for principal: Principal) async throws {
        made.withLock { if $0[image.id] == nil { $0[image.id] = Entry(image: image) } }
    }

    package func fill(_ id: String, with snapshot: MachineSnapshot, on host: String, for principal: Principal) async throws {
        made.withLock { $0[id]?.isFilled = true }
    }

    package func delete(_ id: String, for principal: Principal) async throws { made.withLock { $0[id] = nil } }

    package func backups(of server: String, kind: String, for principal: Principal) async throws -> [String] {
        made.withLock { made in
            made.values.map(\.image).filter { $0.properties["backup_type"] == kind && $0.properties["instance_uuid"] == server }.map(\.id).sorted()
        }
    }

    /// The ids of the images that were made.
    package var ids: [String] { made.withLock { $0.keys.sorted() } }
}

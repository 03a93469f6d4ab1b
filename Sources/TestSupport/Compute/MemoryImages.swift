package import CloudCore
import Compute
package import HostModel
import Synchronization

/// The images of a test. Every UUID names an existing image, and the images that snapshots make are remembered.
package final class MemoryImages: ImagesNeed {
    private struct Entry: Sendable {
        var image: NewImage
        var isFilled = false
    }

    private let made = Mutex<[ID<Kind.Image>: Entry]>([:])

    package init() {}

    package func image(_ id: ID<Kind.Image>, for principal: Principal) async throws -> ImageFacts {
        if let entry = made.withLock({ $0[id] }) {
            var facts = ImageFacts(id: id, name: entry.image.name)
            (facts.isActive, facts.minDiskGiB, facts.properties) = (entry.isFilled, entry.image.minDiskGiB, entry.image.properties)
            return facts
        }
        // An id that consists of zeros names no image.
        guard id.text.contains(where: { $0 != "0" && $0 != "-" }) else {
            throw CloudError.notFound("No image found with ID \(id)")
        }
        return ImageFacts(id: id, name: "simulated")
    }

    /// Each image's content is made of its id.
    package func machineImage(_ id: ID<Kind.Image>) async throws -> MachineImage {
        let digits = id.text.filter(\.isHexDigit)
        return try MachineImage(content: String(String(repeating: digits, count: 4).prefix(128)), format: "raw", virtualBytes: 1 << 20)
    }

    package func boot(_ properties: [String: String], of project: String) async throws -> MachineSpec.Boot { .disk }

    package func ensure(_ image: NewImage, for principal: Principal) async throws {
        made.withLock { if $0[image.id] == nil { $0[image.id] = Entry(image: image) } }
    }

    package func fill(
        _ id: ID<Kind.Image>, with snapshot: DiskSnapshot, on host: String, for principal: Principal
    ) async throws {
        made.withLock { $0[id]?.isFilled = true }
    }

    package func publish(_ id: ID<Kind.Image>, for principal: Principal) async throws {
        made.withLock { $0[id]?.isFilled = true }
    }

    package func delete(_ id: ID<Kind.Image>, for principal: Principal) async throws { made.withLock { $0[id] = nil } }

    package func backups(
        of server: ID<Kind.Server>, kind: String, for principal: Principal
    ) async throws -> [ID<Kind.Image>] {
        made.withLock { made in
            made.values.map(\.image)
                .filter { $0.properties["backup_type"] == kind && $0.properties["instance_uuid"] == server.text }.map(\.id).sorted()
        }
    }

    /// The ids of the images that were made.
    package var ids: [String] { made.withLock { $0.keys.map(\.text).sorted() } }
}

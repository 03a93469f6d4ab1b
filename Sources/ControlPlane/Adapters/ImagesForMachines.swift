import Blobs
import CloudCore
import Drivers
import Images

/// What machines are made from: Images' data.
struct ImagesForMachines: MachineImages {
    let images: ImagesAssembly

    func image(_ id: String) async throws -> MachineImage {
        let found = try await images.diskImage(id)
        return try MachineImage(
            content: found.content.text, format: found.diskFormat, virtualBytes: found.virtualBytes, kernel: found.kernel?.text,
            ramdisk: found.ramdisk?.text, kernelArguments: found.kernelArguments)
    }
}

extension ImageSource {
    /// Hosts of this process read images where they lie.
    init(_ stores: ImageStores) {
        self.init { content, sink in
            guard let blob = ContentID(content.text) else { throw CloudError.notFound("image", content.text) }
            for try await bytes in try await stores.open(blob) { try await sink(bytes) }
        }
    }
}

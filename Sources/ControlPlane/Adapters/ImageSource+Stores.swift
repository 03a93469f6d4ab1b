import Blobs
import CloudCore
import Drivers
import HostModel
import Images

extension ImageSource {
    /// Hosts of this process read images where they lie.
    init(_ stores: ImageStores) {
        self.init { content, sink in
            guard let blob = BlobID(content.text) else { throw CloudError.notFound("image", content.text) }
            for try await bytes in try await stores.open(blob) { try await sink(bytes) }
        }
    }
}

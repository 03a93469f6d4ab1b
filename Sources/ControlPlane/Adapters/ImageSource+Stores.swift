import Blobs
import CloudCore
import Drivers
import HostModel
import Images

extension ImageSource {
    /// Hosts of this process read images where they lie.
    init(_ stores: ImageStores) {
        self.init { content, sink in
            for try await bytes in try await stores.open(content) { try await sink(bytes) }
        }
    }
}

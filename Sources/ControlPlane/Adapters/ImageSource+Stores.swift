import Blobs
import CloudCore
import Drivers
import HostModel
import Images

extension ImageSource {
    /// Creates a source for hosts in this process, which read images directly from the stores.
    init(_ stores: ImageStores) {
        self.init { content, sink in
            for try await bytes in try await stores.open(content) { try await sink(bytes) }
        }
    }
}

package import Blobs

/// The stores that data may lie in, under the names that the API has for them. The first is the default.
package struct ImageStores: Sendable {
    package struct Entry: Sendable {
        package let name: String
        package let blobs: any BlobStore

        package init(_ name: String, _ blobs: any BlobStore) {
            self.name = name
            self.blobs = blobs
        }
    }

    /// Where copies of data are kept near, for stores that are far.
    package struct Cache: Sendable {
        package let blobs: any BlobStore
        /// Bytes.
        package let most: Int64

        package init(_ blobs: any BlobStore, most: Int64) {
            self.blobs = blobs
            self.most = most
        }
    }

    let all: [Entry]
    let standard: Entry
    /// Nil: data is always read from its store.
    package var cache: Cache?

    package init(_ standard: Entry, _ others: [Entry] = []) {
        self.standard = standard
        all = [standard] + others
    }

    var names: [String] { all.map(\.name) }

    subscript(name: String) -> (any BlobStore)? { all.first { $0.name == name }?.blobs }
}

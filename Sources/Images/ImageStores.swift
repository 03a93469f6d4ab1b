package import Blobs

/// The stores of image data under their names in the API, best first. The first one is the default.
package struct ImageStores: Sendable {
    package struct Entry: Sendable {
        package let name: String
        package let blobs: any BlobStore

        package init(_ name: String, _ blobs: any BlobStore) {
            self.name = name
            self.blobs = blobs
        }
    }

    /// A near cache of image data, for stores that are far away.
    package struct Cache: Sendable {
        package let blobs: any BlobStore
        /// The most bytes in the cache.
        package let most: Int64

        package init(_ blobs: any BlobStore, most: Int64) {
            self.blobs = blobs
            self.most = most
        }
    }

    let all: [Entry]
    let standard: Entry
    /// The cache; nil if data is always read from its store.
    package var cache: Cache?

    package init(_ standard: Entry, _ others: [Entry] = []) {
        self.standard = standard
        all = [standard] + others
    }

    var names: [String] { all.map(\.name) }

    /// Returns whether some store has no room for more.
    package func isFull() async -> Bool {
        for entry in all where await entry.blobs.isFull() { return true }
        return false
    }

    /// Returns the weight that the API shows for a store. If an image is in several stores, the one with the greatest
    /// weight is read.
    func weight(of name: String) -> Int { names.firstIndex(of: name).map { names.count - 1 - $0 } ?? -1 }

    /// Returns locations, best first. Locations in stores that this site no longer has come last.
    func inOrder(_ locations: [Image.Location]) -> [Image.Location] {
        let weights = Dictionary(locations.map { ($0.store, weight(of: $0.store)) }) { first, _ in first }
        return locations.sorted { (weights[$0.store] ?? -1, $1.store) > (weights[$1.store] ?? -1, $0.store) }
    }

    subscript(name: String) -> (any BlobStore)? { all.first { $0.name == name }?.blobs }
}

package import Blobs

/// The stores that data may lie in, under the names that the API has for them, best first. The first is the default.
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

    /// Whether some store has no room for anything more.
    package func isFull() async -> Bool {
        for entry in all where await entry.blobs.isFull() { return true }
        return false
    }

    /// As the API tells the order: where an image is in several stores, the one with the greatest weight is read.
    func weight(of name: String) -> Int { names.firstIndex(of: name).map { names.count - 1 - $0 } ?? -1 }

    /// Places, the best first. Those in stores that this site has no longer come last.
    func inOrder(_ locations: [Image.Location]) -> [Image.Location] {
        let weights = Dictionary(locations.map { ($0.store, weight(of: $0.store)) }) { first, _ in first }
        return locations.sorted { (weights[$0.store] ?? -1, $1.store) > (weights[$1.store] ?? -1, $0.store) }
    }

    subscript(name: String) -> (any BlobStore)? { all.first { $0.name == name }?.blobs }
}

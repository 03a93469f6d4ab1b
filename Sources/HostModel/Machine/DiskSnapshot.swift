import CloudCore

/// A flat copy of a root disk in a file of the host: no other file is needed to read it.
package struct DiskSnapshot: Hashable, StoredValue {
    package static let storedName = "agent.disk-snapshot"

    package var path: String
    package var format: String
    package var virtualBytes: Int64
    package var sizeBytes: Int64

    package init(path: String, format: String, virtualBytes: Int64, sizeBytes: Int64) {
        self.path = path
        self.format = format
        self.virtualBytes = virtualBytes
        self.sizeBytes = sizeBytes
    }
}

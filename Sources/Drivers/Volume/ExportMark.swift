import CloudCore
package import HostModel

/// A host's note that it was asked for a copy of a volume or a snapshot.
package struct ExportMark: StoredValue {
    package static let storedName = "volume.export-mark"

    package var source: VolumeSource

    package init(source: VolumeSource) { self.source = source }
}

import BlockStorage
import Drivers

extension BackupSource {
    /// Creates a source for hosts in this process, which read the contents of backups directly from the store.
    init(_ reader: BackupReader) {
        self.init { reference, sink in try await reader.read(reference, sink) }
    }
}

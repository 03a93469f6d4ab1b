import Blobs
import CloudCore
import Foundation

extension FolderChunkStore {
    /// Opens the store of backups that the configuration names.
    ///
    /// - Parameter usual: the folder if the configuration names none.
    /// - Throws: `StartError`.
    static func opened(
        _ configuration: Configuration.Volumes, usual: String, world: World
    ) async throws -> FolderChunkStore {
        let path = configuration.backupFolder ?? usual
        do {
            try Files.makeFolder((path as NSString).deletingLastPathComponent)
            return try await FolderChunkStore(folder: path, world: world)
        } catch {
            throw StartError("The store of backups cannot be opened at \(path): \(error)")
        }
    }
}

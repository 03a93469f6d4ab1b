import Blobs
import BlockStorage
package import CloudCore
import SQL

/// The check of `novella volume-backup verify`: it reads every piece of every backup of volumes.
package enum BackupVerification {
    /// The chunks between two reports.
    private static let step = 64

    /// The result of the check.
    package struct Findings: Sendable {
        /// The number of pieces that were read.
        package var examined = 0
        /// The damaged and lost pieces, one line each.
        package var damages: [String] = []
    }

    /// Reads all pieces. It changes nothing, and the cloud may run meanwhile.
    ///
    /// - Throws: `StartError` if the database or the store cannot be opened.
    package static func run(
        _ configuration: Configuration, _ directory: StateDirectory, world: World,
        progress: BackupProgress
    ) async throws -> Findings {
        guard configuration.database.connection != nil || Files.exists(directory.database) else {
            return Findings()
        }
        let database = try CloudProcess.openDatabase(configuration, directory)
        let result: Result<Findings, any Error>
        do {
            let chunks = try await FolderChunkStore.opened(
                configuration.volumes, usual: directory.volumeBackups, world: world)
            let scrub = BackupScrub(database: database, chunks: chunks)
            do { result = .success(try await look(scrub, progress)) } catch { result = .failure(error) }
            await chunks.close()
        } catch { result = .failure(error) }
        await database.close()
        return try result.get()
    }

    private static func look(
        _ scrub: BackupScrub, _ progress: BackupProgress
    ) async throws -> Findings {
        var whole = Findings()
        var part = BackupScrub.Report()
        repeat {
            part = try await scrub.look(after: part.next, most: step)
            whole.examined += part.examined
            whole.damages += part.damages.map(\.text)
            progress.step("pieces: \(whole.examined)")
        } while part.next != nil
        return whole
    }
}

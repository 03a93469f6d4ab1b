package import Blobs
import CloudCore
package import SQL

/// A look at the pieces of backups: each is read and compared with its name, as a restore does. It changes nothing.
package struct BackupScrub: Sendable {
    private let database: Database
    private let chunks: any ChunkStore
    private let manifests = BackupManifestStore()

    /// The pieces that one transaction reads the names of.
    private static let page = 64

    package init(database: Database, chunks: any ChunkStore) {
        self.database = database
        self.chunks = chunks
    }

    /// A chunk that cannot be read, or whose bytes are others than those that were stored.
    package struct Damage: Sendable {
        package var project: String
        package var chunk: ChunkID
        /// The ids of backups that need it, at most ten.
        package var backups: [String]
        package var isLost: Bool

        /// The damage in one line.
        package var text: String {
            let needed = backups.isEmpty ? "no backup that is shown" : backups.joined(separator: ", ")
            return "chunk \(chunk) of project \(project) is \(isLost ? "gone" : "damaged"); it is a part of \(needed)"
        }
    }

    /// The result of a look at some chunks.
    package struct Report: Sendable {
        package var examined = 0
        package var damages: [Damage] = []
        /// The chunk behind which the next look begins; nil after the last one.
        package var next: ChunkID?

        package init() {}
    }

    /// Looks at the chunks behind one, in the order of their names.
    ///
    /// - Parameters:
    ///   - most: the number of chunks to look at.
    ///   - pace: is called after each, and may wait.
    package func look(
        after first: ChunkID?, most: Int, pace: @Sendable () async throws -> Void = {}
    ) async throws -> Report {
        var report = Report()
        report.next = first
        let manifests = manifests
        while report.examined < most {
            let last = report.next
            let found = try await database.read(.long) { tx in
                try manifests.chunks(after: last, most: Self.page, in: tx)
            }
            for (project, chunk) in found {
                if let damage = try await examine(chunk, of: project) { report.damages.append(damage) }
                report.examined += 1
                try await pace()
            }
            report.next = found.last?.chunk
            if found.isEmpty { break }
        }
        return report
    }

    /// - Returns: nil if the chunk is as it was stored.
    private func examine(_ chunk: ChunkID, of project: String) async throws -> Damage? {
        do {
            _ = try await chunks.read(chunk, of: project)
            return nil
        } catch let error as CloudError where error.kind == .notFound || error.code == ChunkID.damagedCode {
            let manifests = manifests
            let (isUsed, backups) = try await database.read { tx in
                (
                    try manifests.used([chunk], of: project, in: tx).contains(chunk),
                    try manifests.backups(with: chunk, of: project, most: 10, in: tx)
                )
            }
            // A chunk whose last backup went meanwhile may be gone.
            guard isUsed else { return nil }
            return Damage(project: project, chunk: chunk, backups: backups, isLost: error.kind == .notFound)
        }
    }
}

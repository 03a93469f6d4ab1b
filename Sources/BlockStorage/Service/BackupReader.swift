package import Blobs
import CloudCore
package import HostModel
package import NIOCore
package import SQL

/// The way of a content out of the store of chunks.
package struct BackupReader: Sendable {
    private let database: Database
    private let chunks: any ChunkStore
    private let manifests = BackupManifestStore()

    /// The pieces that one transaction reads the names of.
    private static let page = 64

    package init(database: Database, chunks: any ChunkStore) {
        self.database = database
        self.chunks = chunks
    }

    /// Passes the pieces of a content on, each after it was verified. The bytes between them are zeros.
    ///
    /// - Throws: `conflict` (`ChunkID.damagedCode`) that names the backup if a piece is damaged or gone.
    package func read(
        _ reference: BackupReference, _ sink: @Sendable (_ offset: Int64, _ bytes: ByteBuffer) async throws -> Void
    ) async throws {
        let (manifests, id) = (manifests, ID<BackupManifest>(reference.manifest))
        guard let manifest = try await database.read({ tx in try manifests.find(id, in: tx) }), manifest.isWhole else {
            throw Self.damaged(reference, "there is no list \(id)")
        }
        var next = 0
        while true {
            let from = next
            let pieces = try await database.read { tx in
                try manifests.pieces(of: id, from: from, most: Self.page, in: tx)
            }
            guard let last = pieces.last else { return }
            try await read(pieces, of: manifest, reference, sink)
            next = last.position + 1
        }
    }

    /// Passes some pieces on. The next one is read while the sink has the one before.
    private func read(
        _ pieces: [BackupManifestStore.Piece], of manifest: BackupManifest, _ reference: BackupReference,
        _ sink: @Sendable (_ offset: Int64, _ bytes: ByteBuffer) async throws -> Void
    ) async throws {
        var bytes = try await bytes(pieces.first, of: manifest, reference)
        for (number, piece) in pieces.enumerated() {
            guard let present = bytes else { return }
            let next = number + 1 < pieces.count ? pieces[number + 1] : nil
            async let ahead = self.bytes(next, of: manifest, reference)
            try await sink(Int64(piece.position) * Int64(ChunkID.mostBytes), present)
            bytes = try await ahead
        }
    }

    /// Returns the bytes of a piece; nil if there is no piece.
    private func bytes(
        _ piece: BackupManifestStore.Piece?, of manifest: BackupManifest, _ reference: BackupReference
    ) async throws -> ByteBuffer? {
        guard let piece else { return nil }
        do {
            return try await chunks.read(piece.chunk, of: manifest.projectID)
        } catch let error as CloudError where error.kind == .notFound || error.code == ChunkID.damagedCode {
            throw Self.damaged(reference, error.detail ?? error.message)
        }
    }

    private static func damaged(_ reference: BackupReference, _ detail: String) -> CloudError {
        CloudError(
            .conflict, "Backup \(reference.backup) is damaged: a part of its data is not what was stored.",
            detail: detail, code: ChunkID.damagedCode)
    }
}

import Blobs
package import CloudCore
import Foundation
import Images
import NIOPosix
import SQL

/// The work of `novella backup`: it makes a backup of a cloud, which may be running.
///
/// It copies the database as it is at one moment, and then the data of all images that this copy names. Image data
/// exists before a row names it, so data that is missing belongs to an image that was deleted after that moment. In
/// this case the database is copied again: the later copy does not name the image, and data that is already copied
/// stays. The garbage collector therefore continues and nothing is locked. At the end, every file that the last copy of
/// the database names is there.
package struct Backup: Sendable {
    private let configuration: Configuration
    private let directory: StateDirectory
    private let world: World
    private let progress: BackupProgress
    /// The backup's folder while it is being filled.
    private let draft: BackupFolder

    /// The most copies of the database before the backup fails. Each copy after the first is made because an image was
    /// deleted during the copying.
    private static let mostPasses = 20

    /// Makes a backup in a folder that does not exist or is empty.
    ///
    /// - Returns: the manifest of the backup.
    ///
    /// - Throws: `StartError` whose sentence says why the backup failed. Nothing is left of it then.
    package static func run(
        _ configuration: Configuration, of directory: StateDirectory, to path: String, world: World, progress: BackupProgress
    ) async throws -> BackupManifest {
        let folder = BackupFolder(path: path)
        guard BackupFiles.isFree(folder.path) else { throw StartError("\(folder.path) is not empty: name a folder that is not there.") }
        let draft = BackupFolder(path: folder.path + ".partial")
        try BackupFiles.make(
            draft.path,
            whenThere: "\(draft.path) is there: another backup is being made, or one was cut off. Remove it in the second case.")
        do {
            let backup = Backup(configuration: configuration, directory: directory, world: world, progress: progress, draft: draft)
            let manifest = try await backup.make()
            try BackupFiles.finish(draft.path, as: folder.path)
            return manifest
        } catch {
            BackupFiles.remove(draft.path)
            throw error
        }
    }

    private func make() async throws -> BackupManifest {
        var manifest = BackupManifest(madeAt: world.now, database: configuration.database.connection == nil ? .sqlite : .postgresql)
        manifest.files = try keys()
        let source = try await BlobFolders.open(configuration.images, below: directory.images, world: world)
        let target = try await BlobFolders.open(source.names, below: draft.images, world: world)
        do {
            manifest.blobs = try await blobs(from: source, to: target, &manifest.madeAt)
        } catch {
            await source.close()
            await target.close()
            throw error
        }
        await source.close()
        await target.close()
        let name = manifest.database == .sqlite ? BackupFolder.sqlite : BackupFolder.postgreSQL
        manifest.files.append(try BackupFiles.examine(draft.file(name), named: name))
        try Files.write(try manifest.text(), to: draft.manifest)
        return manifest
    }

    /// Copies the small files. They do not change while a cloud runs.
    private func keys() throws -> [BackupManifest.File] {
        let key = configuration.state.keyFile ?? directory.secretKey
        guard Files.exists(key) else { throw StartError("There is no \(key): without the master key a backup is of no use.") }
        let files = [
            (key, BackupFolder.secretKey), (directory.clouds, BackupFolder.clouds), (directory.openrc, BackupFolder.openrc),
            (directory.host + "/host.json", BackupFolder.host),
        ]
        return try files.filter { Files.exists($0.0) }.map { try BackupFiles.copy($0.0, to: draft.file($0.1), named: $0.1) }
    }

    // MARK: The database and what it names

    /// An error: the data of an image was removed after the database was copied.
    private struct Gone: Error {}

    private func blobs(
        from source: BlobFolders, to target: BlobFolders, _ madeAt: inout Timestamp
    ) async throws -> [BackupManifest.Blob] {
        var copied: [NamedBlob: Int64] = [:]
        var bytes: Int64 = 0
        for pass in 1...Self.mostPasses {
            progress.step(pass == 1 ? "database" : "database, once more: an image was deleted meanwhile")
            madeAt = world.now
            let named = try await copyDatabase()
            do {
                for (at, blob) in named.enumerated() where copied[blob] == nil {
                    guard let size = try await copy(blob, source, target) else { continue }
                    copied[blob] = size
                    bytes += size
                    progress.images(at + 1, of: named.count, bytes: bytes)
                }
            } catch is Gone {
                continue
            }
            try await removeOthers(than: named, target)
            return try await verified(named, copied, target)
        }
        throw StartError("Images are deleted faster than they are copied: make the backup when there is less to do.")
    }

    /// Copies the data of an image.
    ///
    /// - Returns: the size in bytes; nil for data that is missing and not required.
    private func copy(_ blob: NamedBlob, _ source: BlobFolders, _ target: BlobFolders) async throws -> Int64? {
        guard let from = source[blob.store], let to = target[blob.store] else {
            throw StartError("The database names the image store \(blob.store), and the configuration does not.")
        }
        let bytes: BlobBytes
        do { bytes = try await from.open(blob.id) } catch let error as CloudError where error.kind == .notFound {
            if blob.isRequired { throw Gone() }
            return nil
        }
        do {
            // The digest is computed from the bytes that were read, so damaged data cannot enter a backup unnoticed.
            return try await to.store(bytes, expecting: BlobExpectation(size: bytes.size, sha512: blob.id.text)).size
        } catch {
            throw StartError("The image data \(blob.id.text.prefix(16))… in the store \(blob.store) cannot be copied: \(error)")
        }
    }

    private func removeOthers(than named: [NamedBlob], _ target: BlobFolders) async throws {
        for name in target.names {
            let kept = Set(named.filter { $0.store == name }.map(\.id))
            try await target[name]?.list { entries in
                for entry in entries where !kept.contains(entry.id) {
                    _ = try await target[name]?.remove(entry.id, storedBefore: world.now + .seconds(86_400))
                }
            }
        }
    }

    /// Checks that each file that the database names is there with its size.
    private func verified(
        _ named: [NamedBlob], _ copied: [NamedBlob: Int64], _ target: BlobFolders
    ) async throws -> [BackupManifest.Blob] {
        var blobs: [BackupManifest.Blob] = []
        for blob in named {
            guard let size = copied[blob] else { continue }
            guard try await target[blob.store]?.size(blob.id) == size else {
                throw StartError("The copy of the image data \(blob.id.text.prefix(16))… is not whole: the backup's disk loses data.")
            }
            blobs.append(BackupManifest.Blob(store: blob.store, sha512: blob.id.text, size: size))
        }
        return blobs
    }

    /// Copies the database as it is at one moment, and replaces an earlier copy.
    ///
    /// - Returns: the image data that the copy names.
    private func copyDatabase() async throws -> [NamedBlob] {
        if let connection = configuration.database.connection { return try await dumpPostgreSQL(connection.reveal()) }
        let (path, copy) = (directory.database, draft.file(BackupFolder.sqlite))
        guard Files.exists(path) else { throw StartError("There is no \(path): name the cloud's directory with --state.") }
        unlink(copy)
        do {
            try await NIOThreadPool.singleton.runIfActive {
                try SQLiteCopy.write(of: path, to: copy)
                try SQLiteCopy.check(copy)
            }
        } catch {
            throw StartError("The database cannot be copied: \(error)")
        }
        let database = try Database.sqlite(path: copy, readers: 1)
        do {
            return try await database.closing { database in
                try await database.read(.long) { tx in try ImagesAssembly.namedBlobs(in: tx) }
            }
        } catch {
            throw StartError("The database cannot be read: \(error)")
        }
    }

    private func dumpPostgreSQL(_ connection: String) async throws -> [NamedBlob] {
        let path = draft.file(BackupFolder.postgreSQL)
        unlink(path)
        let programs = try PostgresPrograms(connection)
        return try await CloudProcess.openDatabase(configuration, directory).closing { database in
            // The snapshot ends with the transaction that exported it, so the dump runs inside that transaction.
            try await database.read(.long) { tx in
                guard let snapshot: String = try tx.value("SELECT pg_export_snapshot()") else {
                    throw StartError("PostgreSQL gives no snapshot.")
                }
                try programs.dump(snapshot: snapshot, to: path)
                return try ImagesAssembly.namedBlobs(in: tx)
            }
        }
    }
}

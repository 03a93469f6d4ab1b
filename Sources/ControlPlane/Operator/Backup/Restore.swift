import Blobs
package import CloudCore
import Crypto
import Drivers
import Foundation
import HostModel
import Images
import NIOPosix
import SQL

/// The work of `novella restore`: it makes a state directory from a backup.
///
/// Everything is made in a temporary folder, which gets its final name at the end. A restore that is cut off leaves the
/// state directory unchanged. Image stores elsewhere may already have data that no row names; the garbage collector of
/// the cloud removes it. A PostgreSQL database may already hold the restored tables.
package struct Restore: Sendable {
    private let configuration: Configuration
    private let folder: BackupFolder
    private let manifest: BackupManifest
    private let world: World
    private let progress: BackupProgress
    /// The state directory while it is being filled.
    private let draft: StateDirectory

    /// Restores a backup.
    ///
    /// - Parameter directory: a path that does not exist, or an empty folder.
    ///
    /// - Returns: the manifest of the restored backup.
    ///
    /// - Throws: `StartError` whose sentence says why the restore failed.
    package static func run(
        _ configuration: Configuration, from path: String, to directory: StateDirectory, world: World, progress: BackupProgress
    ) async throws -> BackupManifest {
        guard BackupFiles.isFree(directory.path) else {
            throw StartError("\(directory.path) is not empty: move it away, or name another directory with --state.")
        }
        let folder = BackupFolder(path: path)
        let manifest = try BackupManifest.read(folder)
        let draft = StateDirectory(path: directory.path + ".restoring")
        let restore = Restore(
            configuration: configuration, folder: folder, manifest: manifest, world: world, progress: progress, draft: draft)
        try restore.check()
        do {
            try FileManager.default.createDirectory(
                atPath: (directory.path as NSString).deletingLastPathComponent, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        } catch { throw StartError("Cannot make the folder of \(directory.path): \(error)") }
        try BackupFiles.make(
            draft.path,
            whenThere: "\(draft.path) is there: another restore is under way, or one was cut off. Remove it in the second case.")
        do {
            try await restore.fill()
            try BackupFiles.finish(draft.path, as: directory.path)
            return manifest
        } catch {
            BackupFiles.remove(draft.path)
            throw error
        }
    }

    // MARK: Before anything is changed

    private func check() throws {
        let kind: BackupManifest.Kind = configuration.database.connection == nil ? .sqlite : .postgresql
        guard manifest.database == kind else {
            throw StartError(
                manifest.database == .sqlite
                    ? "The backup is of a cloud on SQLite, and the configuration names a PostgreSQL (database.connection)."
                    : "The backup is of a cloud on PostgreSQL: the configuration must name an empty database (database.connection).")
        }
        let stores = Set(configuration.images.stores.compactMap { ImageStoreSetting($0)?.name })
        if let missing = manifest.blobs.first(where: { !stores.contains($0.store) })?.store {
            throw StartError("The backup has images in the store \(missing), which the configuration does not name (images.stores).")
        }
        progress.step("checking files")
        for file in manifest.files {
            guard !file.path.contains("/"), try BackupFiles.examine(folder.file(file.path), named: file.path) == file else {
                throw StartError("\(folder.file(file.path)) is not what manifest.json says: the backup is damaged.")
            }
        }
        for name in [BackupFolder.secretKey, kind == .sqlite ? BackupFolder.sqlite : BackupFolder.postgreSQL] {
            guard manifest.files.contains(where: { $0.path == name }) else { throw StartError("The backup has no \(name).") }
        }
        guard let keyFile = configuration.state.keyFile else { return }
        guard try Files.text(keyFile) == Files.text(folder.file(BackupFolder.secretKey)) else {
            throw StartError("The configuration names the key file \(keyFile): put the backup's secret.key there first.")
        }
    }

    // MARK: The new state directory

    private func fill() async throws {
        for (name, path) in [
            (BackupFolder.secretKey, draft.secretKey), (BackupFolder.clouds, draft.clouds), (BackupFolder.openrc, draft.openrc),
        ] where manifest.files.contains(where: { $0.path == name }) {
            _ = try BackupFiles.copy(folder.file(name), to: path, named: name)
        }
        if manifest.files.contains(where: { $0.path == BackupFolder.host }) {
            try DurableFile.makeFolder(draft.host)
            _ = try BackupFiles.copy(folder.file(BackupFolder.host), to: draft.host + "/host.json", named: BackupFolder.host)
        }
        try await images()
        progress.step("database")
        let database = try await openDatabase()
        do {
            try await database.closing { database in
                _ = try await database.migrate(Cloud.schemas)
                try await database.write { [manifest, now = world.now] tx in
                    try RestoreStore().insert(at: now, madeAt: manifest.madeAt, version: manifest.version, in: tx)
                    try ImagesAssembly.emptyCache(in: tx)
                }
            }
        } catch {
            throw StartError("The restored database cannot be used: \(error)")
        }
    }

    private func openDatabase() async throws -> Database {
        if let connection = configuration.database.connection {
            let programs = try PostgresPrograms(connection.reveal())
            let path = folder.file(BackupFolder.postgreSQL)
            try await NIOThreadPool.singleton.runIfActive { try programs.restore(path) }
        } else {
            _ = try BackupFiles.copy(folder.file(BackupFolder.sqlite), to: draft.database, named: BackupFolder.sqlite)
        }
        return try CloudProcess.openDatabase(configuration, draft)
    }

    private func images() async throws {
        let names = Set(manifest.blobs.map(\.store))
        let source = try await BlobFolders.open(names, below: folder.images, world: world)
        let target = try await BlobFolders.open(configuration.images, below: draft.images, world: world)
        let result: Result<Void, any Error>
        do { result = .success(try await copy(source, target)) } catch { result = .failure(error) }
        await source.close()
        await target.close()
        try result.get()
    }

    private func copy(_ source: BlobFolders, _ target: BlobFolders) async throws {
        var bytes: Int64 = 0
        for (at, blob) in manifest.blobs.enumerated() {
            guard let id = ContentID(blob.sha512), let from = source[blob.store], let to = target[blob.store] else {
                throw StartError("\(folder.manifest) cannot be understood.")
            }
            do {
                // `store` computes the digest of the bytes that it reads, so damaged data is refused.
                _ = try await to.store(try await from.open(id), expecting: BlobExpectation(size: blob.size, sha512: blob.sha512))
            } catch {
                throw StartError("The backup is damaged: the image data \(blob.sha512.prefix(16))… cannot be read: \(error)")
            }
            bytes += blob.size
            progress.images(at + 1, of: manifest.blobs.count, bytes: bytes)
        }
    }
}

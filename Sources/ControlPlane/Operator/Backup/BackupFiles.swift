import Blobs
import CloudCore
import Crypto
import Foundation

/// Functions that copy and check the files of a backup and make them durable.
enum BackupFiles {
    private static let piece = 1 << 20

    /// Copies a file. The copy is readable only for its owner. Returns when the copy is on the disk.
    ///
    /// - Returns: the manifest's entry for the copy.
    static func copy(_ from: String, to path: String, named name: String) throws -> BackupManifest.File {
        let source = try handle(from, O_RDONLY)
        let target = try handle(path, O_WRONLY | O_CREAT | O_EXCL)
        defer { close(source, target) }
        var (size, digest) = (Int64(0), SHA256())
        do {
            while let bytes = try source.read(upToCount: piece), !bytes.isEmpty {
                try target.write(contentsOf: bytes)
                digest.update(data: bytes)
                size += Int64(bytes.count)
            }
            try target.synchronize()
        } catch {
            throw StartError("Cannot copy \(from) to \(path): \(error).")
        }
        return BackupManifest.File(path: name, size: size, sha256: Hex.text(digest.finalize()))
    }

    /// Reads a file that other code has written, and makes sure that it is on the disk. Returns the manifest's entry
    /// for it.
    static func examine(_ path: String, named name: String) throws -> BackupManifest.File {
        let file = try handle(path, O_RDONLY)
        defer { close(file) }
        var (size, digest) = (Int64(0), SHA256())
        do {
            try file.synchronize()
            while let bytes = try file.read(upToCount: piece), !bytes.isEmpty {
                digest.update(data: bytes)
                size += Int64(bytes.count)
            }
        } catch {
            throw StartError("Cannot read \(path): \(error).")
        }
        return BackupManifest.File(path: name, size: size, sha256: Hex.text(digest.finalize()))
    }

    /// Makes a folder with rights only for its owner. Throws if the path exists.
    static func make(_ path: String, whenThere: String) throws {
        guard mkdir(path, 0o700) != 0 else { return }
        throw errno == EEXIST ? StartError(whenThere) : Files.failure("make", path)
    }

    /// Returns whether the path can be used: it does not exist, or is an empty folder.
    static func isFree(_ path: String) -> Bool {
        guard Files.exists(path) else { return true }
        return (try? FileManager.default.contentsOfDirectory(atPath: path).isEmpty) ?? false
    }

    /// Renames a filled folder to its final path. An empty folder at that path is replaced.
    static func finish(_ draft: String, as path: String) throws {
        let folder = open(draft, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            Foundation.close(folder)
        }
        try Files.move(draft, to: path)
    }

    /// Removes a folder with its contents, as far as possible.
    static func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }

    private static func handle(_ path: String, _ flags: Int32) throws -> FileHandle {
        let descriptor = open(path, flags | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Files.failure(flags & O_CREAT == 0 ? "read" : "write", path) }
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    private static func close(_ files: FileHandle...) {
        for file in files { try? file.close() }
    }
}

/// The stores of image data that a configuration names, opened for one command.
struct BlobFolders: Sendable {
    private let stores: [String: FileBlobStore]

    /// Opens the stores of the configuration.
    ///
    /// - Parameter folder: the folder for stores that have no path of their own.
    static func open(_ images: Configuration.Images, below folder: String, world: World) async throws -> BlobFolders {
        var stores: [String: FileBlobStore] = [:]
        for setting in images.stores.compactMap(ImageStoreSetting.init) where stores[setting.name] == nil {
            stores[setting.name] = try await store(setting.path ?? "\(folder)/\(setting.name)", world)
        }
        return BlobFolders(stores: stores)
    }

    /// Opens stores with the given names, all below one folder.
    static func open(_ names: some Sequence<String>, below folder: String, world: World) async throws -> BlobFolders {
        var stores: [String: FileBlobStore] = [:]
        for name in names { stores[name] = try await store("\(folder)/\(name)", world) }
        return BlobFolders(stores: stores)
    }

    private static func store(_ path: String, _ world: World) async throws -> FileBlobStore {
        do {
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
            return try await FileBlobStore(folder: path, world: world, threads: 2)
        } catch {
            throw StartError("The images at \(path) cannot be opened: \(error)")
        }
    }

    var names: Set<String> { Set(stores.keys) }

    subscript(name: String) -> FileBlobStore? { stores[name] }

    func close() async {
        for store in stores.values { await store.close() }
    }
}

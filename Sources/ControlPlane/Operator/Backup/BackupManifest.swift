package import CloudCore

/// The contents of a backup's `manifest.json`. It lists the files, so that a restore can tell if one is missing or has
/// changed.
package struct BackupManifest: StoredValue, Equatable {
    package static let storedName = "backup-manifest"

    package struct File: Codable, Sendable, Equatable {
        /// The path, relative to the backup's folder.
        package var path: String
        /// The size in bytes.
        package var size: Int64
        /// The digest in lower-case hexadecimal digits.
        package var sha256: String
    }

    /// The data of an image, in a file below `images/STORE/blobs`.
    package struct Blob: Codable, Sendable, Equatable {
        package var store: String
        /// The SHA-512 digest; it is also the name of the file.
        package var sha512: String
        /// The size in bytes.
        package var size: Int64
    }

    package enum Kind: String, Codable, Sendable {
        case sqlite, postgresql
    }

    /// The format that this code writes, and the newest format that it reads.
    static let newestFormat = 1

    package var format = newestFormat
    /// The release that made the backup.
    package var version: String
    package var madeAt: Timestamp
    package var database: Kind
    package var files: [File] = []
    package var blobs: [Blob] = []

    /// The size of all image data in bytes.
    package var blobBytes: Int64 { blobs.reduce(0) { $0 + $1.size } }

    init(madeAt: Timestamp, database: Kind) {
        version = Version.current
        self.madeAt = madeAt
        self.database = database
    }

    func text() throws -> String { try StoredJSON.text(self) + "\n" }

    /// Reads the manifest of a backup.
    ///
    /// - Throws: `StartError` if the folder has no manifest that this binary understands.
    static func read(_ folder: BackupFolder) throws -> BackupManifest {
        guard let text = try Files.text(folder.manifest) else {
            throw StartError("\(folder.path) is no backup: it has no manifest.json.")
        }
        let unclear = StartError("\(folder.manifest) cannot be understood.")
        // A newer format may share no other member with this one.
        guard let format = try? JSON.parse(text)["format"]?.integer else { throw unclear }
        guard format <= newestFormat else {
            throw StartError("\(folder.path) was made by a newer novella: restore it with that one.")
        }
        do { return try StoredJSON.value(from: text) } catch { throw unclear }
    }
}

/// The folder of a backup.
///
///     manifest.json              the list of the files
///     novella.db                 the database, if it is SQLite; novella.pgdump if it is PostgreSQL
///     secret.key                 the master key
///     clouds.yaml, openrc        for clients, with passwords
///     host.json                  the id and name of this machine as a host, if it is one
///     images/STORE/blobs/…       the data of images
struct BackupFolder: Sendable {
    let path: String

    var manifest: String { path + "/manifest.json" }
    var images: String { path + "/images" }

    static let sqlite = "novella.db"
    static let postgreSQL = "novella.pgdump"
    static let secretKey = "secret.key"
    static let clouds = "clouds.yaml"
    static let openrc = "openrc"
    static let host = "host.json"

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// - Parameter path: relative to the working directory unless it begins with a slash.
    init(path: String) { self.path = StateDirectory(path: path).path }
}

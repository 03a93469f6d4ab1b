package import CloudCore

/// `manifest.json` of a backup: what is in it, so that whoever restores it knows that nothing is missing or different.
package struct BackupManifest: StoredValue, Equatable {
    package static let storedName = "backup-manifest"

    package struct File: Codable, Sendable, Equatable {
        /// The path below the backup's folder.
        package var path: String
        /// Bytes.
        package var size: Int64
        /// Lower case hexadecimal.
        package var sha256: String
    }

    /// The data of an image, below `images/STORE/blobs`.
    package struct Blob: Codable, Sendable, Equatable {
        package var store: String
        /// The name of its file as well.
        package var sha512: String
        /// Bytes.
        package var size: Int64
    }

    package enum Kind: String, Codable, Sendable {
        case sqlite, postgresql
    }

    /// The layout that this code writes, and the newest that it reads.
    static let newestFormat = 1

    package var format = newestFormat
    /// The release that made the backup.
    package var version: String
    package var madeAt: Timestamp
    package var database: Kind
    package var files: [File] = []
    package var blobs: [Blob] = []

    /// Bytes of the images' data.
    package var blobBytes: Int64 { blobs.reduce(0) { $0 + $1.size } }

    init(madeAt: Timestamp, database: Kind) {
        version = Version.current
        self.madeAt = madeAt
        self.database = database
    }

    func text() throws -> String { try StoredJSON.text(self) + "\n" }

    /// - Throws: `StartError` when the folder has no manifest that this binary understands.
    static func read(_ folder: BackupFolder) throws -> BackupManifest {
        guard let text = try Files.text(folder.manifest) else {
            throw StartError("\(folder.path) is no backup: it has no manifest.json.")
        }
        let unclear = StartError("\(folder.manifest) cannot be understood.")
        // A newer format may have no other member that this code knows.
        guard let format = try? JSON.parse(text)["format"]?.integer else { throw unclear }
        guard format <= newestFormat else {
            throw StartError("\(folder.path) was made by a newer novella: restore it with that one.")
        }
        do { return try StoredJSON.value(from: text) } catch { throw unclear }
    }
}

/// The files of a backup.
///
///     manifest.json              what is in it
///     novella.db                 the database; novella.pgdump: PostgreSQL's
///     secret.key                 the master key
///     clouds.yaml, openrc        for clients, with passwords
///     host.json                  what this machine is called as a host, if it is one
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

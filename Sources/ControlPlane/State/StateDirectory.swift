package import CloudCore
package import Crypto
import Foundation

/// The directory in which a cloud keeps all its data.
///
///     lock          held by the process that runs the cloud
///     novella.db    the database, if it is SQLite
///     secret.key    the master key, as 64 hexadecimal digits
///     clouds.yaml   logins for clients; openrc: the same for a shell
///     log/          access.log
///     images/       the data of images, unless its stores have paths of their own
///     volume-backups/   the backups of volumes, unless they have a path of their own
///     host/         this machine as a host: the disks and the wanted state of its machines
package struct StateDirectory: Sendable {
    package let path: String

    package var database: String { path + "/novella.db" }
    package var secretKey: String { path + "/secret.key" }
    package var clouds: String { path + "/clouds.yaml" }
    package var openrc: String { path + "/openrc" }
    package var accessLog: String { path + "/log/access.log" }
    var images: String { path + "/images" }
    var volumeBackups: String { path + "/volume-backups" }
    var host: String { path + "/host" }
    var lock: String { path + "/lock" }

    /// Returns `/var/lib/novella` for root, and a folder in the user's XDG state directory for others.
    package static func standardPath(environment: [String: String], isRoot: Bool) -> String {
        if isRoot { return "/var/lib/novella" }
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") { return state + "/novella" }
        return (environment["HOME"] ?? ".") + "/.local/state/novella"
    }

    /// - Parameter path: relative to the working directory unless it begins with a slash.
    package init(path: String) {
        let expanded = (path as NSString).expandingTildeInPath
        let absolute = expanded.hasPrefix("/") ? expanded : FileManager.default.currentDirectoryPath + "/" + expanded
        self.path = (absolute as NSString).standardizingPath
    }

    /// Creates the directory, if it does not exist, with rights only for its owner.
    package func create() throws {
        do {
            try Files.makeFolder(path)
            try Files.makeFolder(path + "/log")
        } catch {
            throw StartError("There is no state directory \(path): \(error) --state takes another.")
        }
    }

    /// Lets the users under which guests run pass through the directory to their own disks. They still cannot read
    /// anything: each file in it is readable only for its owner.
    ///
    /// SQLite gives its other files the permissions of the database.
    func letGuestsThrough(isSQLite: Bool) throws {
        if isSQLite {
            let file = open(database, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            guard file >= 0 else { throw Files.failure("open", database) }
            close(file)
        }
        for name in [database, database + "-wal", database + "-shm"] where Files.exists(name) {
            guard chmod(name, 0o600) == 0 else { throw Files.failure("protect", name) }
        }
        guard chmod(path, 0o711) == 0 else { throw Files.failure("open", path) }
    }

    /// Returns the key that seals secrets in the database.
    ///
    /// - Parameter file: a file that must exist; nil for the file in the state directory, which is made on first use.
    package func masterKey(file: String?, random: any Randomness) throws -> SymmetricKey {
        if let file { return try Self.readKey(file) }
        if !Files.exists(secretKey) {
            // A new key could not open anything that is sealed in the database, and the error would appear only much
            // later.
            guard !Files.exists(database) else {
                throw StartError("\(path) has a database and no secret.key, without which the database is of no use. Put it back.")
            }
            try Files.write(Hex.text(random.bytes(32)) + "\n", to: secretKey)
        }
        return try Self.readKey(secretKey)
    }

    private static func readKey(_ path: String) throws -> SymmetricKey {
        guard let text = try Files.text(path) else { throw StartError("There is no key file \(path).") }
        guard let bytes = Hex.bytes(text.trimmingCharacters(in: .whitespacesAndNewlines)), bytes.count == 32 else {
            throw StartError("\(path) is no key file: it must hold 64 hexadecimal digits.")
        }
        return SymmetricKey(data: bytes)
    }
}

import CloudCore
import Crypto
import Drivers
import Foundation
import HostModel

/// A short path to a folder. The path of a socket has at most 107 bytes, and libvirt puts its sockets some 60 bytes
/// below its root.
enum ShortPath {
    static let most = 44

    /// Returns the folder itself, or a link to it. The link always has the same name, because running guests know their
    /// sockets by it.
    static func to(_ folder: String) throws(CloudError) -> String {
        guard folder.utf8.count > most else { return folder }
        let base = geteuid() == 0 ? "/run/novella" : "/tmp/novella-\(geteuid())"
        try DurableFile.makeFolder(base, mode: geteuid() == 0 ? 0o711 : 0o700)
        var status = stat()
        guard lstat(base, &status) == 0, status.st_uid == geteuid(), status.st_mode & S_IFMT == S_IFDIR else {
            throw .internalError("\(base) belongs to somebody else")
        }
        let link = "\(base)/" + Hex.text(SHA256.hash(data: Array(folder.utf8)).prefix(6))
        if (try? FileManager.default.destinationOfSymbolicLink(atPath: link)) != folder {
            unlink(link)
            guard symlink(folder, link) == 0 else { throw DurableFile.failure("link", link) }
        }
        return link
    }
}

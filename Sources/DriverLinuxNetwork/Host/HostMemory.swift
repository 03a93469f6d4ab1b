import CloudCore
import Foundation

/// What a driver must know of the host that the host does not tell by itself. It outlives the process.
struct HostMemory: Codable, Hashable {
    /// A packet filter as it was put into a namespace: what was written, and what the kernel lists for it. Neither is made from the
    /// other, and only both together say that nothing has changed.
    struct Applied: Codable, Hashable {
        var written: String
        var listed: String
    }

    var generation: Int64
    var numbers = Numbers()
    var ids = HostNetworkIDs()
    /// Device of each port.
    var taps: [String: String] = [:]
    /// Bridge of each network.
    var bridges: [String: String] = [:]
    /// By the namespace's name; the host's own is "".
    var filters: [String: Applied] = [:]
    /// Zones that were in use and may hold flows of networks that are gone.
    var retiredZones: Set<Int> = []

    static func read(_ folder: String) throws(CloudError) -> HostMemory? {
        guard let data = FileManager.default.contents(atPath: path(folder)) else { return nil }
        do { return try JSONDecoder().decode(Self.self, from: data) } catch {
            throw .internalError("the memory of the host's networks is damaged: \(path(folder))", cause: error)
        }
    }

    func write(_ folder: String) throws(CloudError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        do { try HostFile.write(try encoder.encode(self), to: Self.path(folder), mode: 0o600) } catch {
            throw (error as? CloudError) ?? .internalError("cannot write \(Self.path(folder))", cause: error)
        }
    }

    static func path(_ folder: String) -> String { folder + "/memory.json" }
}

/// Files that are whole or absent.
enum HostFile {
    static func write(_ data: Data, to path: String, mode: mode_t) throws(CloudError) {
        let draft = path + ".new"
        unlink(draft)
        let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard file >= 0 else { throw failure(draft) }
        defer { close(file) }
        // The mask of the process takes nothing from what programs without rights must read.
        guard fchmod(file, mode) == 0 else { throw failure(draft) }
        var rest = data[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw failure(draft) }
            rest = rest.dropFirst(count)
        }
        guard fsync(file) == 0, rename(draft, path) == 0 else { throw failure(path) }
    }

    static func text(_ path: String) -> String? { FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } }

    private static func failure(_ path: String) -> CloudError { .internalError("cannot write \(path): \(String(cString: strerror(errno)))") }
}

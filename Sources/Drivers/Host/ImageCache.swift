package import CloudCore
import Crypto
package import Foundation
package import HostModel
import ImageFormats
package import NIOCore
import Synchronization

/// The source of images for a host: it reads all bytes of an image and passes them on in order. It is called for images
/// that the host does not have yet.
package struct ImageSource: Sendable {
    package typealias Sink = @Sendable (ByteBuffer) async throws -> Void
    package let read: @Sendable (ContentID, Sink) async throws -> Void

    package init(_ read: @escaping @Sendable (ContentID, Sink) async throws -> Void) { self.read = read }
}

/// The images of a host's machines, each stored once.
///
///     <sha-512>.<format>    complete, verified, never changed
///     incoming-<random>     being received; removed at a restart
///
/// A file gets its name only after its digest was verified and its format was found to be the declared one, so that a
/// hypervisor never reads unchecked bytes from outside.
package final class ImageCache: Sendable {
    private let folder: String
    private let source: ImageSource
    private let random: any Randomness
    /// The permissions of the files. The users under which guests run must be able to read them, under names in folders
    /// of their own: nobody passes through the folder of the cache.
    private let mode: mode_t
    private let fetches = SerialKeys<String>()
    /// The names in use by callers whose machines have no record yet, each with the number of callers.
    private let held = Mutex<[String: Int]>([:])

    package init(folder: String, source: ImageSource, random: any Randomness, mode: mode_t = 0o644) throws {
        self.folder = folder
        self.source = source
        self.random = random
        self.mode = mode
        try DurableFile.makeFolder(folder, mode: 0o700)
        for name in DurableFile.names(in: folder) where name.hasPrefix("incoming-") { unlink("\(folder)/\(name)") }
    }

    /// Calls `body` with the files of the images, which stay at least until it ends. Missing images are fetched.
    ///
    /// - Throws: `badRequest` if an image does not have its declared format; the errors of the source.
    package func with<Value>(
        _ images: Set<ImageReference>, isolation: isolated (any Actor)? = #isolation,
        _ body: ([ImageReference: String]) async throws -> Value
    ) async throws -> Value {
        held.withLock { held in for image in images { held[Self.name(image), default: 0] += 1 } }
        defer {
            held.withLock { held in
                for image in images {
                    let name = Self.name(image)
                    held[name] = (held[name] ?? 1) > 1 ? (held[name] ?? 1) - 1 : nil
                }
            }
        }
        var paths: [ImageReference: String] = [:]
        for image in images {
            let path = path(image)
            try await fetches.run(Self.name(image)) {
                if access(path, F_OK) != 0 { try await fetch(image, to: path) }
            }
            paths[image] = path
        }
        return try await body(paths)
    }

    package func path(_ image: ImageReference) -> String { "\(folder)/\(Self.name(image))" }

    /// Removes the images that are not in use.
    ///
    /// - Parameter needed: returns the images of the host's machines. While it is called, no machine can begin to use
    ///   another image.
    package func removeUnused(needed: () -> Set<ImageReference>) {
        // The lock is held all the time: an image that is requested now is either seen as held, or fetched again.
        held.withLock { held in
            let needed = Set(needed().map(Self.name))
            for name in DurableFile.names(in: folder) where !name.hasPrefix("incoming-") {
                if !needed.contains(name), held[name] == nil { unlink("\(folder)/\(name)") }
            }
        }
    }

    private static func name(_ image: ImageReference) -> String { "\(image.content).\(image.format.rawValue)" }

    private func fetch(_ image: ImageReference, to path: String) async throws {
        let draft = "\(folder)/incoming-\(random.hexID())"
        let incoming = try Incoming(draft, mode: mode)
        defer { unlink(draft) }
        try await source.read(image.content) { bytes in try incoming.take(bytes) }
        try incoming.finish(image)
        guard rename(draft, path) == 0 else { throw DurableFile.failure("name", path) }
        try DurableFile.syncFolder(folder)
    }
}

/// An image while it is received: its bytes are written, hashed and inspected in one pass.
private final class Incoming: Sendable {
    private struct State {
        var digest = SHA512()
        var inspector = FormatInspector()
    }

    private let file: Int32
    private let path: String
    private let state = Mutex(State())

    init(_ path: String, mode: mode_t) throws(CloudError) {
        self.path = path
        file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw DurableFile.failure("write", path) }
        guard fchmod(file, mode) == 0 else { throw DurableFile.failure("open", path) }
    }

    deinit { close(file) }

    func take(_ bytes: ByteBuffer) throws {
        try state.withLock { state in
            bytes.withUnsafeReadableBytes { bytes in
                state.digest.update(bufferPointer: bytes)
                state.inspector.inspect(bytes)
            }
            try bytes.withUnsafeReadableBytes { try DurableFile.write($0, file, path) }
        }
    }

    func finish(_ image: ImageReference) throws {
        try state.withLock { state in
            guard Hex.text(state.digest.finalize()) == image.content.text else {
                var damaged = CloudError(.unavailable, "The image could not be read.", detail: "\(image.content): other bytes came")
                damaged.isTransient = true
                throw damaged
            }
            try state.inspector.finish().require(image.format)
        }
        guard fsync(file) == 0 else { throw DurableFile.failure("sync", path) }
    }
}

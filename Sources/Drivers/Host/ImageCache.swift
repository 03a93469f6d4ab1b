package import CloudCore
import Crypto
package import Foundation
package import HostModel
import ImageFormats
package import NIOCore
import Synchronization

/// Where a host gets the bytes of an image from: reads them all and hands them over in order. Called when they are not there yet.
package struct ImageSource: Sendable {
    package typealias Sink = @Sendable (ByteBuffer) async throws -> Void
    package let read: @Sendable (ContentID, Sink) async throws -> Void

    package init(_ read: @escaping @Sendable (ContentID, Sink) async throws -> Void) { self.read = read }
}

/// The images that a host's machines are made of, each stored once.
///
///     <sha-512>.<format>    whole, verified, never changed
///     incoming-<random>     on its way in; gone after a restart
///
/// Nothing gets a name here before its digest is the one asked for and it was found to be of the format it was declared as, so that
/// no byte of a stranger's reaches a hypervisor unseen.
package final class ImageCache: Sendable {
    private let folder: String
    private let source: ImageSource
    private let random: any Randomness
    /// Readable for the user that guests run as.
    private let mode: mode_t
    private let fetches = SerialKeys<String>()
    /// Names that are being used by something that no record knows yet.
    private let held = Mutex<[String: Int]>([:])

    package init(folder: String, source: ImageSource, random: any Randomness, mode: mode_t = 0o644) throws {
        self.folder = folder
        self.source = source
        self.random = random
        self.mode = mode
        try DurableFile.makeFolder(folder, mode: 0o711)
        for name in DurableFile.names(in: folder) where name.hasPrefix("incoming-") { unlink("\(folder)/\(name)") }
    }

    /// The files of the images, which stay at least until `body` has ended. What is not there is fetched.
    ///
    /// - Throws: `badRequest` when an image is not what it was declared as; what the source throws.
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

    /// Removes what nobody uses.
    ///
    /// - Parameter needed: what the host's machines are made of. It is asked with no machine being made of a new image meanwhile:
    ///   such an image is held.
    package func removeUnused(needed: () -> Set<ImageReference>) {
        // One hold of the lock: an image that is taken now is either seen as held or fetched again.
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

/// An image while it comes in: written, digested and looked at in one go.
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

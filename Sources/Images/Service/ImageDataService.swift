import Access
import Blobs
import CloudCore
import HTTPKit
import NIOCore
import SQL

/// The service of images' data: upload and download.
struct ImageDataService: Sendable {
    let context: ImagesContext

    private var intake: ImageIntake { ImageIntake(context: context) }

    // MARK: In

    /// Uploads the data of an image.
    ///
    /// - Parameters:
    ///   - size: the announced size in bytes, if the client sent one.
    ///   - store: the name of a store; nil for the default one.
    func upload<Chunks: AsyncSequence & Sendable>(
        _ id: ID<Kind.Image>, _ bytes: Chunks, size: Int64?, store name: String?, by caller: Principal
    ) async throws where Chunks.Element == ByteBuffer {
        let name = name ?? context.stores.standard.name
        guard let store = context.stores[name] else { throw CloudError.badRequest("Store \(name.prefix(255)) is not available on this site.") }
        let (image, lease) = try await begin(id, .saving, size: size, by: caller)
        let data = try await giving(back: lease) { meanwhile in
            try await intake.receive(bytes, of: image, into: store, expecting: BlobExpectation(size: size), meanwhile: meanwhile)
        }
        do {
            try await context.write { tx in _ = try intake.activate(lease, data, in: name, tx) }
        } catch {
            await end(lease)
            throw error
        }
    }

    /// Checks that the caller may upload, and takes the lease for the upload.
    func begin(
        _ id: ID<Kind.Image>, _ kind: UploadLease.Kind, size: Int64?, by caller: Principal
    ) async throws -> (image: Image, lease: UploadLease) {
        let now = context.world.now
        return try await context.write { tx in
            let image = try context.authorised(.uploadImage, id, by: caller, in: tx)
            guard image.status == .queued else {
                throw CloudError.conflict("Image status transition from \(image.status.rawValue) to \(kind.rawValue) is not allowed")
            }
            try ImageIntake.requireFormats(image)
            try context.quota.require(.sizeTotal, size ?? 0, of: image.owner, at: now, in: tx)
            return (image, try intake.take(kind, image, until: now + UploadLease.duration, in: tx))
        }
    }

    /// Runs work that needs the lease, and renews the lease meanwhile. If the work fails, the lease is given back.
    func giving<Value>(
        back lease: UploadLease, _ body: (_ meanwhile: () async throws -> Void) async throws -> Value
    ) async throws -> Value {
        var renewAt = context.world.now + UploadLease.renewal
        do {
            return try await body {
                let now = context.world.now
                guard now >= renewAt else { return }
                renewAt = now + UploadLease.renewal
                let isHeld = try await context.write { tx in try context.uploads.renew(lease, at: now, in: tx) }
                // Going on would be useless: the last transaction would refuse the data.
                if !isHeld { throw CloudError(.gone, "The image was deleted, or taken over, while it was being filled.") }
            }
        } catch {
            await end(lease)
            throw error
        }
    }

    /// Gives a lease back, also if the task is cancelled. If the database refuses the write, the lease ends by itself.
    private func end(_ lease: UploadLease) async { _ = try? await context.write { tx in try context.uploads.release(lease, in: tx) } }

    // MARK: Out

    struct Download: Sendable {
        let image: Image
        /// The store to read from; nil for an image without data.
        let store: String?
        let blob: ContentID?
        /// Whether the caller wants the data from that store and from no other place.
        let isFromNamedStore: Bool
    }

    /// Returns the place to read the data from.
    ///
    /// - Parameter preferred: names of stores, best first; stores without the data are passed over.
    func find(_ id: ID<Kind.Image>, preferred: [String], by caller: Principal) async throws -> Download {
        let image = try await context.read { tx in
            let image = try context.authorised(.getImage, id, by: caller, in: tx)
            if image.status == .deactivated, !context.access.isAdmin(caller) {
                throw CloudError.forbidden("The requested image has been deactivated. Image data download is forbidden.")
            }
            try context.access.require(.downloadImage, image, caller)
            if !preferred.isEmpty { try context.access.require(.downloadFromStore, image, caller) }
            return image
        }
        if let unknown = preferred.first(where: { context.stores[$0] == nil }) {
            throw CloudError.badRequest("Store '\(unknown.prefix(255))' is not configured.")
        }
        let usable = image.locations.filter { context.stores[$0.store] != nil }
        let best = preferred.lazy.compactMap { name in usable.first { $0.store == name } }.first ?? usable.first
        return Download(image: image, store: best?.store, blob: best?.blob, isFromNamedStore: !preferred.isEmpty)
    }

    /// Returns the data from the cache, if there is a copy and the caller named no store, or else from the store.
    ///
    /// - Throws: `unavailable` (transient) if the caller's project downloads from too many places at once.
    func read(_ download: Download, range: Range<Int64>?, by caller: Principal) async throws -> BlobBytes? {
        let owner = caller.projectID?.text ?? caller.userID.text
        let cache = ImageCacheService(context: context)
        if !download.isFromNamedStore, let near = try await cache.open(download.image.id, range: range, for: owner) {
            return near
        }
        return try await open(download, range: range, for: owner)
    }

    /// Opens the data in its store. Returns nil if the store does not have it.
    private func open(_ download: Download, range: Range<Int64>?, for owner: String) async throws -> BlobBytes? {
        guard let blob = download.blob, let store = download.store.flatMap({ context.stores[$0] }) else { return nil }
        do {
            return try await store.open(blob, range: range, for: owner)
        } catch let error as CloudError where error.kind == .notFound {
            return nil
        }
    }
}

import Blobs
import CloudCore
import ImageFormats
import NIOCore
import SQL

/// The way by which an image gets its data: bytes from any source are inspected while they stream into a store, and
/// then one transaction makes the image active.
///
///     take the lease --> receive: stream, inspect, commit the blob --> activate: lease given back, row active,
///     location
///                           '--anything goes wrong--> no bytes, lease given back, the image is `queued`
struct ImageIntake: Sendable {
    let context: ImagesContext

    /// The most bytes of an image's data: 1 TiB, as in the reference (`image_size_cap`).
    static let most = Int64(Limits.thing.imageBytes.most)

    /// Container formats in which the disk can be read as it is. In the others it is packed, and nothing here unpacks
    /// it.
    private static let plainContainers: Set<String> = ["bare", "ami", "ari", "aki"]

    /// Takes the lease to fill an image.
    ///
    /// - Parameter end: the end of the lease; nil for a workflow, which always gives it back.
    /// - Throws: `conflict` if somebody else has the lease, or if the image cannot be filled; `tooLarge` by quota.
    func take(
        _ kind: UploadLease.Kind, _ image: Image, until end: Timestamp?, owner: String? = nil, in tx: Transaction
    ) throws -> UploadLease {
        let now = context.world.now
        let lease = UploadLease(imageID: image.id, kind: kind, owner: owner ?? context.world.random.uuid())
        guard try context.uploads.take(lease, at: now, until: end, in: tx) else {
            throw CloudError.conflict("Image status transition from \(image.status.rawValue) to \(kind.rawValue) is not allowed")
        }
        try context.quota.require(.countUploading, 0, of: image.owner, at: now, in: tx)
        return lease
    }

    /// Checks that the image has its formats, which say what its data will be.
    ///
    /// - Throws: `badRequest`.
    static func requireFormats(_ image: Image) throws {
        let missing = [("disk_format", image.diskFormat), ("container_format", image.containerFormat)].filter { $0.1 == nil }.map(\.0)
        guard missing.isEmpty else {
            let noun = missing.count == 1 ? "Property" : "Properties"
            throw CloudError.badRequest("\(noun) \(missing.joined(separator: ", ")) must be set prior to saving data.")
        }
    }

    /// Streams bytes into a store. If it throws, nothing is left behind.
    ///
    /// - Parameters:
    ///   - image: the image whose formats the bytes must have.
    ///   - expected: the sender's announcement of the bytes.
    ///   - keepsUnfit: whether bytes of another format, or unsafe ones, are kept and only marked as unfit.
    ///   - meanwhile: a function that is called before each piece is stored, and may end the upload by throwing.
    /// - Throws: `unsupportedMediaType` for unfit bytes, unless they are kept.
    func receive<Chunks: AsyncSequence>(
        _ chunks: Chunks, of image: Image, into store: any BlobStore, most: Int64 = Self.most,
        expecting expected: BlobExpectation = BlobExpectation(), keepsUnfit: Bool = false, isolation: isolated (any Actor)? = #isolation,
        meanwhile: () async throws -> Void = {}
    ) async throws -> ImageData where Chunks.Element == ByteBuffer {
        let declared = image.containerFormat.map(Self.plainContainers.contains) == true ? image.diskFormat.flatMap(DiskFormat.init) : nil
        var inspector = FormatInspector()
        var isDecided = declared == nil || keepsUnfit
        let upload = try await store.begin(most: most, sha256: expected.sha256 != nil, for: image.owner)
        do {
            for try await chunk in chunks {
                try Task.checkCancellation()
                if let declared {
                    chunk.withUnsafeReadableBytes { inspector.inspect($0) }
                    if !isDecided, let early = inspector.early {
                        isDecided = true
                        try Self.refuseEarly(early, declared)
                    }
                }
                try await meanwhile()
                try await upload.append(chunk)
            }
            try Task.checkCancellation()
            let inspection = inspector.finish()
            let isFit = try Self.isFit(inspection, declared, keepsUnfit: keepsUnfit)
            try await meanwhile()
            let blob = try await upload.commit(expecting: expected)
            return ImageData(
                blob: blob.id, size: blob.size, md5: blob.md5, virtualSize: declared.flatMap { Self.virtualSize(inspection, $0) }, isFit: isFit)
        } catch {
            await upload.abort()
            throw error
        }
    }

    /// Refuses a wrong format as soon as it is known. A fixed VHD is recognised only at its end, so a declared VHD is
    /// not refused early.
    private static func refuseEarly(_ early: Inspection, _ declared: DiskFormat) throws {
        if declared != .vhd { try early.require(declared) }
    }

    private static func isFit(_ inspection: Inspection, _ declared: DiskFormat?, keepsUnfit: Bool) throws(CloudError) -> Bool {
        guard let declared else { return true }
        if keepsUnfit { return (try? inspection.require(declared)) != nil }
        try inspection.require(declared)
        return true
    }

    /// Returns the size of the disk. Data that is read as a flat disk is as large as its file, whatever its content is.
    private static func virtualSize(_ inspection: Inspection, _ declared: DiskFormat) -> Int64? {
        if declared == .raw { return inspection.size }
        return inspection.format == declared ? inspection.virtualSize : nil
    }

    /// Makes the image active with data that is in a store, and gives the lease back.
    ///
    /// - Throws: `gone` if the image or the lease is gone.
    func activate(_ lease: UploadLease, _ data: ImageData, in store: String, _ tx: Transaction) throws -> Image {
        let now = context.world.now
        guard try context.uploads.release(lease, in: tx),
            let old = try context.images.find(lease.imageID, for: Onlooker(project: nil, now: now), in: tx),
            old.status == .queued || old.status == .uploading
        else {
            throw CloudError(
                .gone, "Image \(lease.imageID) could not be found after upload. The image may have been deleted during the upload.")
        }
        var image = old
        image.take(data)
        image.status = .active
        image.updatedAt = now
        image.locations = [Image.Location(id: context.world.random.uuid(), store: store, blob: data.blob)]
        try context.quota.require(.sizeTotal, data.size, of: image.owner, at: now, in: tx)
        try context.images.update(image, from: old, in: tx)
        return image
    }
}
